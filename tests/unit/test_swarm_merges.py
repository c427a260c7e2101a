"""Merges: what may be in them, whose card stays, and what two bans against each other come to."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations

import pytest

from tests.support.swarm import Swarm, actor, bring, create, founded, refusal
from veche.swarm import card, paths, writing
from veche.swarm.bans import Ban, Freed, freed, outcome
from veche.swarm.messages import Member, encode, merge_message
from veche.swarm.model import State
from veche.swarm.paths import Target
from veche.swarm.writing import CannotWrite, Draft

ALICE, BOB, CARLA, DENYS, ERIN = (actor(name) for name in ("alice", "bob", "carla", "denys", "erin"))


@pytest.fixture
def forked() -> tuple[Swarm, str, str]:
    """Alice invited Denys while Bob was away and invited Erin."""
    swarm = bring(create(), "bob", "carla")
    start = swarm.head
    ours = swarm.do(ALICE, writing.invite(swarm.state, ALICE.author, DENYS.uri))
    theirs = swarm.do(BOB, writing.invite(swarm.states[start], BOB.author, ERIN.uri), on=start)
    return swarm, ours, theirs


def merged(swarm: Swarm, ours: str, theirs: str, **files: bytes | None) -> str:
    """By which rule a merge is refused that has other files than it should."""
    whole = writing.merge(swarm.states[ours], swarm.base(ours, theirs), swarm.states[theirs], (ours, theirs))
    draft = Draft({**whole, **{NAMES.get(key, key): data for key, data in files.items()}}, merge_message(theirs))
    return refusal(swarm, swarm.make(ALICE, draft, parents=(ours, theirs)))


NAMES = {
    "denys": paths.invited(DENYS.uri),
    "erin": paths.invited(ERIN.uri),
    "frank": paths.invited(actor("frank").uri),
    "bob": paths.member(BOB.uri),
    "carlas_device": paths.device(CARLA.device),
    "card": paths.PROFILE,
}


def test_a_merge_has_what_both_have_changed(forked: tuple[Swarm, str, str]) -> None:
    """Rows: B33 (partly)."""
    swarm, ours, theirs = forked
    swarm.merge(CARLA, ours, theirs)
    assert swarm.state.invited == sorted([DENYS.uri, ERIN.uri])
    merge = swarm.commits[swarm.head]
    assert merge.message == b"Merge commit '%s'" % theirs.encode()
    swarm.merge(CARLA, theirs, ours)
    assert swarm.state.invited == sorted([DENYS.uri, ERIN.uri])


@pytest.mark.parametrize(
    ("files", "rule"),
    [
        ({}, ""),
        ({"denys": None}, "merge-files"),
        ({"erin": None}, "merge-files"),
        ({"denys": None, "erin": None}, "merge-files"),
        ({"frank": b""}, "merge-files"),
        ({"denys": b"x"}, "merge-files"),
        ({"bob": None}, "merge-files"),
        ({"bob": CARLA.author.account_pem}, "merge-files"),
        ({"carlas_device": None}, "merge-files"),
        ({"card": b"BEGIN:VCARD"}, "merge-files"),
        ({"README": b"x"}, "path"),
    ],
    ids=str,
)
def test_a_merge_smuggles_nothing(forked: tuple[Swarm, str, str], files: dict[str, bytes | None], rule: str) -> None:
    """Rows: B33."""
    assert merged(*forked, **files) == rule


def test_a_merge_has_two_parents_and_an_author(forked: tuple[Swarm, str, str]) -> None:
    """Rows: B33 (partly)."""
    swarm, ours, theirs = forked
    good = swarm.make_merge(ALICE, ours, theirs)
    assert refusal(swarm, good) == ""
    assert refusal(swarm, good._replace(signature=b"")) == "signature"
    assert refusal(swarm, swarm.make_merge(DENYS, ours, theirs)) == "device"
    third = swarm.say(CARLA, "x", on=ours)
    draft = Draft({}, good.message)
    assert refusal(swarm, swarm.make(ALICE, draft, parents=(ours, theirs, third))) == "merge-parents"
    assert refusal(swarm, swarm.make(ALICE, draft, parents=(ours, ours))) == "merge-parents"
    as_text = swarm.make(ALICE, Draft({paths.invited(ERIN.uri): b""}, b'{"type":"text/plain"}'), parents=(ours, theirs))
    assert refusal(swarm, as_text) == ""  # what a merge says means nothing


# -- the card


def test_the_card_of_the_greater_head_stays_in_every_order() -> None:
    """Rows: B78."""
    for round in range(6):
        swarm = bring(create(), "bob")
        start = swarm.do(ALICE, writing.profile(swarm.state, ALICE.author, {"title": f"Tea {round}"}))
        second = actor("alice2")
        one = swarm.do(ALICE, writing.profile(swarm.states[start], ALICE.author, {"title": "Coffee"}), on=start)
        swarm.do(second, writing.profile(swarm.states[start], second.author, {"description": "at five"}), on=start)
        other = swarm.say(second, "the head counts, not the commit of the card")
        cards = {one: swarm.files[one][paths.PROFILE], other: swarm.files[other][paths.PROFILE]}
        for heads in ((one, other), (other, one)):
            head = swarm.merge(BOB, *heads)
            assert swarm.files[head][paths.PROFILE] == cards[max(heads)]
            lesser = Draft(
                {**writing.merge(swarm.states[heads[0]], swarm.states[start], swarm.states[heads[1]], heads),
                 paths.PROFILE: cards[min(heads)]}, merge_message(heads[1]),
            )  # fmt: skip
            assert refusal(swarm, swarm.make(BOB, lesser, parents=heads)) == "merge-files"


def test_two_first_cards_are_a_conflict_as_others_have_it() -> None:
    """Rows: B78 (partly)."""
    swarm = bring(create(), "bob")
    start = swarm.head
    one = swarm.do(ALICE, writing.profile(swarm.state, ALICE.author, {"title": "Tea"}))
    second = actor("alice2")
    other = swarm.do(second, writing.profile(swarm.states[start], second.author, {"title": "Coffee"}), on=start)
    with pytest.raises(CannotWrite, match=r"profile\.vcf"):
        swarm.make_merge(BOB, one, other)


def test_a_card_is_what_other_clients_write() -> None:
    """Rows: B74 (partly)."""
    empty = b"BEGIN:VCARD\nVERSION:2.1\nPHOTO;ENCODING=BASE64\n\n\nEND:VCARD"
    assert card.write(card.Card()) == empty
    full = card.Card(title="Чай", description="at: five", avatar="AAAA", rdv_account="a", rdv_device="d")
    assert (
        card.write(full)
        == (
            "BEGIN:VCARD\nVERSION:2.1\nFN:Чай\nDESCRIPTION:at: five\nPHOTO;ENCODING=BASE64:AAAA\n"
            "RDV_ACCOUNT:a\n\nRDV_DEVICE:d\n\nEND:VCARD"
        ).encode()
    )
    assert card.read(card.write(full)) == full
    assert card.infos(empty, 2) == {"mode": "2"}
    for bad in ("a\nb", "a\rb", "a\0b"):
        with pytest.raises(card.BadCard):
            card.write(card.Card(title=bad))


# -- bans against each other


Facts = tuple[list[str], list[str], list[str]]


def facts(state: State) -> Facts:
    return state.admins, state.members, state.banned


def ban(swarm: Swarm, on: str, voters: Iterable[str], target: str) -> str:
    """Let these admins ban somebody, from a commit on.  At least half of all admins, as others believe it."""
    head = on
    names = list(voters)
    for name in names:
        head = swarm.do(actor(name), writing.vote(swarm.states[head], actor(name).author, "ban", target), on=head)
    where = writing.where_stands(swarm.states[head], "ban", target)
    gone = paths.standing(where, target)
    files: dict[str, bytes | None] = {
        path: None for path in swarm.files[head] if path.startswith(f"votes/ban/{where}/{target}/")
    }
    files |= {gone: None, paths.banned(where, target): swarm.files[head][gone]}
    return swarm.do(actor(names[0]), Draft(files, encode(Member(action="ban", uri=target))), on=head)


def merge_all(swarm: Swarm, heads: Iterable[str], by: str = "carla") -> State:
    """Merge heads one after the other, as Carla's device gets them."""
    first, *more = heads
    for head in more:
        first = swarm.merge(actor(by), first, head)
    return swarm.states[first]


def test_of_two_admins_who_banned_each_other_the_lower_hash_stays_in_every_order() -> None:
    """Rows: B46 (partly)."""
    for round in range(6):
        swarm = founded(["alice", "denys"], "carla", "erin")
        start = swarm.say(CARLA, f"begin {round}")
        one, other = ban(swarm, start, ["alice"], DENYS.uri), ban(swarm, start, ["denys"], ALICE.uri)
        winner, loser = (ALICE, DENYS) if one < other else (DENYS, ALICE)
        branches = [swarm.say(CARLA, "a", on=one), swarm.say(ERIN, "b", on=other), one, other]
        found = {str(facts(merge_all(swarm, order))) for order in permutations(branches)}
        expected = ([winner.uri], sorted([CARLA.uri, ERIN.uri]), [loser.uri])
        assert found == {str(expected)}
        swarm.say(winner, "the winner goes on")
        assert refusal(swarm, swarm.make(loser, Draft({}, b'{"type":"text/plain"}'))) == "member"


def test_of_bans_against_each_other_the_one_with_more_votes_stays() -> None:
    """Rows: B46 (partly)."""
    for round in range(4):
        swarm = founded(["alice", "bob", "denys", "erin"], "carla")
        start = swarm.say(CARLA, f"begin {round}")
        one = ban(swarm, start, ["alice", "bob", "erin"], DENYS.uri)
        other = ban(swarm, start, ["denys", "erin"], ALICE.uri)
        for order in permutations([one, other, swarm.say(CARLA, "x", on=start)]):
            state = merge_all(swarm, order)
            assert facts(state) == (sorted([ALICE.uri, BOB.uri, ERIN.uri]), [CARLA.uri], [DENYS.uri])


def test_bans_of_others_stand_beside_each_other() -> None:
    """Two halves that banned a member and an invited one have both banned.  Rows: B46 (partly)."""
    swarm = founded(["alice", "denys"], "carla", "bob", "frank")
    start = swarm.head
    one, other = ban(swarm, start, ["alice"], BOB.uri), ban(swarm, start, ["denys"], actor("frank").uri)
    third = ban(swarm, start, ["denys"], actor("bob").device)
    for order in permutations([one, other, third]):
        state = merge_all(swarm, order)
        assert state.banned == sorted([BOB.uri, actor("frank").uri, BOB.device])
        assert state.members == [CARLA.uri]


def test_a_merge_by_other_clients_has_the_same_outcome() -> None:
    """They merge files alone: both are moved away, and both copies are accepted.  Rows: B46 (partly)."""
    swarm = founded(["alice", "denys"], "carla")
    one, other = ban(swarm, swarm.head, ["alice"], DENYS.uri), None
    start = swarm.commits[swarm.commits[one].parents[0]].parents[0]
    other = ban(swarm, start, ["denys"], ALICE.uri)
    plain: dict[str, bytes | None] = {
        paths.admin(ALICE.uri): None,
        paths.banned(Target.ADMINS, ALICE.uri): ALICE.author.account_pem,
    }
    theirs = swarm.make(CARLA, Draft(plain, merge_message(other)), parents=(one, other))
    assert refusal(swarm, theirs) == ""
    assert set(swarm.files[theirs.id]) & {paths.admin(ALICE.uri), paths.admin(DENYS.uri)} == set()
    ours = swarm.make_merge(CARLA, one, other)
    assert refusal(swarm, ours) == ""
    winner = ALICE if one < other else DENYS
    assert paths.admin(winner.uri) in swarm.files[ours.id]
    assert facts(swarm.states[theirs.id]) == facts(swarm.states[ours.id])
    assert [head for head in (theirs.id, ours.id) if swarm.states[head].admins == [winner.uri]] == [theirs.id, ours.id]
    again = swarm.merge(CARLA, ours.id, theirs.id)
    assert paths.admin(winner.uri) in swarm.files[again]


def test_who_was_saved_and_leaves_has_left() -> None:
    """A ban that fell does not bring anybody back."""
    swarm = founded(["alice", "denys"], "carla")
    start = swarm.head
    one, other = ban(swarm, start, ["alice"], DENYS.uri), ban(swarm, start, ["denys"], ALICE.uri)
    head = swarm.merge(CARLA, one, other)
    winner = ALICE if one < other else DENYS
    left = swarm.do(winner, writing.leave(swarm.state, winner.author))
    assert swarm.states[left].admins == []
    said = swarm.say(CARLA, "meanwhile", on=head)
    for heads in ((left, said), (said, left), (left, other), (other, left)):
        assert swarm.states[swarm.merge(CARLA, *heads)].admins == []


# -- the outcome itself


def a_ban(commit: str, target: str, deciders: str, votes: int, after: str = "", *, is_end: bool = False) -> Ban:
    return Ban(commit, Target.ADMINS, target, frozenset(deciders), votes, frozenset(after.split()), is_end)


def test_a_ban_that_fell_fells_no_other() -> None:
    """The strongest is looked at first."""
    strong, middle, weak = a_ban("1", "b", "ax", 3), a_ban("2", "a", "bx", 2), a_ban("3", "b", "a", 1)
    assert outcome(frozenset([strong, middle, weak])).banned == {(Target.ADMINS, "b")}
    chain = [a_ban("1", "b", "axy", 3), a_ban("2", "a", "bc", 2), a_ban("3", "c", "a", 1)]
    assert outcome(frozenset(chain)).banned == {(Target.ADMINS, "b"), (Target.ADMINS, "c")}
    assert outcome(frozenset(chain[1:])).banned == {(Target.ADMINS, "a")}


def test_a_later_ban_is_not_against_an_earlier_one() -> None:
    """Who was let in again may ban who banned them."""
    first = a_ban("2", "b", "a", 1)
    end = a_ban("5", "b", "a", 1, "2", is_end=True)
    later = a_ban("1", "a", "b", 9, "5")
    assert outcome(frozenset([first, end, later])).banned == {(Target.ADMINS, "a")}
    assert outcome(frozenset([first, end, later])).saved == frozenset()
    assert freed(frozenset([first]), frozenset([first, end, later])) == Freed()


def test_thousands_of_bans_are_counted_in_little_time_and_memory() -> None:
    """Each names the ones right before it only, however long the history is."""
    bans = [a_ban(str(at), "b", "a", 1, str(at - 1) if at else "", is_end=at % 2 == 1) for at in range(3000)]
    assert outcome(frozenset(bans)).banned == frozenset()
    assert outcome(frozenset(bans[:-1])).banned == {(Target.ADMINS, "b")}


def test_two_merges_of_the_same_are_merged_by_what_their_bases_have_together() -> None:
    """Alice invited Denys, two devices merged that with another head, and Denys came through one of them only."""
    swarm = bring(create(), "bob", "carla")
    start = swarm.head
    one = swarm.do(ALICE, writing.invite(swarm.state, ALICE.author, DENYS.uri))
    other = swarm.say(BOB, "meanwhile", on=start)
    first, second = swarm.merge(CARLA, one, other), swarm.merge(BOB, other, one)
    came = swarm.do(DENYS, writing.join(swarm.states[second], DENYS.author), on=second)
    for ours, theirs in ((first, came), (came, first)):
        assert swarm.bases(ours, theirs) in ([one, other], [other, one])
        state = swarm.states[swarm.merge(ALICE, ours, theirs)]
        assert (state.invited, DENYS.uri in state.members) == ([], True)


def test_who_left_by_one_device_while_another_was_banned_stays_away_in_every_order() -> None:
    """Alice leaves by one device, by another one she bans Denys, who bans her: only the leave is left of all that."""
    for round in range(4):
        swarm = founded(["alice", "denys"], "carla")
        start = swarm.say(CARLA, f"begin {round}")
        left = swarm.do(ALICE, writing.leave(swarm.states[start], ALICE.author), on=start)
        one, other = ban(swarm, start, ["alice"], DENYS.uri), ban(swarm, start, ["denys"], ALICE.uri)
        admins, banned = ([], DENYS.uri) if one < other else ([DENYS.uri], ALICE.uri)
        for order in permutations([left, one, other]):
            assert facts(merge_all(swarm, order)) == (admins, [CARLA.uri], [banned])
