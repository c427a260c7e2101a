"""What a device keeps on this machine: slots, locks, trusted servers."""

from __future__ import annotations

import errno
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from veche.client.events import Place
from veche.client.people import People, unseen
from veche.client.slots import Busy, StateDirectory, StateError, slot_without_memory, state_directory
from veche.packets.contacts import Contact, Relation
from veche.packets.presence import Status
from veche.packets.profile import Profile

AT, LATER = "2026-01-01T00:00:00Z", "2026-01-01T00:05:00Z"


@pytest.fixture
def state(tmp_path: Path) -> StateDirectory:
    return StateDirectory(tmp_path / "state")


def test_two_terminals_of_one_person_are_two_devices(state: StateDirectory) -> None:
    """Rows: X05 (partly)."""
    first = state.take_slot("home", 3215, "alice", device="laptop")
    second = state.take_slot("home", 3215, "alice", device="laptop")
    assert (first.device, second.device) == ("laptop", "laptop 2")
    first.release()
    second.release()


def test_a_terminal_that_is_started_again_is_the_device_that_it_was(state: StateDirectory) -> None:
    slot = state.take_slot("home", 3215, "alice", device="laptop-1")
    slot.keep(Place("laptop-1", "token", 17), "server")
    slot.release()
    again = state.take_slot("home", 3215, "alice", device="laptop-2")
    assert again.place("server") == Place("laptop-1", "token", 17)
    again.release()


def test_accounts_and_servers_have_slots_of_their_own(state: StateDirectory) -> None:
    slots = [
        state.take_slot("home", 3215, "alice", device="laptop"),
        state.take_slot("home", 3216, "alice", device="laptop"),
        state.take_slot("home", 3215, "bob", device="laptop"),
        state.take_slot("::1", 3215, "../../etc/x", device="laptop"),
    ]
    assert {slot.device for slot in slots} == {"laptop"}
    for slot in slots:
        slot.release()


def test_another_server_at_the_same_address_gets_neither_token_nor_cursor(state: StateDirectory) -> None:
    slot = state.take_slot("home", 3215, "alice", device="laptop")
    slot.keep(Place("laptop", "token", 17), "old server")
    assert slot.place("new server") == Place("laptop", None, 0)
    slot.release()


def test_a_chosen_device_is_that_one_or_none(state: StateDirectory) -> None:
    slot = state.take_slot("home", 3215, "alice", device="bot/α", is_chosen=True)
    with pytest.raises(Busy):
        state.take_slot("home", 3215, "alice", device="bot/α", is_chosen=True)
    slot.release()
    state.take_slot("home", 3215, "alice", device="bot/α", is_chosen=True).release()


def test_a_file_that_was_damaged_is_a_new_device(state: StateDirectory, tmp_path: Path) -> None:
    slot = state.take_slot("home", 3215, "alice", device="laptop")
    slot.keep(Place("laptop", "token", 17), "server")
    slot.release()
    (path,) = (tmp_path / "state").rglob("1.json")
    path.write_bytes(b'{"device": "lap')
    again = state.take_slot("home", 3215, "alice", device="other")
    assert again.place("server") == Place("other", None, 0)
    again.release()


def test_the_people_are_remembered_and_nobody_is_there_for_sure(state: StateDirectory) -> None:
    """Rows: M37 (partly)."""
    there = Contact(id="bob@home", name="bob", status=Status.ONLINE, presence=AT, relation=Relation.MUTUAL)
    gone = Contact(id="carol@home", name="carol", status=Status.OFFLINE, presence=AT, relation=Relation.MUTUAL)
    people = People(me="alice@home", contacts={one.id: one for one in (there, gone)}, profile=Profile(name="Al"))
    slot = state.take_slot("home", 3215, "alice", device="laptop")
    assert slot.people("server") is None
    slot.keep_people(people, "server", LATER)
    slot.release()
    assert state.has_slot("home", 3215, "alice")
    assert not state.has_slot("home", 3215, "bob")
    again = state.take_slot("home", 3215, "alice", device="laptop")
    found = again.people("server")
    assert found is not None
    assert found == unseen(people, LATER)
    assert (found.contacts["bob@home"].presence, found.contacts["carol@home"].presence) == (LATER, AT)
    assert again.people("another server") is None
    again.forget_people()
    assert again.people("server") is None
    again.forget_people()
    again.release()


def test_a_damaged_list_of_people_is_none(state: StateDirectory, tmp_path: Path) -> None:
    slot = state.take_slot("home", 3215, "alice", device="laptop")
    slot.keep_people(People(me="alice@home"), "server", AT)
    (path,) = (tmp_path / "state").rglob("1.contacts")
    path.write_bytes(b'{"server": "server", "me": 7}')
    assert slot.people("server") is None
    slot.release()


def test_a_device_without_memory_forgets_and_fails_at_nothing() -> None:
    """Rows: M38 (partly)."""
    slot = slot_without_memory("laptop")
    slot.keep(Place("laptop", "token", 17), "server")
    assert slot.place("server") == Place("laptop", "token", 17)
    slot.keep_people(People(me="alice@home"), "server", AT)
    assert slot.people("server") is None
    slot.release()


def test_what_was_left_is_used_where_nothing_can_be_written(
    state: StateDirectory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only disk, which a test may not mount: opening a file to write it fails as there.  Rows: M38 (partly)."""
    slot = state.take_slot("home", 3215, "alice", device="laptop")
    slot.keep(Place("laptop", "token", 17), "server")
    slot.release()
    opened: Any = Path.open

    def read_only(path: Path, mode: str) -> Any:
        if mode != "rb":
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))
        return opened(path, mode)

    def no_file(path: Path, *_: object) -> int:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), str(path))

    monkeypatch.setattr(Path, "open", read_only)
    monkeypatch.setattr("veche.client.slots.os.open", no_file)
    again = state.take_slot("home", 3215, "alice", device="other")
    assert again.place("server") == Place("laptop", "token", 17)
    again.keep(Place("laptop", "token", 18), "server")
    assert again.place("server").cursor == 18, "as long as it runs"
    state.prefer("bell", False)
    again.release()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_what_logs_in_can_be_read_by_its_owner_only(state: StateDirectory, tmp_path: Path) -> None:
    slot = state.take_slot("home", 3215, "alice", device="laptop")
    slot.keep(Place("laptop", "token", 17), "server")
    slot.release()
    state.trust("home", 3215, "00" * 32)
    slot.keep_people(People(me="alice@home"), "server", AT)
    for path in [*(tmp_path / "state").rglob("*.json"), *(tmp_path / "state").rglob("*.contacts")]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for path in (tmp_path / "state", *(p for p in (tmp_path / "state").rglob("*") if p.is_dir())):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StateError, match="cannot be used"):
        StateDirectory(tmp_path / "state").take_slot("home", 3215, "alice", device="laptop")


def test_a_file_in_the_place_of_the_directory_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_bytes(b"")
    with pytest.raises(StateError, match="cannot be used"):
        StateDirectory(tmp_path / "state").take_slot("home", 3215, "alice", device="laptop")


def test_servers_are_trusted_one_by_one(state: StateDirectory) -> None:
    assert state.trusted("home", 3215) is None
    state.trust("home", 3215, "aa")
    state.trust("::1", 3215, "bb")
    state.trust("home", 3215, "cc")
    assert (state.trusted("home", 3215), state.trusted("::1", 3215), state.trusted("home", 1)) == ("cc", "bb", None)


def test_preferences_are_remembered(state: StateDirectory) -> None:
    assert state.preferences() == {}
    state.prefer("bell", False)
    state.prefer("typing", True)
    assert state.preferences() == {"bell": False, "typing": True}


def test_the_directory_is_where_the_system_wants_it(tmp_path: Path) -> None:
    if sys.platform == "win32":
        assert state_directory({"LOCALAPPDATA": str(tmp_path)}, Path("/h")) == tmp_path / "veche"
        return
    assert state_directory({"XDG_STATE_HOME": "/x"}, Path("/h")) == Path("/x/veche")
    assert state_directory({}, Path("/h")) == Path("/h/.local/state/veche")
    assert state_directory({"XDG_STATE_HOME": "relative"}, Path("/h")) == Path("/h/.local/state/veche")
