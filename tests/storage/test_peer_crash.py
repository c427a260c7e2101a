"""A writer that is killed, and two that write at once: the history is what it was, or has the new commit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.histories import person
from veche.peer import identity
from veche.peer.files import Busy, locked, write_whole
from veche.peer.repository import Conversation
from veche.peer.verify import Accepted, verify
from veche.swarm.messages import Text
from veche.swarm.model import Mode

WRITER = """
import sys
from pathlib import Path
from veche.peer import identity
from veche.peer.repository import Conversation
from veche.swarm.messages import Text
folder, id, name, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4])
me = identity.load(folder)
talk = Conversation(folder, id)
for number in range(count):
    print(talk.say(me, Text(body=f"{name} {number}")), flush=True)
"""


def writer(folder: Path, id: str, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), id, name, str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def checked(talk: Conversation) -> list[str]:
    """The texts of a history that holds, oldest first."""
    assert isinstance(verify(talk.store.objects, talk.head, workers=1), Accepted)
    done = subprocess.run(
        ["git", "--git-dir", str(talk.store.folder), "fsck", "--strict", "--full"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return [line.message["body"] for line in reversed(list(talk.newest())) if line.type == "text/plain"]


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL")
def test_a_writer_that_is_killed_leaves_a_history_that_holds(tmp_path: Path) -> None:
    alice = person("Alice")
    identity.save(alice, tmp_path)
    talk = Conversation.create(tmp_path, alice, Mode.PUBLIC)
    talk.close()
    acknowledged: list[str] = []
    for turn in range(6):
        process = writer(tmp_path, talk.id, f"turn {turn},", 100_000)
        assert process.stdout is not None
        for _ in range(1 + 3 * turn):
            acknowledged.append(process.stdout.readline().strip())
        process.send_signal(signal.SIGKILL)
        acknowledged += process.stdout.read().split()
        process.stdout.close()
        process.wait()
        again = Conversation(tmp_path, talk.id)
        texts = checked(again)
        ids = [line.id for line in again.newest()]
        assert set(acknowledged) <= set(ids)
        assert len(texts) >= len(acknowledged)
        again.say(alice, Text(body="still here"))
        acknowledged.append(again.head)
        again.close()


def test_two_processes_that_write_at_once_take_turns(tmp_path: Path) -> None:
    """Rows: B99 (partly)."""
    alice = person("Alice")
    identity.save(alice, tmp_path)
    talk = Conversation.create(tmp_path, alice, Mode.PUBLIC)
    processes = [writer(tmp_path, talk.id, name, 25) for name in ("one", "two")]
    for number in range(25):
        talk.say(alice, Text(body=f"here {number}"))
    for process in processes:
        process.communicate(timeout=100)
        assert process.returncode == 0
    again = Conversation(tmp_path, talk.id)
    texts = checked(again)
    assert len(texts) == 75
    for name in ("one", "two", "here"):
        assert [text for text in texts if text.startswith(name)] == [f"{name} {number}" for number in range(25)]
    assert [line.type for line in again.newest()].count("merge") == 0
    again.close()
    talk.close()


def test_a_lock_that_is_held_is_said(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), pytest.raises(Busy), locked(tmp_path / "lock", wait=False):
        pass
    with locked(tmp_path / "lock", wait=False):
        pass


def test_a_file_is_whole_or_what_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_whole(path, b"old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError):  # noqa: PT011 - which one depends on the system
        write_whole(tmp_path / "folder", b"new")
    with pytest.raises(OSError):  # noqa: PT011
        write_whole(tmp_path / "missing" / "file", b"new")
    assert path.read_bytes() == b"old"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "folder"]
