"""The bytes of messages as other clients write them, and what people see of a history."""

from __future__ import annotations

import json

import pytest

from tests.support.swarm import actor, bring, create
from veche.swarm import messages, writing
from veche.swarm.messages import Call, Edited, File, Initial, Member, Message, Profile, Text, Vote, encode
from veche.swarm.timeline import Entry, fold

U = "f805feaf5ce7f7ac5df022e5f45f61fae826845e"
C = "d2149d296f8cac552e9a110685329dc2f6619f42"


@pytest.mark.parametrize(
    ("message", "written"),
    [
        (Initial(mode=2), '{"mode":2,"type":"initial"}'),
        (Initial(mode=0, invited=U), f'{{"invited":"{U}","mode":0,"type":"initial"}}'),
        (Member(action="add", uri=U), f'{{"action":"add","type":"member","uri":"{U}"}}'),
        (Vote(uri=U), f'{{"type":"vote","uri":"{U}"}}'),
        (Profile(), '{"type":"application/update-profile"}'),
        (Text(body="a/b"), '{"body":"a/b","type":"text/plain"}'),
        (Text(body="x", reply_to=C), f'{{"body":"x","reply-to":"{C}","type":"text/plain"}}'),
        (Text(body="👍", react_to=C), f'{{"body":"\\ud83d\\udc4d","react-to":"{C}","type":"text/plain"}}'),
        (Text(body='é\n"\\'), '{"body":"\\u00e9\\n\\"\\\\","type":"text/plain"}'),
        (Edited(body="", edit=C), f'{{"body":"","edit":"{C}","type":"application/edited-message"}}'),
        (
            File(display_name="a.txt", sha3sum="00", tid="7", total_size="650"),
            '{"displayName":"a.txt","sha3sum":"00","tid":"7","totalSize":"650","type":"application/data-transfer+json"}',
        ),
        (Call(duration="5466", to=U), f'{{"duration":"5466","to":"{U}","type":"application/call-history+json"}}'),
        (
            Call(conf_id="1", device="d", uri=U),
            f'{{"confId":"1","device":"d","type":"application/call-history+json","uri":"{U}"}}',
        ),
        (
            Call(conf_id="1", device="d", uri=U, duration="2231"),
            f'{{"confId":"1","device":"d","duration":"2231","type":"application/call-history+json","uri":"{U}"}}',
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_message_has_the_bytes_that_other_clients_write(message: Message, written: str) -> None:
    """Rows: B23, B125, B126 (partly), B127 (partly), B128, B129 (partly)."""
    assert encode(message) == written.encode()
    assert messages.read(encode(message)) == json.loads(written)


def test_a_merge_is_no_json() -> None:
    assert messages.merge_message(C) == f"Merge commit '{C}'".encode()


def test_every_field_is_given_to_clients_as_a_text() -> None:
    shown = messages.shown(b'{"mode":2,"type":"initial","x":null,"y":[1],"z":"\\u00e9"}')
    assert shown == {"mode": "2", "type": "initial", "x": "null", "y": "[1]", "z": "é"}


@pytest.mark.parametrize(
    ("name", "tid", "expected"),
    [
        ("a.txt", "7", "7.txt"),
        ("x.tar.gz", "7", "7.gz"),
        ("README", "7", "7"),
        ("ends with.", "7", "7"),
        ("../../etc/passwd", "7", "7"),
        ("a./../../x", "7", "7"),
        ("a.b\\c", "7", "7"),
        ("a.b\0c", "7", "7"),
        ("a", "../7", "0"),
        ("a", "", "0"),
    ],
)
def test_the_name_under_which_a_file_is_kept_leads_nowhere_else(name: str, tid: str, expected: str) -> None:
    """Rows: B105 (partly)."""
    file = File(display_name=name, sha3sum="0", tid=tid, total_size="1")
    assert file.file_id(C) == f"{C}_{expected}"


def entry(id: str, author: str, kind: str = messages.TEXT, **fields: str) -> Entry:
    return Entry(id, author, "device", kind, 0, {key.replace("_", "-"): value for key, value in fields.items()})


def test_edits_and_reactions_are_folded_into_what_they_are_about() -> None:
    """Rows: B126 (partly), B127."""
    lines = fold(
        [
            entry("1", "alice", body="helo"),
            entry("2", "bob", body="👍", react_to="1"),
            entry("3", "bob", body="👍", react_to="1"),
            entry("4", "carla", body="👍", react_to="1"),
            entry("5", "alice", messages.EDITED, body="hello", edit="1"),
            entry("6", "bob", messages.EDITED, body="mine now", edit="1"),
            entry("7", "carla", messages.EDITED, body="", edit="4"),
            entry("8", "bob", messages.EDITED, body="", edit="5"),
            entry("9", "bob", body="x", react_to="nothing"),
        ]
    )
    [line] = lines
    assert (line.text, line.edited, line.deleted) == ("hello", True, False)
    assert line.reactions == {"👍": ["bob"]}


def test_an_empty_edit_deletes_and_an_unknown_type_says_so() -> None:
    """Rows: B127 (partly), B36 (partly)."""
    deleted, unknown = fold(
        [
            entry("1", "alice", body="oops"),
            entry("2", "alice", "application/x-new"),
            entry("3", "alice", messages.EDITED, body="", edit="1"),
            entry("4", "bob", "merge"),
            entry("5", "bob", messages.VOTE, uri="x"),
        ]
    )
    assert (deleted.text, deleted.deleted, deleted.is_unsupported) == ("", True, False)
    assert unknown.is_unsupported


def test_no_two_lines_share_their_reactions() -> None:
    first, second = fold(
        [entry("1", "a", body="x"), entry("2", "a", body="y"), entry("3", "b", body="👍", react_to="1")]
    )
    assert (first.reactions, second.reactions) == ({"👍": ["b"]}, {})


def test_what_cannot_be_done_is_said_before_it_is_written() -> None:
    swarm = bring(create(), "bob")
    alice, bob, carla = (actor(name).author for name in ("alice", "bob", "carla"))
    for act in (
        lambda: writing.invite(swarm.state, alice, alice.uri),
        lambda: writing.invite(swarm.state, alice, bob.uri),
        lambda: writing.invite(swarm.state, alice, "bob"),
        lambda: writing.invite(swarm.state, carla, bob.uri),
        lambda: writing.join(swarm.state, bob),
        lambda: writing.join(swarm.state, carla),
        lambda: writing.leave(swarm.state, carla),
        lambda: writing.leave(swarm.state, actor("alice2").author),
        lambda: writing.say(swarm.state, carla, Text(body="x")),
        lambda: writing.profile(swarm.state, bob, {"title": "x"}),
        lambda: writing.profile(swarm.state, alice, {"colour": "red"}),
        lambda: writing.profile(swarm.state, carla, {"title": "x"}),
        lambda: writing.vote(swarm.state, bob, "ban", alice.uri),
        lambda: writing.vote(swarm.state, alice, "ban", alice.uri),
        lambda: writing.vote(swarm.state, alice, "ban", carla.uri),
        lambda: writing.vote(swarm.state, alice, "unban", bob.uri),
        lambda: writing.vote(swarm.state, alice, "kick", bob.uri),
        lambda: writing.resolve(swarm.state, alice, "ban", bob.uri),
        lambda: writing.create(alice, swarm.state.mode, bob.uri),
    ):
        with pytest.raises(writing.CannotWrite) as refused:
            act()
        assert str(refused.value).endswith(".")
