"""Swarms: what judging, writing, opening and receiving a conversation costs.

`count` is the length of the usual history (10,000 unless --count says otherwise), `long` ten times as many.

    verify       commits a second, from a packed repository to the verdict, by one thread and by as many as there are
                 processors; `ratio` is to `cryptography` checking the same signatures, and nothing else, in turns
    memory       what a process holds at most that verifies the long history, its libraries included
    append       ms until a text is signed, written and flushed, in a short history and in the long one
    newest       ms to open the long history and list its newest 50, in order
    receive      commits a second through quarantine; `ratio` is to `git clone` from a file and verification after it

    python -m bench.swarm verify PATH       verify, and say what memory it took
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from veche.peer import identity, quarantine
from veche.peer.identity import Identity
from veche.peer.repository import CONVERSATIONS, Conversation
from veche.peer.source import open_source
from veche.peer.verify import Accepted, verify
from veche.swarm.messages import Text
from veche.swarm.model import Commit
from veche.swarm.rules import Verdict

from . import machine, swarm_history
from .plan import Plan
from .scenarios import Figures

COUNT = 10_000
ROUNDS = 5
SHORT = 10
APPENDED = 300
LISTED = 50

Signature = tuple[RSAPublicKey, bytes, bytes]


def measure(plan: Plan) -> Iterator[Figures]:
    usual, long = plan.count or COUNT, 10 * (plan.count or COUNT)
    os.sched_setaffinity(0, range(os.cpu_count() or 1))
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        yield from verifying(usual)
        yield memory(long)
        yield receiving(usual, folder)
        yield from appending(folder, (SHORT, long))
        yield newest(folder, long)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# -- verifying


def verifying(count: int) -> Iterator[Figures]:
    """The raw signatures and the whole verdict take turns; best of the rounds, and the median of their ratios."""
    history, _ = swarm_history.kept(count)
    signatures = read_signatures(history)
    for workers in dict.fromkeys((1, os.cpu_count() or 1)):
        raw: list[float] = []
        whole: list[float] = []
        with machine.measuring():
            for _ in range(ROUNDS):
                raw.append(seconds(lambda n=workers: check_raw(signatures, n)))
                whole.append(seconds(lambda n=workers: accept(history, n)))
        yield {
            "work": "verify",
            "workers": workers,
            "count": count,
            "commits_s": round(count / min(whole)),
            "raw_s": round(count / min(raw)),
            "ratio": round(statistics.median(a / b for a, b in zip(raw, whole, strict=True)), 2),
        }


def read_signatures(history: Path) -> list[Signature]:
    """What `cryptography` is asked to check."""
    found: list[Signature] = []

    def seen(commit: Commit, verdict: Verdict) -> None:
        found.append((verdict.key, base64.b64decode(commit.signature), commit.signed))

    with open_source(history) as source:
        assert isinstance(verify(source.objects, source.head, seen=seen), Accepted)
    return found


def check_raw(signatures: list[Signature], workers: int) -> None:
    padding, hash = PKCS1v15(), hashes.SHA512()

    def check(some: list[Signature]) -> None:
        for key, signature, signed in some:
            key.verify(signature, signed, padding, hash)

    if workers == 1:
        check(signatures)
        return
    with ThreadPoolExecutor(workers) as pool:
        pieces = [signatures[at : at + 256] for at in range(0, len(signatures), 256)]
        assert len(list(pool.map(check, pieces))) == len(pieces)


def accept(path: Path, workers: int | None = None) -> Accepted:
    """Verify what must be valid."""
    with open_source(path) as source:
        verdict = verify(source.objects, source.head, workers=workers)
    if not isinstance(verdict, Accepted):
        raise RuntimeError(f"refused: {verdict}")
    return verdict


def memory(count: int) -> Figures:
    """In a process of its own, as `veche swarm verify` is."""
    history, _ = swarm_history.kept(count)
    command = [sys.executable, "-m", "bench.swarm", "verify", str(history)]
    with machine.measuring():
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"work": "memory", "count": count, **json.loads(done.stdout)}


def peak_mb() -> float:
    """The most memory that this process has held, in MB."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return round(int(line.split()[1]) * 1024 / 1e6, 1)
    raise RuntimeError("no VmHWM")


# -- receiving


def receiving(count: int, folder: Path) -> Figures:
    """The same history by `git clone` and verification, and through quarantine, in turns; one thread for both."""
    history, _ = swarm_history.kept(count)
    pack, head = read_pack(history)
    id = accept(history).state.conversation
    plain: list[float] = []
    ours: list[float] = []
    with machine.measuring():
        for turn in range(ROUNDS):
            cloned, account = folder / f"{turn}.git", folder / f"receiver-{turn}"
            plain.append(seconds(lambda at=cloned: (clone(history, at), accept(at))))
            ours.append(seconds(lambda at=account: quarantine.clone(at, id, pack, head, "bench").close()))
            shutil.rmtree(cloned)
            shutil.rmtree(account)
    return {
        "work": "receive",
        "count": count,
        "commits_s": round(count / min(ours)),
        "clone_verify_s": round(count / min(plain)),
        "ratio": round(statistics.median(a / b for a, b in zip(plain, ours, strict=True)), 2),
    }


def clone(history: Path, target: Path) -> None:
    """By Git's own protocol, as over a network, without one."""
    command = ["git", "clone", "-q", "--bare", f"file://{history}", str(target)]
    subprocess.run(command, check=True, capture_output=True)


def read_pack(history: Path) -> tuple[Path, str]:
    """The one pack of a history, as a peer would send it, and the head."""
    [pack] = (history / "objects" / "pack").glob("*.pack")
    with open_source(history) as source:
        return pack, source.head


# -- a conversation that is here


def opened(folder: Path, count: int) -> tuple[Conversation, Identity]:
    """A copy of a history as a conversation of its first member."""
    history, account = swarm_history.kept(count)
    id = accept(history).state.conversation
    home = folder / f"home-{count}"
    if not home.exists():
        shutil.copytree(history, home / CONVERSATIONS / id)
    return Conversation(home, id), identity.load(account)


def appending(folder: Path, counts: tuple[int, ...]) -> Iterator[Figures]:
    """Beside it: what the signature alone takes, and a file that is written and flushed."""
    talks = [opened(folder, count) for count in counts]
    taken: list[list[float]] = [[] for _ in counts]
    signing: list[float] = []
    flushing: list[float] = []
    with machine.measuring():
        for turn in range(APPENDED):
            for (talk, me), times in zip(talks, taken, strict=True):
                message = Text(body=f"appended {turn}")
                times.append(seconds(lambda talk=talk, me=me, message=message: talk.say(me, message)))
            me = talks[0][1]
            signing.append(seconds(lambda turn=turn, me=me: me.sign(b"%d" % turn * 100)))
            flushing.append(seconds(lambda turn=turn: flush_file(folder / f"flushed-{turn}")))
    for count, (talk, _), times in zip(counts, talks, taken, strict=True):
        talk.close()
        yield {
            "work": "append",
            "count": count,
            "median_ms": milliseconds(times),
            "p95_ms": round(sorted(times)[len(times) * 95 // 100] * 1e3, 2),
            "signature_ms": milliseconds(signing),
            "flushed_file_ms": milliseconds(flushing),
        }


def flush_file(path: Path) -> None:
    with path.open("wb") as file:
        file.write(bytes(700))
        file.flush()
        os.fsync(file.fileno())


def newest(folder: Path, count: int) -> Figures:
    """The index is there; what is measured is opening it, and reading the newest.  `rebuild_s`: making it anew."""
    talk, _ = opened(folder, count)
    id, home = talk.id, talk.folder
    talk.close()
    times: list[float] = []

    def look() -> None:
        talk = Conversation(home, id)
        assert len(list(talk.newest(LISTED))) == LISTED
        talk.close()

    with machine.measuring():
        for _ in range(ROUNDS * 4):
            times.append(seconds(look))
        for file in talk.data.glob("index.db*"):
            file.unlink()
        rebuilt = seconds(look)
    return {
        "work": "newest",
        "count": count,
        "listed": LISTED,
        "median_ms": milliseconds(times),
        "max_ms": round(max(times) * 1e3, 1),
        "rebuild_s": round(rebuilt, 1),
    }


# -- what all of them share


def milliseconds(times: list[float]) -> float:
    return round(statistics.median(times) * 1e3, 2)


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    started = time.perf_counter()
    accepted = accept(Path(sys.argv[2]))
    print(json.dumps({"peak_mb": peak_mb(), "secs": round(time.perf_counter() - started, 1)}))
