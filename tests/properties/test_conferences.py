"""Random lives of conferences: several accounts with two devices each come, break, return, hand over, call, end.

Whatever happens: everybody knows one owner, nobody is anywhere twice, nobody is in two conferences of one name, graces
end, and what each leg was told since it came is what is so.
"""

from __future__ import annotations

from itertools import count

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from veche.core.conference import Attendance, Conference, Event, Refusal, name_key
from veche.core.mesh import is_caller
from veche.packets import ErrorCode
from veche.packets import conference as packets
from veche.packets.conference import CALL_ANSWER_S, LEG_GRACE_S, CallStatus, Leg, MediaKind, Policy

AT = "2026-11-29T06:00:00.000Z"
USERS = ["ann", "bob", "cid", "dan", "eve"]

user = st.sampled_from(USERS)
device = st.sampled_from(["laptop", "phone"])
name = st.sampled_from(["Tea", "tea", "Coffee"])
which = st.integers(0, 3)
RINGING = (CallStatus.INITIATE, CallStatus.REINVITE)
Seen = dict[str, packets.Conference]


class Conferences(RuleBasedStateMachine):
    """Some accounts, their conferences, and what each device was told."""

    def __init__(self) -> None:
        super().__init__()
        self.attendance = Attendance()
        self.all: dict[str, Conference] = {}
        self.told: dict[str, Seen] = {}
        """By leg, by conference: as its device knows it."""
        self.now = 0.0
        self.ids = count(1)
        self.given: dict[str, set[int]] = {}
        """By conference: the epochs that were given."""
        self.expected: list[tuple[Conference, Leg]] = []
        """Devices that are being written down."""
        lobby = self.make("", "Veche", Policy.OPEN, is_permanent=True)
        self.lobby = lobby.id

    def make(self, owner: str, name: str, policy: Policy, *, is_permanent: bool = False) -> Conference:
        id = f"c{next(self.ids)}"
        self.all[id] = made = Conference(
            self.attendance, id, name, at=AT, owner=owner, policy=policy, is_permanent=is_permanent
        )
        return made

    def pick(self, which: int) -> Conference:
        return list(self.all.values())[which % len(self.all)]

    def announce(self, conference: Conference, events: list[Event], but: str = "") -> None:
        """As the server does: to all legs, also to who was put out, not to who knows."""
        for event in events:
            for leg, seen in self.told.items():
                if leg != but and conference.id in seen:
                    after = fold(seen[conference.id], event)
                    if after is None or (isinstance(event, packets.ConferenceLeft) and event.leg == leg):
                        del seen[conference.id]
                    else:
                        seen[conference.id] = after
        if conference.is_over:
            del self.all[conference.id]

    def give(self, conference: Conference, leg: Leg) -> None:
        """A leg has a new epoch, which nobody had."""
        given = self.given.setdefault(conference.id, set())
        assert leg.epoch not in given
        given.add(leg.epoch)

    def enter(
        self,
        conference: Conference,
        user: str,
        device: str,
        *,
        resume: bool = False,
        expected: Leg | None = None,
    ) -> None:
        leg = f"{user}/{device}"
        made = conference.join(leg, user, at=AT, resume=resume, media=MediaKind.VIDEO, expected=expected)
        if not made.resumed and expected is None:
            self.give(conference, made.leg)
        self.told.setdefault(leg, {})[conference.id] = conference.shown()
        self.announce(conference, made.events, but=leg)

    @rule(user=user, device=device, name=name, policy=st.sampled_from(Policy))
    def create(self, user: str, device: str, name: str, policy: Policy) -> None:
        try:
            self.attendance.check_name(user, name)
        except Refusal:
            return
        if len(self.all) < 4:
            self.enter(self.make(user, name, policy), user, device)

    @rule(
        user=user, device=device, which=which, friend=st.sampled_from([True, True, True, False]), resume=st.booleans()
    )
    def join(self, user: str, device: str, which: int, friend: bool, resume: bool) -> None:
        conference = self.pick(which)
        try:
            conference.check_join(f"{user}/{device}", user, has_friend=friend)
        except Refusal:
            return
        self.enter(conference, user, device, resume=resume)

    @rule(user=user, device=device, which=which, friend=st.sampled_from([True, True, False]))
    def expect(self, user: str, device: str, which: int, friend: bool) -> None:
        """A device is written down before it comes."""
        conference, leg = self.pick(which), f"{user}/{device}"
        try:
            conference.check_join(leg, user, has_friend=friend)
        except Refusal:
            return
        before = conference.shown()
        expected = conference.expect(leg, user, at=AT)
        assert conference.shown() == before, "nobody is told of it yet"
        self.give(conference, expected)
        self.expected.append((conference, expected))

    @rule(n=st.integers(0, 9), friend=st.sampled_from([True, True, False]))
    def arrive(self, n: int, friend: bool) -> None:
        """It is written down, and comes if it still may."""
        if not self.expected:
            return
        conference, expected = self.expected.pop(n % len(self.expected))
        try:
            if conference.is_over:
                raise Refusal(ErrorCode.UNKNOWN_CONFERENCE)
            conference.check_join(expected.id, expected.user, has_friend=friend)
        except Refusal:
            conference.forget(expected)
            return
        self.enter(conference, expected.user, expected.id.partition("/")[2], expected=expected)

    @rule(user=user, device=device, which=which, how=st.sampled_from(["leave", "lose", "lose", "drop"]))
    def go(self, user: str, device: str, which: int, how: str) -> None:
        conference = self.pick(which)
        leg = f"{user}/{device}"
        if leg not in conference.legs:
            return
        self.told[leg].pop(conference.id, None)
        match how:
            case "leave":
                events = conference.leave(leg)
            case "lose":
                events = conference.lose(leg, self.now)
            case _:
                events = conference.drop([leg], ErrorCode.REVOKED)
        self.announce(conference, events)

    @rule(by=user, which=which, what=st.sampled_from(["rename", "transfer", "policy", "end", "remove", "mute"]),
          to=user, device=device, name=name, policy=st.sampled_from(Policy))  # fmt: skip
    def rule_it(self, by: str, which: int, what: str, to: str, device: str, name: str, policy: Policy) -> None:
        conference = self.pick(which)
        leg = f"{to}/{device}"
        before = conference.shown()
        try:
            match what:
                case "rename":
                    events = conference.rename(by, name)
                case "transfer":
                    events = conference.transfer(by, to)
                case "policy":
                    events = conference.set_policy(by, policy)
                case "end":
                    events = conference.end(by)
                case "remove":
                    events = conference.remove(by, leg)
                case _:
                    events = conference.mute(by, leg, audio=policy is Policy.OPEN, video=policy is Policy.LINK)
        except Refusal:
            assert conference.shown() == before
            return
        assert by in (before.owner, before.acting_owner)
        self.announce(conference, events)

    @rule(by=user, to=user, which=which, again=st.booleans(), silent=st.booleans())
    def call(self, by: str, to: str, which: int, again: bool, silent: bool) -> None:
        conference = self.pick(which)
        if not conference.is_there(by) or by == to:
            return
        try:
            conference.check_call(by, to)
        except Refusal:
            return
        silenced = [to] if silent else []
        self.announce(conference, conference.call(by, [to], self.now, again=again, silent=silenced))

    @rule(user=user, which=which, status=st.sampled_from([CallStatus.ABORT, CallStatus.OCCUPIED]))
    def decline(self, user: str, which: int, status: CallStatus) -> None:
        conference = self.pick(which)
        if conference.is_called(user):
            self.announce(conference, conference.end_call(user, status))

    @rule(user=user, device=device, which=which)
    def say(self, user: str, device: str, which: int) -> None:
        conference = self.pick(which)
        leg = f"{user}/{device}"
        if leg in conference.legs:
            on = not conference.legs[leg].held
            self.announce(conference, conference.set_leg(leg, held=on, asks=not on))

    @rule(seconds=st.sampled_from([1.0, 19.0, 30.0, 61.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        for conference in list(self.all.values()):
            for called in conference.unanswered(self.now):
                self.announce(conference, conference.end_call(called, CallStatus.MISSED))
            if not conference.is_over:
                self.announce(conference, conference.expire(self.now))

    @initialize(people=st.lists(st.tuples(user, device), min_size=2, max_size=6))
    def meet(self, people: list[tuple[str, str]]) -> None:
        """Some are together already."""
        conference = self.make(people[0][0], "Tea", Policy.FRIENDS)
        for person, by in people:
            self.enter(conference, person, by)

    @rule(chance=st.integers(0, 9))
    def everybody_vanishes(self, chance: int) -> None:
        """Every link breaks, and nobody comes back: only the permanent one is left."""
        if chance:
            return
        for conference in list(self.all.values()):
            for leg in list(conference.legs):
                self.told[leg].pop(conference.id, None)
                if not conference.legs[leg].is_lost:
                    self.announce(conference, conference.lose(leg, self.now))
        self.wait(LEG_GRACE_S)
        assert list(self.all) == [self.lobby]

    # -- what always holds

    @invariant()
    def everybody_knows_one_owner(self) -> None:
        for conference in self.all.values():
            inside = conference.people()
            if conference.id == self.lobby:
                assert (conference.owner, conference.acting_owner) == ("", "")
            elif conference.owner in inside:
                assert conference.acting_owner == ""
            else:
                assert conference.acting_owner in inside

    @invariant()
    def nobody_is_anywhere_twice(self) -> None:
        for conference in self.all.values():
            legs = list(conference.legs.values())
            assert len({leg.epoch for leg in legs}) == len(legs)
            assert all(leg.epoch <= conference.epoch for leg in legs)
            assert all(leg.id == id for id, leg in conference.legs.items())
            for n, one in enumerate(legs):
                assert all(is_caller(one, other) != is_caller(other, one) for other in legs[:n])

    @invariant()
    def views_say_who_is_inside_and_what_one_may(self) -> None:
        """As the server decides when somebody asks; only friends are named, and whoever is put out may not come."""
        for conference in self.all.values():
            for person in USERS:
                friends = [one for one in conference.people() if one != person][:1]
                view = conference.view(person, friends, count=len(conference.people()), knows_owner=False)
                if view is None:
                    assert not friends
                    assert not conference.is_inside(person)
                    continue
                assert set(view.people) - {person} == set(friends)
                assert (person in view.people) is conference.is_inside(person)
                try:
                    conference.check_join(f"{person}/new", person, has_friend=bool(friends))
                except Refusal:
                    assert not view.may_join
                else:
                    assert view.may_join

    @invariant()
    def nobody_is_in_two_of_one_name(self) -> None:
        for person in USERS:
            mine = [one for one in self.all.values() if one.is_inside(person)]
            assert sorted(one.id for one in mine) == sorted(one.id for one in self.attendance.of(person))
            assert len({name_key(one.name) for one in mine}) == len(mine)

    @invariant()
    def graces_and_calls_end(self) -> None:
        for conference in self.all.values():
            assert conference.lost.keys() == {leg.id for leg in conference.legs.values() if leg.is_lost}
            assert all(self.now < end <= self.now + LEG_GRACE_S for end in conference.lost.values())
            assert all(self.now < end <= self.now + CALL_ANSWER_S for end in conference.ringing.values())
            assert conference.legs or conference.is_permanent
            assert not any(conference.is_there(called) for called in conference.ringing)
            assert all(conference.guests[called].status in RINGING for called in conference.ringing)
            waiting = {user for user, guest in conference.guests.items() if guest.status in RINGING}
            assert waiting == conference.ringing.keys()

    @invariant()
    def what_legs_were_told_is_so(self) -> None:
        """JOIN-OK and the events after it equal CONFERENCE-GET."""
        for leg, seen in self.told.items():
            for id, known in seen.items():
                assert known == self.all[id].shown(), leg


def fold(known: packets.Conference, event: Event) -> packets.Conference | None:
    """What a client makes of an event, as the protocol page says."""
    legs = {leg.id: leg for leg in known.legs}
    match event:
        case packets.ConferenceJoined(leg=leg):
            legs[leg.id] = leg
            return replace(known, legs=list(legs.values()), epoch=max(known.epoch, leg.epoch))
        case packets.ConferenceLegChanged(leg=leg):
            legs[leg.id] = leg
            return replace(known, legs=list(legs.values()))
        case packets.ConferenceLeft(leg=leg_id):
            del legs[leg_id]
            return replace(known, legs=list(legs.values()))
        case packets.ConferenceChanged():
            names = ("name", "owner", "acting_owner", "policy", "calls")
            return replace(known, **{one: new for one in names if (new := getattr(event, one)) is not None})
        case packets.ConferenceEnded():
            return None


TestConferences = Conferences.TestCase
TestConferences.settings = settings(max_examples=300, stateful_step_count=60, deadline=None)
