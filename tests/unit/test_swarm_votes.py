"""Votes and bans: each test breaks one thing of what was accepted, or counts who must agree."""

from __future__ import annotations

import pytest

from tests.support.swarm import Swarm, actor, broken, device_pem, founded, refusal
from veche.swarm import paths, writing
from veche.swarm.messages import Member, Text, Vote, encode
from veche.swarm.model import State
from veche.swarm.paths import Target
from veche.swarm.writing import CannotWrite, Draft

ALICE, BOB, CARLA, DENYS, ERIN = (actor(name) for name in ("alice", "bob", "carla", "denys", "erin"))
NAMES = ("alice", "bob", "carla", "denys", "erin")


@pytest.fixture
def group() -> Swarm:
    """Alice and Bob are admins, Carla a member, Denys another one; Erin is invited."""
    swarm = founded(["alice", "bob"], "carla", "denys")
    swarm.do(ALICE, writing.invite(swarm.state, ALICE.author, ERIN.uri))
    return swarm


# -- votes


def test_a_vote_is_an_empty_file_whose_path_says_everything(group: Swarm) -> None:
    """Rows: B49, B129 (partly)."""
    expected = {
        ERIN.uri: f"votes/ban/invited/{ERIN.uri}/{ALICE.uri}",
        CARLA.uri: f"votes/ban/members/{CARLA.uri}/{ALICE.uri}",
        BOB.uri: f"votes/ban/admins/{BOB.uri}/{ALICE.uri}",
        CARLA.device: f"votes/ban/devices/{CARLA.device}/{ALICE.uri}",
    }
    for target, path in expected.items():
        draft = writing.vote(group.state, ALICE.author, "ban", target)
        assert draft.files == {path: b""}
        assert draft.message == b'{"type":"vote","uri":"%s"}' % target.encode()
        group.do(ALICE, draft)


VOTE = paths.vote("ban", Target.MEMBERS, CARLA.uri, ALICE.uri)


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({VOTE: b"yes"}, "vote-file"),
        ({VOTE: None, VOTE.replace("/ban/", "/kick/"): b""}, "path"),
        ({VOTE: None, VOTE.replace("members", "guests"): b""}, "path"),
        ({VOTE: None, paths.vote("ban", Target.MEMBERS, CARLA.uri, BOB.uri): b""}, "vote-voter"),
        ({VOTE: None, paths.vote("ban", Target.MEMBERS, ALICE.uri, ALICE.uri): b""}, "vote-target"),
        ({VOTE: None, paths.vote("ban", Target.ADMINS, CARLA.uri, ALICE.uri): b""}, "vote-target"),
        ({VOTE: None, paths.vote("ban", Target.INVITED, CARLA.uri, ALICE.uri): b""}, "vote-target"),
        ({VOTE: None, paths.vote("ban", Target.MEMBERS, DENYS.uri, ALICE.uri): b""}, "vote-target"),
        ({VOTE: None, paths.PROFILE: b""}, "files"),
        ({paths.vote("ban", Target.MEMBERS, DENYS.uri, ALICE.uri): b""}, "files"),
        ({paths.vote("unban", Target.MEMBERS, CARLA.uri, ALICE.uri): b""}, "files"),
        ({paths.member(CARLA.uri): None}, "files"),
        ({paths.device(CARLA.device): None}, "files"),
        ({paths.invited(ERIN.uri): None}, "files"),
        ({paths.PROFILE: b""}, "files"),
    ],
    ids=lambda value: str(value)[:60],  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
)
def test_a_vote_changes_nothing_else(group: Swarm, files: dict[str, bytes | None], rule: str) -> None:
    """Rows: B37 (partly)."""
    assert broken(group, ALICE, writing.vote(group.state, ALICE.author, "ban", CARLA.uri), files=files) == rule


def test_only_admins_vote_each_for_themselves(group: Swarm) -> None:
    """Rows: B37, B50."""
    draft = writing.vote(group.state, ALICE.author, "ban", CARLA.uri)
    by_denys: dict[str, bytes | None] = {paths.vote("ban", Target.MEMBERS, CARLA.uri, DENYS.uri): b""}
    assert broken(group, ALICE, draft, by=DENYS) == "vote-admin"
    assert broken(group, ALICE, draft, by=DENYS, files=by_denys, without=[VOTE]) == "vote-admin"
    assert broken(group, ALICE, draft, by=ERIN) == "device"
    assert broken(group, ALICE, draft, by=BOB) == "vote-voter"
    assert broken(group, ALICE, draft, key=BOB.device_key) == "signature"
    assert broken(group, ALICE, draft, message=encode(Vote(uri=DENYS.uri))) == "vote-target"
    with pytest.raises(CannotWrite, match="Only admins"):
        writing.vote(group.state, DENYS.author, "ban", CARLA.uri)


@pytest.mark.parametrize(
    ("where", "target"), [(Target.ADMINS, ALICE.uri), (Target.MEMBERS, ALICE.uri), (Target.DEVICES, ALICE.device)]
)
def test_nobody_votes_about_themselves(group: Swarm, where: Target, target: str) -> None:
    """Rows: B37 (partly)."""
    draft = Draft({paths.vote("ban", where, target, ALICE.uri): b""}, encode(Vote(uri=target)))
    assert refusal(group, group.make(ALICE, draft)) == "vote-self"


def test_a_vote_is_given_once_and_not_taken_back(group: Swarm) -> None:
    """Rows: B37 (partly)."""
    group.do(ALICE, writing.vote(group.state, ALICE.author, "ban", CARLA.uri))
    back = Draft({VOTE: None}, encode(Vote(uri=CARLA.uri)))
    assert refusal(group, group.make(ALICE, back)) == "vote-file"
    by_bob = Draft({**writing.vote(group.state, BOB.author, "ban", CARLA.uri).files, VOTE: None}, back.message)
    assert refusal(group, group.make(BOB, by_bob)) == "files"
    with pytest.raises(CannotWrite, match="already"):
        writing.vote(group.state, ALICE.author, "ban", CARLA.uri)


def test_a_device_that_is_not_there_cannot_be_voted_about(group: Swarm) -> None:
    """Rows: B37 (partly)."""
    for kind in ("ban", "unban"):
        path = paths.vote(kind, Target.DEVICES, ERIN.device, ALICE.uri)
        assert refusal(group, group.make(ALICE, Draft({path: b""}, encode(Vote(uri=ERIN.device))))) == "vote-target"


def test_a_vote_without_a_file_does_nothing(group: Swarm) -> None:
    """Every other client accepts it."""
    draft = Draft({}, encode(Vote(uri=CARLA.uri)))
    assert refusal(group, group.make(DENYS, draft)) == ""


def test_an_admins_new_device_votes_and_brings_its_certificate(group: Swarm) -> None:
    """Rows: B24 (partly), B37 (partly)."""
    second = actor("alice2")
    draft = writing.vote(group.state, second.author, "ban", CARLA.uri)
    own = paths.device(second.device)
    assert broken(group, second, draft, without=[own]) == "device"
    assert broken(group, second, draft, files={paths.device(ERIN.device): ERIN.author.device_pem}) == "files"


# -- how many must agree


def voted(admins: int, votes: int, target: str = "frank") -> Swarm:
    """A group of so many admins, of whom so many voted to ban Frank, a member."""
    swarm = founded(NAMES[:admins], "frank")
    for name in NAMES[:votes]:
        swarm.do(actor(name), writing.vote(swarm.state, actor(name).author, "ban", actor(target).uri))
    return swarm


@pytest.mark.parametrize("admins", [1, 2, 3, 4, 5])
def test_more_than_half_of_the_admins_decide_and_half_are_believed(admins: int) -> None:
    """What others resolved with half of the votes is accepted; no device of ours does.  Rows: B51."""
    frank = actor("frank")
    for votes in range(admins + 1):
        swarm = voted(admins, votes)
        decided = writing.is_decided(swarm.state, "ban", frank.uri)
        assert decided == (votes * 2 > admins)
        files: dict[str, bytes | None] = {path: None for path in swarm.state.files if path.startswith("votes/")}
        files |= {paths.member(frank.uri): None, paths.banned(Target.MEMBERS, frank.uri): frank.author.account_pem}
        draft = Draft(files, encode(Member(action="ban", uri=frank.uri)))
        expected = "" if votes and votes * 2 >= admins else "ban-votes"
        assert refusal(swarm, swarm.make(ALICE, draft)) == expected
        if decided:
            assert writing.resolve(swarm.state, ALICE.author, "ban", frank.uri) == draft
        else:
            with pytest.raises(CannotWrite, match="more than half"):
                writing.resolve(swarm.state, ALICE.author, "ban", frank.uri)


def test_only_votes_of_admins_count() -> None:
    """One who was an admin when they voted, and has left since, does not count.  Rows: B42 (partly)."""
    swarm = voted(3, 2)
    swarm.do(BOB, writing.leave(swarm.state, BOB.author))
    frank = actor("frank")
    assert not writing.is_decided(swarm.state, "ban", frank.uri)
    swarm.do(CARLA, writing.vote(swarm.state, CARLA.author, "ban", frank.uri))
    swarm.do(CARLA, writing.resolve(swarm.state, CARLA.author, "ban", frank.uri))
    assert not any(path.startswith("votes/") for path in swarm.state.files)


# -- bans


@pytest.mark.parametrize("where", list(Target))
def test_a_ban_moves_the_file_and_takes_the_votes_away(group: Swarm, where: Target) -> None:
    """Rows: B52, B101 (partly)."""
    target = {
        Target.ADMINS: BOB.uri, Target.MEMBERS: CARLA.uri, Target.INVITED: ERIN.uri, Target.DEVICES: CARLA.device
    }[where]  # fmt: skip
    state = group.state
    for by in (ALICE,) if where is Target.ADMINS else (ALICE, BOB):
        group.do(by, writing.vote(group.state, by.author, "ban", target))
    if where is Target.ADMINS:  # of two admins one is a half: others resolve it so
        files = {path: None for path in group.state.files if path.startswith("votes/")}
        moved = {paths.admin(BOB.uri): None, paths.banned(where, BOB.uri): BOB.author.account_pem}
        group.do(ALICE, Draft({**files, **moved}, encode(Member(action="ban", uri=target))))
    else:
        group.do(ALICE, writing.resolve(group.state, ALICE.author, "ban", target))
    gone = paths.standing(where, target)
    expected = {path: data for path, data in state.files.items() if path != gone}
    assert group.state.files == {**expected, paths.banned(where, target): state.files[gone]}
    assert group.state.banned == [target]


BAN_FILE = paths.banned(Target.MEMBERS, CARLA.uri)
BY_BOB = paths.vote("ban", Target.MEMBERS, CARLA.uri, BOB.uri)


@pytest.fixture
def decided(group: Swarm) -> Swarm:
    """Both admins have voted to ban Carla."""
    for by in (ALICE, BOB):
        group.do(by, writing.vote(group.state, by.author, "ban", CARLA.uri))
    group.do(ALICE, writing.vote(group.state, ALICE.author, "ban", DENYS.uri))
    return group


@pytest.mark.parametrize(
    ("files", "without", "rule"),
    [
        ({}, [VOTE, BY_BOB], "ban-votes"),
        ({}, [VOTE], ""),  # half of the votes
        ({VOTE: b"x"}, [], "ban-votes"),
        ({}, [BAN_FILE], "ban-files"),
        ({BAN_FILE: None}, [], "ban-files"),
        ({BAN_FILE: b"x"}, [], "ban-files"),
        ({BAN_FILE: DENYS.author.account_pem}, [], "ban-files"),
        ({}, [paths.member(CARLA.uri)], "ban-files"),
        ({paths.banned(Target.MEMBERS, DENYS.uri): DENYS.author.account_pem}, [], "ban-files"),
        ({paths.banned(Target.MEMBERS, DENYS.uri): DENYS.author.account_pem, BAN_FILE: None}, [], "ban-files"),
        ({paths.banned(Target.ADMINS, CARLA.uri): CARLA.author.account_pem, BAN_FILE: None}, [], "ban-files"),
        ({paths.member(DENYS.uri): None}, [], "files"),
        ({paths.admin(BOB.uri): None}, [], "files"),
        ({paths.device(DENYS.device): None}, [], "files"),
        ({paths.device(CARLA.device): None}, [], ""),  # meant by other clients, though they never do it
        ({paths.device(ERIN.device): ERIN.author.device_pem}, [], "files"),
        ({paths.vote("ban", Target.MEMBERS, DENYS.uri, ALICE.uri): None}, [], "files"),
        ({paths.vote("unban", Target.MEMBERS, CARLA.uri, ALICE.uri): b""}, [], "files"),
        ({paths.invited(ERIN.uri): None}, [], "files"),
        ({paths.PROFILE: b"x"}, [], "files"),
    ],
    ids=lambda value: str(value)[:50],  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
)
def test_a_ban_moves_one_file_and_nothing_else(
    decided: Swarm, files: dict[str, bytes | None], without: list[str], rule: str
) -> None:
    """Rows: B42 (partly)."""
    draft = writing.resolve(decided.state, ALICE.author, "ban", CARLA.uri)
    assert broken(decided, ALICE, draft, files=files, without=without) == rule


def test_only_admins_resolve_and_say_whom(decided: Swarm) -> None:
    """Rows: B42, B128 (partly)."""
    draft = writing.resolve(decided.state, ALICE.author, "ban", CARLA.uri)
    assert draft.message == b'{"action":"ban","type":"member","uri":"%s"}' % CARLA.uri.encode()
    assert broken(decided, ALICE, draft, by=DENYS) == "ban-admin"
    assert broken(decided, ALICE, draft, by=CARLA) == "member"
    assert broken(decided, ALICE, draft, key=BOB.device_key) == "signature"
    assert broken(decided, ALICE, draft, message=encode(Member(action="ban", uri=DENYS.uri))) == "ban-files"
    assert broken(decided, ALICE, draft, message=encode(Member(action="unban", uri=CARLA.uri))) == "ban-files"
    assert broken(decided, ALICE, draft, message=encode(Member(action="remove", uri=CARLA.uri))) == "remove-other"
    assert broken(decided, ALICE, draft, message=encode(Member(action="ban", uri="x"))) == "member-uri"


def test_who_is_banned_writes_no_more_whatever_time_they_give(decided: Swarm) -> None:
    """Rows: B47 (partly)."""
    before = decided.head
    decided.do(ALICE, writing.resolve(decided.state, ALICE.author, "ban", CARLA.uri))
    words = Draft({}, encode(Text(body="x")))
    for time in (0, 1, decided.now_s - 100, decided.now_s + 100):
        assert refusal(decided, decided.make(CARLA, words, time=time)) == "member"
    assert refusal(decided, decided.make(CARLA, words, parents=(before,), time=decided.now_s + 100)) == ""
    with pytest.raises(CannotWrite, match="no longer"):
        writing.say(decided.state, CARLA.author, Text(body="x"))


def test_a_ban_of_a_device_leaves_the_others_of_its_owner(group: Swarm) -> None:
    """Rows: B53, B47."""
    second = actor("alice2")
    group.say(second, "stolen soon")
    group.do(ALICE, writing.vote(group.state, ALICE.author, "ban", second.device))
    group.do(BOB, writing.vote(group.state, BOB.author, "ban", second.device))
    group.do(ALICE, writing.resolve(group.state, ALICE.author, "ban", second.device))
    words = encode(Text(body="x"))
    assert refusal(group, group.make(second, Draft({}, words), time=group.now_s - 1000)) == "device-banned"
    again = Draft({paths.device(second.device): second.author.device_pem}, words)
    assert refusal(group, group.make(second, again)) == "device-banned"
    group.say(ALICE, "the other one")
    assert ALICE.uri in group.state.admins
    with pytest.raises(CannotWrite, match="banned"):
        writing.say(group.state, second.author, Text(body="x"))


@pytest.mark.parametrize(("name", "where"), [("carla", Target.MEMBERS), ("erin", Target.INVITED)])
def test_who_is_let_in_again_is_what_they_were(group: Swarm, name: str, where: Target) -> None:
    """Rows: B55."""
    who, before = actor(name), dict(group.state.files)
    for kind in ("ban", "unban"):
        for by in (ALICE, BOB):
            draft = writing.vote(group.state, by.author, kind, who.uri)
            assert list(draft.files) == [f"votes/{kind}/{where}/{who.uri}/{by.uri}"]
            with pytest.raises(CannotWrite):
                writing.resolve(group.state, by.author, kind, who.uri)
            group.do(by, draft)
        group.do(ALICE, writing.resolve(group.state, ALICE.author, kind, who.uri))
    assert group.state.files == before
    assert group.state.banned == []
    if where is Target.MEMBERS:
        group.say(who, "back again")
    else:
        group.do(who, writing.join(group.state, who.author))


def test_the_end_of_a_ban_needs_its_own_votes(decided: Swarm) -> None:
    """Rows: B55 (partly)."""
    decided.do(ALICE, writing.resolve(decided.state, ALICE.author, "ban", CARLA.uri))
    for by in (ALICE, BOB):
        decided.do(by, writing.vote(decided.state, by.author, "unban", CARLA.uri))
    draft = writing.resolve(decided.state, ALICE.author, "unban", CARLA.uri)
    votes = [path for path in draft.files if path.startswith("votes/")]
    assert broken(decided, ALICE, draft, without=votes) == "ban-votes"
    assert broken(decided, ALICE, draft, files={paths.member(CARLA.uri): DENYS.author.account_pem}) == "ban-files"
    foreign = {paths.device(ERIN.device): ERIN.author.device_pem}
    assert broken(decided, ALICE, draft, files=foreign) == "files"
    forged = {paths.device(ERIN.device): device_pem(ERIN, issuer_uid=CARLA.uri)}
    assert broken(decided, ALICE, draft, files=forged) == "certificate"
    assert broken(decided, ALICE, draft, files={paths.device(ERIN.device): b"x"}) == "files"
    assert broken(decided, ALICE, draft, files={paths.admin(CARLA.uri): CARLA.author.account_pem}) == "files"


def test_the_times_of_commits_order_no_ban(decided: Swarm) -> None:
    """The same commits with their dates turned round have the same outcome.  Rows: B45."""

    def outcome(times: list[int]) -> tuple[list[str], list[str], list[str]]:
        swarm = founded(["alice", "bob"], "carla")
        dates = iter(times)
        for by in (ALICE, BOB):
            swarm.do(by, writing.vote(swarm.state, by.author, "ban", CARLA.uri), time=next(dates))
        swarm.do(ALICE, writing.resolve(swarm.state, ALICE.author, "ban", CARLA.uri), time=next(dates))
        assert refusal(swarm, swarm.make(CARLA, Draft({}, encode(Text(body="x"))), time=next(dates))) == "member"
        return swarm.state.admins, swarm.state.members, swarm.state.banned

    assert outcome([1, 2, 3, 4]) == outcome([4, 3, 2, 1]) == outcome([5, 5, 5, 5])
    assert isinstance(decided.state, State)


def test_one_who_was_banned_in_one_half_and_invited_in_the_other_can_be_let_in_again(group: Swarm) -> None:
    """Both files are there after the merge; only the one under banned/ is taken away."""
    head = group.head
    for by in (ALICE, BOB):
        group.do(by, writing.vote(group.state, by.author, "ban", ERIN.uri))
    banned = group.do(ALICE, writing.resolve(group.state, ALICE.author, "ban", ERIN.uri))
    frank = actor("frank")
    group.do(CARLA, writing.invite(group.states[head], CARLA.author, frank.uri), on=head)
    group.merge(CARLA, banned, group.head)
    again: dict[str, bytes | None] = {paths.invited(ERIN.uri): b""}
    group.do(CARLA, Draft(again, encode(Member(action="add", uri=ERIN.uri))))
    for by in (ALICE, BOB):
        group.do(by, writing.vote(group.state, by.author, "unban", ERIN.uri))
    group.do(ALICE, writing.resolve(group.state, ALICE.author, "unban", ERIN.uri))
    assert (group.state.invited, group.state.banned) == (sorted([ERIN.uri, frank.uri]), [])
