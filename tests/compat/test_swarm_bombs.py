"""Repositories made to hurt, each judged by a process that may not have much memory or time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.bombs import BOMBS, Repository
from tests.support.histories import BLOB
from veche.peer import walk
from veche.peer.source import open_source
from veche.peer.verify import verify
from veche.swarm import messages
from veche.swarm.model import Rejected

MEMORY_MB, SECONDS = 160, 40

JUDGE = """
import json, resource, sys
from pathlib import Path
from veche.peer.source import NotARepository, Refused, open_source
from veche.peer.verify import Accepted, verify
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + int(sys.argv[1]) * 1_000_000
resource.setrlimit(resource.RLIMIT_AS, (most, most))
resource.setrlimit(resource.RLIMIT_CPU, (int(sys.argv[2]), int(sys.argv[2])))
for path in sys.argv[3:]:
    try:
        with open_source(Path(path)) as source:
            verdict = verify(source.objects, source.head, workers=1)
    except (NotARepository, Refused) as error:
        found = [getattr(error, "head", ""), type(error).__name__, str(error)]
    else:
        found = [verdict.head, "", ""] if isinstance(verdict, Accepted) else [*verdict]
    print(json.dumps(found), flush=True)
"""


def judge(*paths: Path) -> list[tuple[str, str, str]]:
    """The verdict of each repository: commit, rule, reason."""
    command = [sys.executable, "-c", JUDGE, str(MEMORY_MB), str(SECONDS), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stderr
    found = [tuple(json.loads(line)) for line in done.stdout.splitlines()]
    assert len(found) == len(paths)
    return found


def all_files(folder: Path) -> dict[str, tuple[int, int]]:
    """What is in a folder, and when it was written."""
    return {str(file): (file.stat().st_size, file.stat().st_mtime_ns) for file in folder.rglob("*")}


def test_each_bomb_is_refused_for_its_commit_in_bounded_memory_and_time(tmp_path: Path) -> None:
    """Rows: B31 (partly)."""
    commits: dict[str, str] = {}
    for at, (name, make) in enumerate(BOMBS.items()):
        commits[name] = make(Repository(tmp_path / str(at)))
    before = all_files(tmp_path)
    verdicts = dict(zip(BOMBS, judge(*(tmp_path / str(at) for at in range(len(BOMBS)))), strict=True))
    wrong = {
        name: (rule, reason)
        for name, (commit, rule, reason) in verdicts.items()
        if commit != commits[name] or not rule or not reason
    }
    assert not wrong
    assert all_files(tmp_path) == before


def test_an_honest_repository_passes_within_the_same_bounds(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "honest")
    head = repository.commit(repository.tree(repository.usual))
    assert judge(tmp_path / "honest") == [(head, "", "")]


@pytest.mark.parametrize("kind", ["loose", "packed", "loop", "outside", "nothing"])
def test_references_are_not_trusted(kind: str, tmp_path: Path) -> None:
    """Rows: B31 (partly)."""
    folder = tmp_path / "refs"
    repository = Repository(folder)
    head = repository.root
    match kind:
        case "loose":
            for n in range(5000):
                (folder / "refs" / "heads" / f"b{n}").write_text(f"{n:040x}\n", "ascii")
        case "packed":
            lines = "".join(f"{n:040x} refs/heads/b{n}\n" for n in range(100_000))
            (folder / "packed-refs").write_text(lines, "ascii")
        case "loop":
            (folder / "HEAD").write_text("ref: refs/heads/one\n", "ascii")
            (folder / "refs" / "heads" / "one").write_text("ref: refs/heads/two\n", "ascii")
            (folder / "refs" / "heads" / "two").write_text("ref: refs/heads/one\n", "ascii")
        case "outside":
            (tmp_path / "secret").write_text(f"{1:040x}\n", "ascii")
            (folder / "HEAD").write_text("ref: refs/heads/../../../secret\n", "ascii")
        case _:
            (folder / "refs" / "heads" / "main").unlink()
            head = ""
    [(commit, rule, _)] = judge(folder)
    assert (commit, rule) == (head, "" if head else "NotARepository")


def test_the_configuration_and_hooks_of_a_repository_do_nothing(tmp_path: Path) -> None:
    """Rows: B98 (partly)."""
    repository = Repository(tmp_path / "armed")
    mark = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {mark}\n", "ascii")
    program.chmod(0o755)
    with (repository.folder / "config").open("a") as file:
        file.write(f"\tfsmonitor = {program}\n\thooksPath = {tmp_path}\n\tsshCommand = {program}\n")
        file.write(f"[include]\n\tpath = {tmp_path}/nothing\n[core]\n\tworktree = /\n[extensions]\n\tx = 1\n")
    (repository.folder / "hooks").mkdir()
    for hook in ("post-checkout", "reference-transaction", "pre-auto-gc"):
        (repository.folder / "hooks" / hook).symlink_to(program)
    assert judge(repository.folder) == [(repository.root, "", "")]
    assert not mark.exists()


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"# v2 git bundle\n",
        b"# v2 git bundle\n" + b"-" + b"0" * 40 + b" x\n\nPACK",
        b"# v2 git bundle\n" + b"x" * 2_000_000,
        b"# v2 git bundle\n" + b"".join(b"%040x refs/heads/b%d\n" % (n, n) for n in range(10_000)) + b"\nPACK",
        b"# v3 git bundle\n@object-format=sha256\n\nPACK",
        b"# v3 git bundle\n@filter=blob:none\n\nPACK",
        b"# v2 git bundle\n" + b"0" * 40 + b" refs/heads/main\n\n",
        b"# v2 git bundle\n" + b"0" * 40 + b" refs/heads/main\n\nPACK" + b"\0" * 40,
    ],
)
def test_what_is_no_bundle_is_said_to_be_none(header: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.bundle").write_bytes(header)
    [(_, kind, reason)] = judge(tmp_path / "x.bundle")
    assert kind == "NotARepository"
    assert reason


def test_merges_that_reach_back_again_and_again_are_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What looking for common pasts costs is bounded; the first merge beyond is the one that is refused.

    Rows: B31 (partly).
    """
    repository = Repository(tmp_path / "merges")
    guest = "ab" * 20
    before = repository.tree(repository.usual)
    folder = repository.tree([(b"100644", guest.encode("ascii"), repository.put(BLOB, b""))])
    tree = repository.with_entry((b"40000", b"invited", folder))
    message = messages.encode(messages.Member(action="add", uri=guest))
    head = repository.commit(tree, (repository.root,), message)
    merges: list[str] = []
    for number in range(12):
        other = repository.commit(before, (repository.root,), messages.encode(messages.Text(body=str(number))))
        head = repository.commit(tree, (head, other), messages.merge_message(other))
        merges.append(head)
    assert judge(repository.folder) == [(head, "", "")]
    monkeypatch.setattr(walk, "MOST_STEPS", 60)
    with open_source(repository.folder) as source:
        verdict = verify(source.objects, source.head, workers=1)
    assert isinstance(verdict, Rejected)
    assert verdict.rule == "merges"
    assert verdict.commit in merges[3:-1]
