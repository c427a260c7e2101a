"""What every commit of a conversation must be: each test breaks one thing of what was accepted, and names the rule."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.support.swarm import (
    Actor,
    Swarm,
    account_pem,
    actor,
    bring,
    broken,
    create,
    device_pem,
    founded,
    issue,
    pem,
    refusal,
)
from veche.swarm import card, messages, paths, writing
from veche.swarm.history import History
from veche.swarm.messages import Edited, File, Member, Profile, Text, encode
from veche.swarm.model import Commit, Mode, Rejected, State
from veche.swarm.rules import apply, judge
from veche.swarm.writing import Draft

ALICE, BOB, CARLA, DENYS, ERIN = (actor(name) for name in ("alice", "bob", "carla", "denys", "erin"))
PAST = datetime(2021, 1, 1, tzinfo=UTC)
AFTER_ALL = 2_600_000_000
"""Later than the certificates of the actors hold."""


@pytest.fixture(scope="module")
def group() -> Swarm:
    """Alice's; Bob and Carla are in it, Denys is invited, Erin left."""
    swarm = bring(create(), "bob", "carla", "erin")
    swarm.do(ERIN, writing.leave(swarm.state, ERIN.author))
    swarm.do(ALICE, writing.invite(swarm.state, ALICE.author, DENYS.uri))
    return swarm


def text(swarm: Swarm, by: Actor, body: str = "hello") -> Draft:
    return writing.say(swarm.state, by.author, Text(body=body))


# -- who writes


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        pytest.param({paths.device(BOB.device): None}, "device", id="no file of the device"),
        pytest.param({paths.member(BOB.uri): None}, "member", id="no file of the account"),
        pytest.param(
            {paths.device(BOB.device): CARLA.author.device_pem}, "device-certificate", id="another device's certificate"
        ),
        pytest.param({paths.device(BOB.device): b""}, "device-certificate", id="no certificate of the device"),
        pytest.param(
            {paths.device(BOB.device): device_pem(BOB, issuer_uid="")}, "device-certificate", id="one of nobody"
        ),
        pytest.param(
            {paths.device(BOB.device): device_pem(BOB, signer=CARLA.account_key)},
            "device-certificate",
            id="a forged one",
        ),
        pytest.param(
            {paths.device(BOB.device): device_pem(BOB, issuer_uid=ALICE.uri)}, "device-certificate", id="as an admin's"
        ),
        pytest.param(
            {paths.device(BOB.device): device_pem(BOB, issuer_uid=DENYS.uri)}, "member", id="of one who is not in it"
        ),
        pytest.param(
            {paths.member(BOB.uri): CARLA.author.account_pem}, "account-certificate", id="another account's certificate"
        ),
        pytest.param({paths.member(BOB.uri): b"x"}, "account-certificate", id="no certificate of the account"),
        pytest.param({paths.device(BOB.device): device_pem(BOB, PAST)}, "expired", id="the device's has ended"),
        pytest.param({paths.member(BOB.uri): account_pem(BOB, PAST)}, "expired", id="the account's has ended"),
    ],
)
def test_a_commit_is_by_a_device_that_its_own_tree_allows(
    group: Swarm, files: dict[str, bytes | None], rule: str
) -> None:
    """Rows: B32."""
    assert broken(group, BOB, text(group, BOB), files=files) == rule


def test_a_certificate_holds_at_the_time_of_its_commit(group: Swarm) -> None:
    """Rows: B32 (partly)."""
    assert broken(group, BOB, text(group, BOB), time=AFTER_ALL) == "expired"


@pytest.mark.parametrize(("by", "rule"), [(DENYS, "device"), (ERIN, "member")])
def test_who_is_only_invited_or_has_left_does_not_write(group: Swarm, by: Actor, rule: str) -> None:
    """Rows: B32 (partly), B22 (partly)."""
    assert broken(group, BOB, text(group, BOB), by=by) == rule


def test_who_is_only_invited_does_not_bring_a_device(group: Swarm) -> None:
    """Rows: B32 (partly)."""
    files = {paths.device(DENYS.device): DENYS.author.device_pem}
    assert broken(group, BOB, text(group, BOB), by=DENYS, files=files) == "member"


def test_the_first_word_of_a_new_device_brings_its_certificate(group: Swarm) -> None:
    """Rows: B24, B32 (partly)."""
    second = actor("alice2")
    draft = text(group, second)
    assert set(draft.files) == {paths.device(second.device)}
    assert broken(group, second, draft, without=draft.files) == "device"


@pytest.mark.parametrize("mail", ["", "x", "A" * 64, "f" * 63, "../" * 21])
def test_an_author_is_a_device(group: Swarm, mail: str) -> None:
    """Rows: B32 (partly)."""
    commit = group.make(BOB, text(group, BOB))._replace(device=mail)
    assert refusal(group, commit) == "device"


BREAKS: dict[str, Callable[[Commit], Commit]] = {
    "none": lambda commit: commit._replace(signature=b""),
    "no Base64": lambda commit: commit._replace(signature=b"%%%"),
    "cut": lambda commit: commit._replace(signature=commit.signature[:-8]),
    "shifted": lambda commit: commit._replace(signature=commit.signature[4:] + b"AAAA"),
    "of other bytes": lambda commit: commit._replace(signed=commit.signed + b" "),
}


@pytest.mark.parametrize("how", BREAKS)
def test_every_commit_is_signed_by_its_device(group: Swarm, how: str) -> None:
    """Rows: B36 (partly), B32 (partly)."""
    commit = group.make(BOB, text(group, BOB))
    assert refusal(group, commit) == ""
    assert refusal(group, BREAKS[how](commit)) == "signature"


def test_no_other_device_signs(group: Swarm) -> None:
    """Rows: B36 (partly), B32 (partly)."""
    assert broken(group, BOB, text(group, BOB), key=CARLA.device_key) == "signature"


# -- what it says


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"hello",
        b"[]",
        b'"text/plain"',
        b"{}",
        b'{"body":"x"}',
        b'{"type":""}',
        b'{"type":5}',
        b'{"type":null}',
        b'{"type":"text/plain"',
        b'{"type":"text/plain"} x',
        b'{"type":"\xff"}',
        b'{"type":"text/plain","x":"\xff"}',
        b'{"type":"t","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b"Merge commit '" + b"0" * 40 + b"'",
    ],
    ids=lambda message: repr(message[:30]),
)
def test_a_message_is_a_json_object_with_a_type(group: Swarm, message: bytes) -> None:
    """Rows: B35, B43 (partly)."""
    assert broken(group, BOB, text(group, BOB), message=message) == "message"


def test_any_spelling_of_json_is_read(group: Swarm) -> None:
    """Rows: B35 (partly)."""
    spelled = b'\t{ "type" : "text\\/plain",\n"body":"\\u00e9\xc3\xa9" , "other": [1, {"a": null}] }\r\n'
    assert broken(group, BOB, text(group, BOB), message=spelled) == ""


def test_a_huge_message_is_refused(group: Swarm) -> None:
    """Rows: B31 (partly)."""
    body = "x" * messages.LARGEST_MESSAGE
    assert broken(group, BOB, text(group, BOB), message=encode(Text(body=body))) == "message-size"


@pytest.mark.parametrize("kind", ["application/x-new", "image/png", "vote2", "merge"])
def test_an_unknown_type_is_kept_when_it_changes_no_file(group: Swarm, kind: str) -> None:
    """Rows: B36 (partly), B43 (partly)."""
    message = b'{"type":"%s"}' % kind.encode()
    assert broken(group, BOB, text(group, BOB), message=message) == ""
    assert broken(group, BOB, text(group, BOB), message=message, files={paths.invited(ERIN.uri): b""}) == "files"


def test_how_people_come_in_never_changes(group: Swarm) -> None:
    """Rows: B12."""
    for mode in range(4):
        message = encode(messages.Initial(mode=mode))
        assert broken(group, ALICE, text(group, ALICE), message=message) == "initial-again"
    assert group.state.mode is Mode.INVITES_ONLY


# -- which files a text may touch


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({paths.PROFILE: b"BEGIN:VCARD"}, "files"),
        ({paths.invited(ERIN.uri): b""}, "files"),
        ({paths.invited(DENYS.uri): None}, "files"),
        ({paths.member(CARLA.uri): None}, "files"),
        ({paths.member(CARLA.uri): account_pem(CARLA)}, "files"),
        ({paths.admin(BOB.uri): BOB.author.account_pem}, "files"),
        ({paths.device(CARLA.device): None}, "files"),
        ({paths.device(actor("alice2").device): actor("alice2").author.device_pem}, "files"),
        ({paths.vote("ban", paths.Target.MEMBERS, CARLA.uri, BOB.uri): b""}, "files"),
        ({paths.banned(paths.Target.MEMBERS, CARLA.uri): CARLA.author.account_pem}, "files"),
        ({paths.crl(BOB.uri): b"x"}, "files"),
        ({"README.md": b"x"}, "path"),
        ({"devices/" + "F" * 64 + ".crt": b"x"}, "path"),
        ({"invited/" + "0" * 39: b""}, "path"),
        ({"invited/" + "0" * 40 + "/x": b""}, "path"),
        ({"profile.vcf\n": b""}, "path"),
        ({"members.x": b""}, "path"),
        ({f"votes/Ban/members/{CARLA.uri}/{BOB.uri}": b""}, "path"),
        ({f"votes/ban/members/{CARLA.device}/{BOB.uri}": b""}, "path"),
        ({f"votes/ban/devices/{CARLA.uri}/{BOB.uri}": b""}, "path"),
        ({f"CRLs/{BOB.device}/{BOB.device}/01.crl": b""}, "path"),
    ],
    ids=lambda value: str(value)[:50],  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
)
def test_a_text_changes_no_file(group: Swarm, files: dict[str, bytes | None], rule: str) -> None:
    """Rows: B36, B101 (partly)."""
    assert broken(group, BOB, text(group, BOB), files=files) == rule


@pytest.mark.parametrize("mode", [0o120000, 0o100755, 0o160000, 0o40000, 0])
def test_every_file_is_a_plain_one(group: Swarm, mode: int) -> None:
    """Rows: B101 (partly)."""
    path = paths.invited(ERIN.uri)
    draft = writing.invite(group.state, BOB.author, ERIN.uri)
    assert broken(group, BOB, draft, modes={path: mode}) == "file-mode"


def test_a_device_renews_its_own_certificates(group: Swarm) -> None:
    """Rows: B36 (partly)."""
    later = datetime(2060, 1, 1, tzinfo=UTC)
    device, account = paths.device(BOB.device), paths.member(BOB.uri)
    renewed = Actor(
        "bob", BOB.account_key, BOB.device_key,
        writing.Author(BOB.uri, BOB.device, account_pem(BOB, later), device_pem(BOB, later)),
    )  # fmt: skip
    draft = text(group, renewed)
    assert set(draft.files) == {device, account}
    assert broken(group, BOB, draft, files={account: CARLA.author.account_pem}) == "account-certificate"
    assert broken(group, BOB, draft, by=CARLA) == "files"


# -- edits


def test_only_what_one_wrote_oneself_is_edited(group: Swarm) -> None:
    """Rows: B127 (partly), B43 (partly)."""
    head = group.head
    mine, other = group.say(BOB, "helo"), group.say(CARLA, "hi")
    file = File(display_name="a.txt", sha3sum="0" * 128, tid="1", total_size="1")
    sent = group.do(BOB, writing.say(group.state, BOB.author, file))
    reacted = group.do(BOB, writing.say(group.state, BOB.author, Text(body="👍", react_to=other)))
    edit = writing.say(group.state, BOB.author, Edited(body="hello", edit=mine))

    def breaks(id: str) -> str:
        return broken(group, BOB, edit, message=encode(Edited(body="hello", edit=id)))

    assert breaks(sent) == breaks(reacted) == ""
    assert breaks(other) == "edit-author"
    assert breaks("0" * 40) == breaks("") == breaks(mine[:-1]) == "edit-unknown"
    join = next(id for id, commit in group.commits.items() if commit.device == BOB.device and b"join" in commit.message)
    assert breaks(join) == "edit-type"
    assert broken(group, BOB, edit, message=encode(Edited(body="", edit=mine))) == ""
    assert broken(group, BOB, edit, files={paths.invited(DENYS.uri): None}) == "files"
    disguised = b'{"body":"x","edit":"%s","type":"text/plain"}' % other.encode()
    assert broken(group, BOB, edit, message=disguised) == "edit-author"
    group.head = head


# -- the card


def test_only_admins_change_the_card_and_nothing_with_it(group: Swarm) -> None:
    """Rows: B75, B77."""
    draft = writing.profile(group.state, ALICE.author, {"title": "Tea"})
    assert draft.message == encode(Profile())
    assert broken(group, ALICE, draft, by=BOB) == "profile-admin"
    assert broken(group, ALICE, draft, files={paths.invited(ERIN.uri): b""}) == "files"
    assert broken(group, ALICE, draft, files={paths.PROFILE: b"x" * (card.LARGEST_CARD + 1)}) == "profile-size"
    assert broken(group, ALICE, draft, files={paths.PROFILE: b"x" * card.LARGEST_CARD}) == ""
    second = actor("alice2")
    draft = writing.profile(group.state, second.author, {"title": "Tea"})
    assert set(draft.files) == {paths.PROFILE, paths.device(second.device)}
    assert refusal(group, group.make(second, draft)) == ""


# -- the fold itself


def test_a_commit_that_changes_no_file_shares_the_state(group: Swarm) -> None:
    """Thousands of texts keep one state in memory."""
    commit = group.make(BOB, text(group, BOB))
    assert apply(group.state, commit, group.told.get) is group.state


def test_apply_gives_a_state_or_what_is_wrong(group: Swarm) -> None:
    """Rows: B28 (partly)."""
    commit = group.make(BOB, text(group, BOB))
    assert isinstance(apply(group.state, commit, group.told.get), State)
    assert isinstance(apply(None, commit, group.told.get), Rejected)
    refused = apply(group.state, commit._replace(signature=b""), group.told.get)
    assert refused == Rejected(commit.id, "signature", "Its signature is missing.")


def test_several_admins_are_all_admins() -> None:
    """The support of these tests itself."""
    swarm = founded(["alice", "bob"], "carla")
    assert swarm.state.admins == sorted([ALICE.uri, BOB.uri])
    assert swarm.state.members == [CARLA.uri]
    assert Member(action="add", uri=DENYS.uri) == Member(action="add", uri=DENYS.uri)


def test_a_certificate_is_renewed_by_who_issued_it(group: Swarm) -> None:
    """Rows: B36 (partly)."""
    other = pem(issue(BOB.account_key.public_key(), ("Jami", BOB.uri), ("Jami CA", "0" * 40), BOB.account_key))
    assert broken(group, BOB, text(group, BOB), files={paths.member(BOB.uri): account_pem(BOB)}) == ""
    assert broken(group, BOB, text(group, BOB), files={paths.member(BOB.uri): other}) == "certificate"


def test_a_history_begins_with_the_first_commit_and_has_no_gap(group: Swarm) -> None:
    """Rows: B29 (partly)."""
    first, second, third, *_ = group.commits.values()
    history = History({})
    assert isinstance(history.judge(second), Rejected)
    assert not isinstance(history.judge(first), Rejected)
    gap = history.judge(third)
    assert isinstance(gap, Rejected)
    assert gap.rule == "parent"
    again = judge(group.state, first, group.told.get)
    assert isinstance(again, Rejected)
    assert again.rule == "second-root"
    alone = judge(None, second, group.told.get)
    assert isinstance(alone, Rejected)
    assert alone.rule == "root"


def test_a_text_takes_no_file_of_its_author_away() -> None:
    """Alice is an admin and a member at once, as a merge can make it."""
    swarm = create()
    state, member = swarm.state, paths.member(ALICE.uri)
    files = {**state.files, member: ALICE.author.account_pem}
    swarm.files[swarm.head] = files
    swarm.states[swarm.head] = State(state.conversation, state.mode, state.initial, files)
    assert broken(swarm, ALICE, text(swarm, ALICE), files={member: None}) == "files"
