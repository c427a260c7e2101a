"""What is kept beside conversations, and how one is removed."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest

from tests.support.histories import person
from veche.peer import quarantine, removal
from veche.peer.removal import Stage
from veche.peer.repository import Conversation, conversations
from veche.peer.state_files import AccountFiles, ConversationFiles, ConvInfo, ConvRequest, WaitingFile
from veche.swarm import writing
from veche.swarm.model import Mode
from veche.swarm.reading import BadPreference, Marker

msgpack: Any = importlib.import_module("msgpack")  # it has no types
ID, ONE, TWO = "c" * 40, "1" * 40, "2" * 40
ME = "a" * 40


def test_infos_and_requests_have_the_form_of_other_clients(tmp_path: Path) -> None:
    """Rows: B56 (partly)."""
    files = AccountFiles(tmp_path)
    files.save_info(ConvInfo(id=ID, created=5, members=[ME], lastDisplayed=ONE))
    files.save_request(ConvRequest(conversationId=ID, from_=ME, metadatas={"mode": "2"}, received=7))
    info = {"id": ID, "created": 5, "removed": 0, "erased": 0, "members": [ME], "lastDisplayed": ONE}
    assert msgpack.unpackb((tmp_path / "convInfo").read_bytes()) == {ID: info}
    request = {"conversationId": ID, "from": ME, "metadatas": {"mode": "2"}, "received": 7, "declined": 0}
    assert msgpack.unpackb((tmp_path / "convRequests").read_bytes()) == {ID: request}
    theirs: Any = {ID: {"id": ID, "created": 1, "members": [], "unknown": 9}}
    (tmp_path / "convInfo").write_bytes(msgpack.packb(theirs))
    assert files.infos()[ID] == ConvInfo(id=ID, created=1)
    files.forget_request(ID)
    files.forget_info(ID)
    assert (files.infos(), files.requests()) == ({}, {})


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\1\2\3", b"\xdf\xff\xff\xff\xff", b"\x81" * 5000])
def test_a_damaged_file_is_put_aside_and_not_lost(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "convInfo").write_bytes(data)
    assert AccountFiles(tmp_path).infos() == {}
    assert (tmp_path / "convInfo.damaged").read_bytes() == data


def later(one: str, other: str) -> bool:
    return one > other


def test_the_five_cases_of_how_far_one_has_seen(tmp_path: Path) -> None:
    """Rows: B80, B81, B82, B83, B84."""
    files = ConversationFiles(tmp_path, ID)
    assert files.seen_elsewhere(ME, ONE, is_here=True, is_later=later) == Marker(ONE)  # none of ours
    before = (files.folder / "lastDisplayed").stat().st_mtime_ns
    assert files.seen_elsewhere(ME, ONE, is_here=True, is_later=later) == Marker(ONE)  # the same
    assert (files.folder / "lastDisplayed").stat().st_mtime_ns == before
    assert files.seen_elsewhere(ME, TWO, is_here=False, is_later=later) == Marker(ONE, TWO)  # not here yet
    assert msgpack.unpackb((files.folder / "lastDisplayed").read_bytes()) == {ME: ONE, "cached": TWO}
    assert files.arrived(ME, TWO, later) == Marker(TWO)
    assert files.seen_elsewhere(ME, ONE, is_here=True, is_later=later) == Marker(TWO)  # earlier
    three = "3" * 40
    assert files.wrote(ME, three) == Marker(three)  # one's own
    assert ConversationFiles(tmp_path, ID).marker(ME) == Marker(three)


def test_preferences_are_checked_and_the_newer_ones_stand(tmp_path: Path) -> None:
    """Rows: B85, B86 (partly), B87 (partly), B88 (partly), B89 (partly)."""
    files = ConversationFiles(tmp_path, ID)
    assert files.preferences_for_sync() == {}
    with pytest.raises(BadPreference):
        files.set_preferences({"color": "red"})
    files.set_preferences({"color": "#3a7bd5", "symbol": "🎈"})
    assert files.set_preferences({"ignoreNotifications": "true"})["color"] == "#3a7bd5"
    told = files.preferences_for_sync()
    at = int(told["lastModified"])
    other = ConversationFiles(tmp_path / "other", ID)
    assert other.take_preferences(told)
    assert other.preferences() == files.preferences()
    assert not other.take_preferences({"color": "#000000", "lastModified": str(at)})
    assert other.take_preferences({"color": "#000000", "fileSizeLimit": "many", "lastModified": str(at + 5)})
    assert other.preferences() == {"color": "#000000"}
    assert int(other.preferences_for_sync()["lastModified"]) == at + 5


def test_files_are_kept_under_ids_that_lead_nowhere_else(tmp_path: Path) -> None:
    """Rows: B105 (partly)."""
    files = ConversationFiles(tmp_path, ID)
    picture = tmp_path / "harbour.jpg"
    picture.write_bytes(b"jpg")
    link = files.link_file(f"{ONE}_42.jpg", picture)
    assert link == tmp_path / "conversation_data" / ID / f"{ONE}_42.jpg"
    assert link.read_bytes() == b"jpg"
    assert files.link_file(f"{ONE}_42.jpg", picture) == link
    for bad in ("", "../x", ".hidden", "a\\b", "a\0b"):
        with pytest.raises(ValueError, match="no file id"):
            files.link_file(bad, picture)
    files.set_waiting({f"{ONE}_42.jpg": WaitingFile(path=str(picture), totalSize=3)})
    assert ConversationFiles(tmp_path, ID).waiting()[f"{ONE}_42.jpg"].totalSize == 3


def pair(tmp_path: Path) -> tuple[Conversation, Conversation]:
    """A conversation of Alice's that Bob has joined, and his copy."""
    alice, bob = person("Alice"), person("Bob")
    talk = Conversation.create(tmp_path / "a", alice, Mode.INVITES_ONLY)
    talk.write(alice, lambda state, author: writing.invite(state, author, bob.uri))
    pack = tmp_path / "pack"
    quarantine.offer(talk.store.objects, talk.head, pack)
    theirs = quarantine.clone(tmp_path / "b", talk.id, pack, talk.head, "Alice")
    theirs.write(bob, writing.join)
    quarantine.offer(theirs.store.objects, theirs.head, pack, talk.index)
    quarantine.pull(talk, pack, theirs.head, "Bob", alice)
    return talk, theirs


def test_a_conversation_of_oneself_goes_at_once(tmp_path: Path) -> None:
    """Rows: B59."""
    alice = person("Alice")
    talk = Conversation.create(tmp_path, alice, Mode.PUBLIC)
    removal.note(tmp_path, talk, alice.uri, 5)
    assert removal.remove(tmp_path, talk, alice, 10) is Stage.ERASED
    assert conversations(tmp_path) == []
    assert not list((tmp_path / "conversation_data").iterdir())
    info = AccountFiles(tmp_path).infos()[talk.id]
    assert (info.created, info.removed, info.erased) == (5, 10, 10)


def test_a_conversation_with_others_waits_until_one_of_them_knows(tmp_path: Path) -> None:
    """Rows: B58 (partly), B60, B61 (partly)."""
    alice, bob = person("Alice"), person("Bob")
    talk, theirs = pair(tmp_path)
    removal.note(tmp_path / "a", talk, alice.uri, 5)
    assert AccountFiles(tmp_path / "a").infos()[talk.id].members == [bob.uri]
    assert removal.listed(tmp_path / "a") == [talk.id]
    assert removal.remove(tmp_path / "a", talk, alice, 10) is Stage.REMOVED
    assert removal.listed(tmp_path / "a") == []
    assert next(talk.newest(1)).message == {"action": "remove", "type": "member", "uri": alice.uri}
    assert ConversationFiles(tmp_path / "a", talk.id).sending() == [talk.head]
    assert removal.acknowledged(tmp_path / "a", talk, alice.device, alice, 11) is Stage.REMOVED
    pack = tmp_path / "pack"
    quarantine.offer(talk.store.objects, talk.head, pack, theirs.index)
    quarantine.pull(theirs, pack, talk.head, "Alice", bob)
    assert theirs.state.people == [bob.uri]
    assert removal.acknowledged(tmp_path / "a", talk, bob.device, alice, 12) is Stage.ERASED
    assert conversations(tmp_path / "a") == []
    assert removal.stage(tmp_path / "a", talk.id) is Stage.ERASED


def test_what_one_device_removes_goes_from_the_others(tmp_path: Path) -> None:
    """Rows: B56, B61."""
    alice = person("Alice")
    talk = Conversation.create(tmp_path, alice, Mode.PUBLIC)
    talk.close()
    removal.note(tmp_path, Conversation(tmp_path, talk.id), alice.uri, 5)
    assert removal.take_infos(tmp_path, {talk.id: ConvInfo(id=talk.id, created=5, removed=8)}) == []
    assert (removal.listed(tmp_path), conversations(tmp_path)) == ([], [talk.id])
    assert removal.take_infos(tmp_path, {talk.id: ConvInfo(id=talk.id, created=5, removed=8, erased=9)}) == [talk.id]
    assert conversations(tmp_path) == []
    assert removal.take_infos(tmp_path, {talk.id: ConvInfo(id=talk.id, created=5)}) == []
    assert removal.stage(tmp_path, talk.id) is Stage.ERASED
