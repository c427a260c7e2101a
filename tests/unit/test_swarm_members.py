"""Who comes into a conversation and who goes: each test breaks one thing of what was accepted, and names the rule."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.support.swarm import Actor, Swarm, actor, bring, broken, create, device_pem, refusal
from veche.swarm import paths, writing
from veche.swarm.certificates import first_certificate
from veche.swarm.history import History
from veche.swarm.messages import Initial, Member, Text, encode
from veche.swarm.model import Mode, State
from veche.swarm.paths import Target
from veche.swarm.writing import Draft

ALICE, BOB, CARLA, DENYS, ERIN = (actor(name) for name in ("alice", "bob", "carla", "denys", "erin"))


@pytest.fixture
def group() -> Swarm:
    """Alice's; Bob and Carla are in it, Denys is invited."""
    swarm = bring(create(), "bob", "carla")
    swarm.do(ALICE, writing.invite(swarm.state, ALICE.author, DENYS.uri))
    return swarm


# -- the first commit


FIRST = writing.create(ALICE.author, Mode.INVITES_ONLY)
OF_TWO = writing.create(ALICE.author, Mode.ONE_TO_ONE, BOB.uri)


@pytest.mark.parametrize("mode", list(Mode))
def test_the_first_commit_holds_the_creator_and_their_device(mode: Mode) -> None:
    """Rows: B14 (partly), B15 (partly), B125."""
    swarm = create("alice", mode, BOB.uri if mode is Mode.ONE_TO_ONE else "")
    [first] = swarm.commits.values()
    expected = {paths.admin(ALICE.uri), paths.device(ALICE.device)}
    message = b'{"mode":%d,"type":"initial"}' % mode
    if mode is Mode.ONE_TO_ONE:
        expected.add(paths.invited(BOB.uri))
        message = b'{"invited":"%s","mode":0,"type":"initial"}' % BOB.uri.encode()
    assert set(swarm.files[first.id]) == expected
    assert first.message == message
    assert swarm.state.conversation == first.id
    assert (swarm.state.mode, swarm.state.admins, swarm.state.members) == (mode, [ALICE.uri], [])


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({paths.admin(BOB.uri): BOB.author.account_pem}, "initial-files"),
        ({paths.member(BOB.uri): BOB.author.account_pem}, "initial-files"),
        ({paths.member(ALICE.uri): ALICE.author.account_pem}, "initial-files"),
        ({paths.device(BOB.device): BOB.author.device_pem}, "initial-files"),
        ({paths.invited(BOB.uri): b""}, "initial-files"),
        ({paths.crl(BOB.uri): b"x"}, "initial-files"),
        ({paths.PROFILE: b"BEGIN:VCARD"}, "initial-files"),
        ({paths.admin(ALICE.uri): None}, "initial-files"),
        ({paths.device(ALICE.device): None}, "initial-files"),
        ({f"CRLs/{ALICE.device}/{ALICE.device}/01.crl": b"x"}, "path"),
        ({"README": b""}, "path"),
        ({paths.admin(ALICE.uri): BOB.author.account_pem}, "account-certificate"),
        ({paths.device(ALICE.device): BOB.author.device_pem}, "device-certificate"),
        ({paths.device(ALICE.device): device_pem(ALICE, signer=BOB.account_key)}, "device-certificate"),
        ({paths.device(ALICE.device): device_pem(ALICE, datetime(2021, 1, 1, tzinfo=UTC))}, "expired"),
    ],
)
def test_the_first_commit_holds_nothing_else(files: dict[str, bytes | None], rule: str) -> None:
    """Rows: B34 (partly)."""
    assert broken(Swarm(), ALICE, FIRST, files=files) == rule


def test_the_first_commit_may_hold_the_creators_list_of_revoked_devices() -> None:
    """Every other client tolerates it under that name.  Rows: B14 (partly), B34 (partly)."""
    assert broken(Swarm(), ALICE, FIRST, files={paths.crl(ALICE.uri): b"x"}) == ""


def test_the_first_commit_is_by_the_creator() -> None:
    """Rows: B34 (partly)."""
    assert broken(Swarm(), ALICE, FIRST, by=BOB) == "initial-files"
    assert broken(Swarm(), ALICE, FIRST, key=BOB.device_key) == "signature"
    assert broken(Swarm(), ALICE, FIRST, by=BOB, files={paths.device(BOB.device): BOB.author.device_pem}) != ""
    foreign = {paths.device(BOB.device): device_pem(BOB, issuer_uid=ALICE.uri), paths.device(ALICE.device): None}
    assert broken(Swarm(), ALICE, FIRST, by=BOB, files=foreign) == "device-certificate"


@pytest.mark.parametrize(
    ("message", "rule"),
    [
        (b'{"mode":4,"type":"initial"}', "initial-mode"),
        (b'{"mode":-1,"type":"initial"}', "initial-mode"),
        (b'{"mode":"2","type":"initial"}', "initial-mode"),
        (b'{"mode":true,"type":"initial"}', "initial-mode"),
        (b'{"mode":2.5,"type":"initial"}', "initial-mode"),
        (b'{"mode":null,"type":"initial"}', "initial-mode"),
        (b'{"type":"initial"}', "initial-mode"),
        (b'{"mode":2,"type":"text/plain"}', "initial-type"),
        (b'{"mode":2}', "message"),
        (b"initial", "message"),
    ],
)
def test_the_first_commit_says_how_people_come_in(message: bytes, rule: str) -> None:
    """Rows: B12 (partly), B34 (partly), B125 (partly)."""
    assert broken(Swarm(), ALICE, FIRST, message=message) == rule


def test_a_conversation_of_two_says_who_the_other_is() -> None:
    """Rows: B08 (partly), B34 (partly)."""
    assert broken(Swarm(), ALICE, OF_TWO, message=b'{"mode":0,"type":"initial"}') == "initial-invited"
    other = encode(Initial(mode=0, invited=CARLA.uri))
    assert broken(Swarm(), ALICE, OF_TWO, message=other) == "initial-files"
    assert broken(Swarm(), ALICE, OF_TWO, files={paths.invited(CARLA.uri): b""}) == "initial-files"
    assert broken(Swarm(), ALICE, OF_TWO, files={paths.invited(BOB.uri): b"x"}) == "invited-file"
    assert broken(Swarm(), ALICE, OF_TWO, files={paths.invited(BOB.uri): None}) == ""


def test_a_second_root_is_refused(group: Swarm) -> None:
    """Rows: B34."""
    root = group.make(ALICE, FIRST, parents=())
    assert refusal(Swarm(), root) == ""
    history = History({})
    verdicts = [history.judge(commit) for commit in [*group.commits.values(), root]]
    assert verdicts[-1][:2] == (root.id, "second-root")


# -- invitations


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({paths.invited(ERIN.uri): b"x"}, "invited-file"),
        ({paths.invited(ERIN.uri): None}, "add-files"),
        ({paths.invited(actor("frank").uri): b""}, "files"),
        ({paths.invited(DENYS.uri): None}, "files"),
        ({paths.member(ERIN.uri): ERIN.author.account_pem}, "files"),
        ({paths.device(CARLA.device): None}, "files"),
        ({paths.member(BOB.uri): None}, "member"),
        ({paths.PROFILE: b""}, "files"),
        ({"x": b""}, "path"),
    ],
)
def test_an_invitation_is_one_empty_file(group: Swarm, files: dict[str, bytes | None], rule: str) -> None:
    """Rows: B38 (partly), B17 (partly)."""
    assert broken(group, BOB, writing.invite(group.state, BOB.author, ERIN.uri), files=files) == rule


def test_an_invitation_names_who_is_invited(group: Swarm) -> None:
    """Rows: B38, B43 (partly), B128 (partly)."""
    draft = writing.invite(group.state, BOB.author, ERIN.uri)
    assert draft.message == b'{"action":"add","type":"member","uri":"%s"}' % ERIN.uri.encode()

    def said(uri: str, action: str = "add") -> str:
        return broken(group, BOB, draft, message=encode(Member(action=action, uri=uri)))

    assert said(DENYS.uri) == "files"
    assert said("") == said("0" * 40) == said(ERIN.uri.upper()) == said(ERIN.uri[:-1]) == "member-uri"
    assert said(ERIN.device) == "member-uri"
    assert broken(group, BOB, draft, message=b'{"action":"add","type":"member"}') == "member-uri"
    assert said(ERIN.uri, "promote") == said(ERIN.uri, "") == "member-action"
    own = Draft({paths.invited(BOB.uri): b""}, encode(Member(action="add", uri=BOB.uri)))
    assert refusal(group, group.make(BOB, own)) == "add-self"
    assert broken(group, BOB, draft, key=CARLA.device_key) == "signature"
    assert broken(group, BOB, draft, by=DENYS) == "device"


def test_a_new_device_invites_and_brings_its_certificate(group: Swarm) -> None:
    """Rows: B24 (partly)."""
    second = actor("alice2")
    draft = writing.invite(group.state, second.author, ERIN.uri)
    assert set(draft.files) == {paths.invited(ERIN.uri), paths.device(second.device)}
    assert broken(group, second, draft, without=[paths.device(second.device)]) == "device"


def test_who_is_banned_is_not_invited(group: Swarm) -> None:
    """Rows: B38 (partly)."""
    group.do(ALICE, writing.vote(group.state, ALICE.author, "ban", CARLA.uri))
    group.do(ALICE, writing.resolve(group.state, ALICE.author, "ban", CARLA.uri))
    draft = writing.invite(group.state, BOB.author, ERIN.uri)
    files: dict[str, bytes | None] = {paths.invited(CARLA.uri): b""}
    message = encode(Member(action="add", uri=CARLA.uri))
    assert broken(group, BOB, draft, files=files, without=[paths.invited(ERIN.uri)], message=message) == "add-banned"


def test_a_conversation_of_two_has_no_third() -> None:
    """Rows: B08 (partly), B39."""
    swarm = create("alice", Mode.ONE_TO_ONE, BOB.uri)
    swarm.do(BOB, writing.join(swarm.state, BOB.author))
    assert (swarm.state.admins, swarm.state.members) == ([ALICE.uri], [BOB.uri])
    swarm.do(BOB, writing.leave(swarm.state, BOB.author))
    draft = writing.invite(swarm.state, ALICE.author, BOB.uri)
    third = {paths.invited(CARLA.uri): b""}
    message = encode(Member(action="add", uri=CARLA.uri))
    assert broken(swarm, ALICE, draft, files=third, without=[paths.invited(BOB.uri)], message=message) == "one-to-one"
    with pytest.raises(writing.CannotWrite, match="for two"):
        writing.invite(swarm.state, ALICE.author, CARLA.uri)


def test_notes_to_oneself_have_nobody_else() -> None:
    """Rows: B08 (partly)."""
    swarm = create("alice", Mode.ONE_TO_ONE, ALICE.uri)
    swarm.say(ALICE, "milk")
    swarm.say(actor("alice2"), "bread")
    assert swarm.state.people == [ALICE.uri]
    draft = Draft({paths.invited(BOB.uri): b""}, encode(Member(action="add", uri=BOB.uri)))
    assert refusal(swarm, swarm.make(ALICE, draft)) == "one-to-one"


@pytest.mark.parametrize("mode", list(Mode)[1:])
def test_only_admins_invite_where_they_alone_may(mode: Mode) -> None:
    """Rows: B09, B40, B10 (partly)."""
    swarm = bring(create("alice", mode), "bob")
    draft = writing.invite(swarm.state, ALICE.author, CARLA.uri)
    assert broken(swarm, ALICE, draft, by=BOB) == ("add-admin" if mode is Mode.ADMIN_INVITES_ONLY else "")


# -- coming


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({paths.invited(DENYS.uri): b""}, "join-files"),
        ({paths.invited(DENYS.uri): b"x"}, "join-files"),
        ({paths.member(DENYS.uri): None}, "member"),
        ({paths.device(DENYS.device): None}, "device"),
        ({paths.member(DENYS.uri): ERIN.author.account_pem}, "account-certificate"),
        ({paths.device(DENYS.device): device_pem(DENYS, signer=ERIN.account_key)}, "device-certificate"),
        ({paths.admin(DENYS.uri): DENYS.author.account_pem}, "files"),
        ({paths.member(ERIN.uri): ERIN.author.account_pem}, "files"),
        ({paths.device(BOB.device): None}, "files"),
        ({paths.device(ERIN.device): ERIN.author.device_pem}, "files"),
        ({paths.PROFILE: b""}, "files"),
        ({paths.admin(DENYS.uri): DENYS.author.account_pem, paths.member(DENYS.uri): None}, "files"),
    ],
)
def test_who_comes_brings_their_certificates_and_nothing_else(
    group: Swarm, files: dict[str, bytes | None], rule: str
) -> None:
    """Rows: B41, B20 (partly)."""
    assert broken(group, DENYS, writing.join(group.state, DENYS.author), files=files) == rule


def test_nobody_comes_for_somebody_else(group: Swarm) -> None:
    """Rows: B41 (partly)."""
    draft = writing.join(group.state, DENYS.author)
    assert broken(group, DENYS, draft, by=BOB) == "join-other"
    named = encode(Member(action="join", uri=ERIN.uri))
    assert broken(group, DENYS, draft, message=named) == "join-other"


@pytest.mark.parametrize("mode", list(Mode)[1:])
def test_nobody_comes_uninvited_in_any_mode(mode: Mode) -> None:
    """Rows: B10, B11 (partly)."""
    swarm = bring(create("alice", mode), "bob")
    state = swarm.state
    invited = State(state.conversation, mode, state.initial, {**state.files, paths.invited(CARLA.uri): b""})
    draft = writing.join(invited, CARLA.author)
    assert refusal(swarm, swarm.make(CARLA, draft)) == "join-uninvited"
    with pytest.raises(writing.CannotWrite, match="not invited"):
        writing.join(state, CARLA.author)


# -- going


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({paths.member(CARLA.uri): None}, "files"),
        ({paths.admin(ALICE.uri): None}, "files"),
        ({paths.device(CARLA.device): None}, "files"),
        ({paths.invited(DENYS.uri): None}, "files"),
        ({paths.invited(BOB.uri): b""}, "remove-files"),
        ({paths.admin(BOB.uri): BOB.author.account_pem}, "remove-files"),
        ({paths.device(ERIN.device): ERIN.author.device_pem}, "files"),
        ({paths.PROFILE: b""}, "files"),
        ({paths.device(BOB.device): None}, ""),
    ],
)
def test_who_leaves_takes_away_what_is_theirs(group: Swarm, files: dict[str, bytes | None], rule: str) -> None:
    """Other clients of today take their devices away too.  Rows: B43 (partly)."""
    assert broken(group, BOB, writing.leave(group.state, BOB.author), files=files) == rule


def test_nobody_removes_somebody_else(group: Swarm) -> None:
    """Rows: B43 (partly)."""
    draft = writing.leave(group.state, BOB.author)
    assert broken(group, BOB, draft, by=ALICE) == broken(group, BOB, draft, by=CARLA) == "remove-other"


def test_the_last_admin_may_leave_and_the_others_go_on(group: Swarm) -> None:
    group.do(ALICE, writing.leave(group.state, ALICE.author))
    group.say(BOB, "still here")
    assert group.state.admins == []
    assert ALICE.device in group.state.devices
    assert refusal(group, group.make(ALICE, Draft({}, encode(Text(body="x"))))) == "member"


# -- revoked devices


def revoked(by: Actor, whose: Actor) -> bytes:
    """The list of revoked certificates of an account, with one device on it."""
    serial = first_certificate(whose.author.device_pem).serial
    account = x509.load_pem_x509_certificate(by.author.account_pem)
    entry = (
        x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(datetime(2021, 1, 1, tzinfo=UTC)).build()
    )
    builder = x509.CertificateRevocationListBuilder(account.subject, revoked_certificates=[entry])
    builder = builder.last_update(datetime(2021, 1, 1, tzinfo=UTC)).next_update(datetime(2040, 1, 1, tzinfo=UTC))
    return builder.sign(by.account_key, hashes.SHA512()).public_bytes(serialization.Encoding.DER)


def test_a_list_in_the_repository_revokes_a_device_when_its_account_signed_it(group: Swarm) -> None:
    """No other list counts: there is no way to give one to the rules.  Rows: B48 (partly), B17 (partly)."""
    second = actor("alice2")
    group.say(second, "hi")
    for signer, rule in ((BOB, ""), (ALICE, "device-revoked")):
        draft = writing.invite(group.state, ALICE.author, ERIN.uri)
        files = {**draft.files, paths.crl(ALICE.uri): revoked(signer, second)}
        head = group.head
        group.do(ALICE, Draft(files, draft.message))
        assert refusal(group, group.make(second, Draft({}, encode(Text(body="x"))))) == rule
        group.say(ALICE, "the other device goes on")
        group.head = head


def test_the_grammar_of_paths() -> None:
    """Rows: B101."""
    uri, device = ALICE.uri, ALICE.device
    votes = [paths.vote(kind, where, device if where is Target.DEVICES else uri, uri)
             for kind in ("ban", "unban") for where in Target]  # fmt: skip
    banned = [paths.banned(where, device if where is Target.DEVICES else uri) for where in Target]
    good = [
        paths.admin(uri), paths.member(uri), paths.device(device), paths.invited(uri), paths.crl(uri), "profile.vcf",
        *votes, *banned,
    ]  # fmt: skip
    assert paths.vote("ban", Target.ADMINS, uri, uri) == f"votes/ban/admins/{uri}/{uri}"
    assert paths.banned(Target.INVITED, uri) == f"banned/invited/{uri}"
    assert paths.banned(Target.DEVICES, device) == f"banned/devices/{device}.crt"
    for path in good:
        assert paths.is_allowed(path)
        assert not paths.is_allowed(path + "x")
        assert not paths.is_allowed(path + "\n")
        assert not paths.is_allowed("/" + path)
        assert not paths.is_allowed(path.replace("/", ".", 1).replace("profile.", "profile_"))
        assert not paths.is_allowed(path.upper())
        parts = path.split("/")[:-1]
        assert all(paths.is_folder("/".join(parts[: at + 1])) for at in range(len(parts)))
        assert not paths.is_folder(path)
        assert len(parts) < paths.DEEPEST


def test_nobody_comes_twice(group: Swarm) -> None:
    """Other clients let members be invited; they cannot come again.  Rows: B41 (partly)."""
    group.do(ALICE, Draft({paths.invited(BOB.uri): b""}, encode(Member(action="add", uri=BOB.uri))))
    twice = Draft({paths.invited(BOB.uri): None}, encode(Member(action="join", uri=BOB.uri)))
    assert refusal(group, group.make(BOB, twice)) == "join-files"
