"""One conference: every transition of its life, with made-up time."""

from __future__ import annotations

import pytest

from veche.core.conference import (
    MAX_DEVICES,
    MAX_GUESTS,
    MAX_INSIDE,
    MAX_LEGS,
    MAX_OUTCOMES,
    MAX_RINGING,
    Attendance,
    Conference,
    Event,
    Guest,
    Joined,
    Refusal,
    name_key,
)
from veche.packets import ErrorCode
from veche.packets import conference as packets
from veche.packets.conference import CALL_ANSWER_S, CallStatus, Leg, MediaKind, Policy

AT = "2026-11-29T06:00:00.000Z"


class World:
    """A conference of alice, in which she is by her laptop."""

    def __init__(self, **settings: object) -> None:
        self.attendance = Attendance()
        self.tea = self.make("tea", "Tea", **settings)
        self.come("alice")

    def make(self, id: str, name: str, **settings: object) -> Conference:
        return Conference(self.attendance, id, name, at=AT, **{"owner": "alice", **settings})  # type: ignore[arg-type]

    def come(self, user: str, device: str = "laptop", **wishes: object) -> Joined:
        return self.tea.join(f"{user}/{device}", user, at=AT, **wishes)  # type: ignore[arg-type]

    def leg(self, user: str, device: str = "laptop") -> Leg:
        return self.tea.legs[f"{user}/{device}"]


def told(events: list[Event]) -> list[str]:
    """What happened, shortly."""
    found: list[str] = []
    for event in events:
        match event:
            case packets.ConferenceJoined():
                found.append(f"joined {event.leg.id}")
            case packets.ConferenceLeft():
                found.append(f"left {event.leg} {event.code.value}")
            case packets.ConferenceLegChanged():
                found.append(f"leg {event.leg.id}")
            case packets.ConferenceEnded():
                found.append(f"ended {event.code.value}")
            case packets.ConferenceChanged():
                fields = {name: getattr(event, name) for name in ("name", "owner", "acting_owner", "policy")}
                found += [f"{name} {value}" for name, value in fields.items() if value is not None]
                if event.calls is not None:
                    found.append("calls " + ", ".join(f"{one.user} {one.status.value}" for one in event.calls))
    return found


def refused(code: ErrorCode) -> pytest.RaisesExc[Refusal]:
    return pytest.raises(Refusal, match=code.value)


# -- coming


def test_whoever_makes_it_is_its_owner_and_inside() -> None:
    """Rows: A32 (partly), V21 (partly)."""
    world = World()
    assert world.tea.owner == "alice"
    assert world.tea.people() == ["alice"]
    assert world.tea.initiator == "alice/laptop"


def test_each_who_comes_has_a_new_epoch_of_the_same_initiator() -> None:
    """Rows: A37 (partly), X10 (partly)."""
    world = World()
    bob = world.come("bob")
    assert told(bob.events) == ["joined bob/laptop"]
    assert (bob.leg.epoch, bob.leg.initiator) == (2, "alice/laptop")
    world.tea.transfer("alice", "bob")
    assert world.come("carol").leg.initiator == "alice/laptop"


def test_coming_again_is_a_new_epoch_in_the_old_place() -> None:
    """Rows: V31 (partly), X10 (partly)."""
    world = World()
    world.come("bob")
    again = world.come("alice")
    assert (again.leg.epoch, again.resumed) == (3, False)
    assert list(world.tea.legs) == ["alice/laptop", "bob/laptop"]


def test_resuming_keeps_the_epoch_and_what_the_leg_was() -> None:
    world = World()
    world.come("bob", media=MediaKind.AUDIO)
    world.tea.set_leg("bob/laptop", is_muted=True)
    world.tea.lose("bob/laptop", 10.0)
    back = world.come("bob", resume=True, media=MediaKind.VIDEO)
    assert (back.leg.epoch, back.resumed, back.leg.is_muted, back.leg.media) == (2, True, True, MediaKind.AUDIO)
    assert told(back.events) == ["leg bob/laptop"]
    assert world.tea.expire(1000.0) == []
    assert told(world.come("bob", resume=True).events) == []  # it was not lost


def test_resuming_what_is_gone_is_coming_anew() -> None:
    world = World()
    back = world.come("bob", resume=True)
    assert not back.resumed
    assert back.leg.epoch == 2


@pytest.mark.parametrize(
    ("policy", "has_friend", "by_link", "may"),
    [
        (Policy.FRIENDS, True, False, True),
        (Policy.FRIENDS, False, True, False),
        (Policy.INVITE, True, True, False),
        (Policy.LINK, True, False, False),
        (Policy.LINK, False, True, True),
        (Policy.OPEN, False, False, True),
    ],
)
def test_the_policy_says_who_may_come(policy: Policy, has_friend: bool, by_link: bool, may: bool) -> None:
    """Rows: A49 (partly)."""
    world = World(policy=policy)
    assert world.tea.may_join("bob", has_friend=has_friend, by_link=by_link) is may
    if may:
        world.tea.check_join("bob/laptop", "bob", has_friend=has_friend, by_link=by_link)
    else:
        with refused(ErrorCode.FORBIDDEN):
            world.tea.check_join("bob/laptop", "bob", has_friend=has_friend, by_link=by_link)
    world.tea.call("alice", ["bob"], 0.0)
    assert world.tea.may_join("bob", has_friend=False)  # the invited may, whatever the policy


def test_one_device_a_person_where_that_is_the_rule() -> None:
    """Rows: A43 (partly)."""
    world = World()
    world.tea.check_join("alice/phone", "alice", has_friend=False)
    with refused(ErrorCode.ALREADY_THERE):
        world.tea.check_join("alice/phone", "alice", has_friend=False, one_leg=True)
    world.tea.lose("alice/laptop", 0.0)
    world.tea.check_join("alice/phone", "alice", has_friend=False, one_leg=True)
    assert told(world.come("alice", "phone", one_leg=True).events) == [
        "left alice/laptop replaced",
        "joined alice/phone",
    ]
    assert world.tea.people() == ["alice"]


def test_several_devices_are_legs_of_one_person() -> None:
    """Rows: A43 (partly), X05 (partly)."""
    world = World()
    world.come("alice", "phone")
    assert world.tea.people() == ["alice"]
    assert [leg.epoch for leg in world.tea.legs.values()] == [1, 2]
    assert told(world.tea.leave("alice/laptop")) == ["left alice/laptop logged-out"]
    assert not world.tea.is_over


def test_a_mesh_has_room_for_so_many() -> None:
    """Rows: V33 (partly), X09 (partly)."""
    world = World()
    given = [world.come(f"guest{n}") for n in range(7)]
    assert [one.leg.media.value for one in given] == ["video"] * 3 + ["audio"] * 2 + ["text"] * 2
    assert [one.is_less for one in given] == [False] * 3 + [True] * 4
    assert not world.come("reader", media=MediaKind.TEXT).is_less
    assert world.come("guest0").leg.media is MediaKind.VIDEO  # it comes again, and gets what it had
    world.tea.leave("guest1/laptop")
    assert world.come("guest5").leg.media is MediaKind.AUDIO


# -- going


def test_whoever_leaves_is_gone() -> None:
    """Rows: A46 (partly)."""
    world = World()
    world.come("bob")
    assert told(world.tea.leave("bob/laptop")) == ["left bob/laptop logged-out"]
    assert world.tea.people() == ["alice"]
    with refused(ErrorCode.NOT_INSIDE):
        world.tea.leave("bob/laptop")


def test_the_owner_leaving_ends_it() -> None:
    """Rows: A48 (partly), X07 (partly)."""
    world = World()
    world.come("bob")
    assert told(world.tea.leave("alice/laptop")) == ["ended owner-left"]
    assert world.tea.is_over
    assert not world.attendance.of("bob")


def test_a_conference_that_was_handed_over_outlives_who_made_it() -> None:
    """Rows: A36 (partly), X07 (partly)."""
    world = World()
    world.come("bob")
    assert told(world.tea.transfer("alice", "bob")) == ["owner bob"]
    assert told(world.tea.leave("alice/laptop")) == ["left alice/laptop logged-out"]
    with refused(ErrorCode.FORBIDDEN):
        world.tea.rename("alice", "Mine")


def test_the_last_one_ends_it_by_leaving() -> None:
    """Rows: A47 (partly), X07 (partly)."""
    world = World()
    assert told(world.tea.leave("alice/laptop")) == ["left alice/laptop logged-out", "ended empty"]
    assert world.tea.is_over


def test_an_owner_whose_link_broke_has_a_minute() -> None:
    """Rows: X07 (partly)."""
    world = World()
    world.come("bob")
    world.come("carol")
    assert told(world.tea.lose("alice/laptop", 100.0)) == ["leg alice/laptop"]
    assert world.tea.next_deadline() == 160.0
    assert world.tea.expire(159.9) == []
    assert told(world.tea.expire(160.0)) == ["left alice/laptop offline", "acting_owner bob"]
    assert world.tea.owner == "alice"
    world.tea.rename("bob", "Coffee")
    with refused(ErrorCode.FORBIDDEN):
        world.tea.rename("carol", "Milk")
    assert told(world.come("alice").events) == ["joined alice/laptop", "acting_owner "]
    with refused(ErrorCode.FORBIDDEN):
        world.tea.rename("bob", "Milk")


def test_whoever_acts_as_owner_is_followed_by_the_next_and_leaving_ends_nothing() -> None:
    """Rows: X07 (partly)."""
    world = World()
    for user in ("bob", "carol", "dave"):
        world.come(user)
    assert told(world.tea.drop(["alice/laptop"], ErrorCode.REVOKED))[-1] == "acting_owner bob"
    assert told(world.tea.leave("bob/laptop")) == ["left bob/laptop logged-out", "acting_owner carol"]
    for to in ("carol", "dave"):
        with refused(ErrorCode.FORBIDDEN):
            world.tea.transfer("carol", to)  # it is not theirs: the owner gets it back
    assert told(world.come("alice").events) == ["joined alice/laptop", "acting_owner "]
    with refused(ErrorCode.FORBIDDEN):
        world.tea.rename("carol", "Milk")
    assert told(world.tea.transfer("alice", "dave")) == ["owner dave"]


def test_who_is_lost_does_not_act_while_somebody_is_there() -> None:
    world = World()
    world.come("bob")
    world.come("carol")
    world.tea.lose("bob/laptop", 0.0)
    assert told(world.tea.drop(["alice/laptop"], ErrorCode.OFFLINE))[-1] == "acting_owner carol"


def test_when_all_links_broke_it_ends_with_the_last_grace() -> None:
    """Rows: A47 (partly), X07 (partly)."""
    world = World()
    world.come("bob")
    world.tea.lose("alice/laptop", 0.0)
    world.tea.lose("bob/laptop", 1.0)
    assert told(world.tea.expire(60.0)) == ["left alice/laptop offline", "acting_owner bob"]
    assert told(world.tea.expire(61.0)) == ["left bob/laptop offline", "ended empty"]


def test_a_permanent_one_never_ends() -> None:
    """Rows: A50 (partly), X07 (partly), X16 (partly)."""
    world = World(owner="", is_permanent=True, policy=Policy.OPEN)
    world.come("bob")
    for user in ("alice", "bob"):
        assert told(world.tea.leave(f"{user}/laptop")) == [f"left {user}/laptop logged-out"]
    assert not world.tea.is_over
    with refused(ErrorCode.FORBIDDEN):
        world.tea.end("alice")
    newcomer = world.come("carol")
    assert newcomer.leg.initiator == "carol/laptop"
    assert newcomer.leg.epoch == 3


# -- what owners do


def test_only_its_owner_ends_it() -> None:
    """Rows: A34 (partly), X08 (partly), X24 (partly)."""
    world = World()
    world.come("bob")
    with refused(ErrorCode.FORBIDDEN):
        world.tea.end("bob")
    assert told(world.tea.end("alice")) == ["ended ended"]


def test_nobody_is_in_two_of_one_name() -> None:
    """Rows: A38 (partly), A40 (partly)."""
    world = World()
    other = world.make("other", "  TEA ", owner="bob")
    other.join("bob/laptop", "bob", at=AT)
    with refused(ErrorCode.ALREADY_THERE):
        world.tea.check_join("bob/laptop", "bob", has_friend=True)
    with refused(ErrorCode.ALREADY_THERE):
        world.attendance.check_name("alice", "tea")
    other.rename("bob", "Coffee")
    world.tea.check_join("bob/laptop", "bob", has_friend=True)
    world.come("bob")
    with refused(ErrorCode.ALREADY_THERE):
        other.rename("bob", "Tea")
    with refused(ErrorCode.ALREADY_THERE):
        world.tea.rename("alice", "coffee")
    assert told(world.tea.rename("alice", "Te\u0301a")) == ["name Te\u0301a"]
    assert told(world.tea.rename("alice", "Te\u0301a")) == []


def test_names_are_one_when_they_look_the_same() -> None:
    assert name_key(" Tea  time ") == name_key("TEA TIME") == name_key("Tea\u00a0\uff34\uff29\uff2d\uff25")
    assert name_key("tea") != name_key("teа")


def test_nobody_is_in_too_many() -> None:
    world = World()
    for n in range(MAX_INSIDE - 1):
        world.make(f"id{n}", f"name {n}").join("alice/laptop", "alice", at=AT)
    with refused(ErrorCode.TOO_MANY):
        world.make("one", "One more", policy=Policy.OPEN).check_join("alice/laptop", "alice", has_friend=False)
    world.tea.check_join("alice/phone", "alice", has_friend=False)


def test_it_is_handed_over_to_who_is_inside() -> None:
    """Rows: A36 (partly)."""
    world = World()
    with refused(ErrorCode.NOT_INSIDE):
        world.tea.transfer("alice", "bob")
    with refused(ErrorCode.ALREADY_THERE):
        world.tea.transfer("alice", "alice")
    world.come("bob")
    with refused(ErrorCode.FORBIDDEN):
        world.tea.transfer("bob", "bob")


def test_whoever_was_put_out_comes_back_by_invitation_of_the_owner() -> None:
    world = World(policy=Policy.OPEN)
    world.come("bob")
    world.come("bob", "phone")
    world.come("carol")
    with refused(ErrorCode.SELF):
        world.tea.remove("alice", "alice/laptop")
    with refused(ErrorCode.FORBIDDEN):
        world.tea.remove("carol", "bob/laptop")
    assert told(world.tea.remove("alice", "bob/phone")) == ["left bob/laptop removed", "left bob/phone removed"]
    assert not world.tea.may_join("bob", has_friend=True)
    with refused(ErrorCode.FORBIDDEN):
        world.tea.check_call("carol", "bob")
    world.tea.check_call("alice", "bob")
    world.tea.call("alice", ["bob"], 0.0)
    assert world.tea.may_join("bob", has_friend=False)
    world.come("bob")
    assert world.tea.is_inside("bob")


def test_what_the_owner_switches_off_stays_off() -> None:
    """Rows: A69 (partly)."""
    world = World()
    world.come("bob")
    assert told(world.tea.mute("alice", "bob/laptop", audio=True, video=True)) == ["leg bob/laptop"]
    bob = world.leg("bob")
    assert (bob.is_muted, bob.muted_by, bob.is_hidden, bob.hidden_by) == (True, "alice", True, "alice")
    for wish in ({"is_muted": False}, {"is_hidden": False}, {"is_sharing": True}):
        with refused(ErrorCode.FORBIDDEN):
            world.tea.set_leg("bob/laptop", **wish)
    world.tea.leave("bob/laptop")
    assert world.come("bob", "phone").leg.muted_by == "alice"
    world.tea.set_leg("bob/phone", asks=True)
    world.tea.mute("alice", "bob/phone", audio=False)
    bob = world.leg("bob", "phone")
    assert (bob.is_muted, bob.muted_by, bob.asks, bob.hidden_by) == (True, "", False, "alice")
    world.tea.set_leg("bob/phone", is_muted=False)
    with refused(ErrorCode.FORBIDDEN):
        world.tea.mute("bob", "alice/laptop", audio=True)


def test_an_administrator_keeps_order_where_there_is_no_owner() -> None:
    """Rows: X24 (partly)."""
    world = World(owner="", is_permanent=True)
    world.come("bob")
    world.tea.remove("admin", "bob/laptop", is_admin=True)
    assert not world.tea.is_inside("bob")
    owned = World()
    owned.come("bob")
    with refused(ErrorCode.FORBIDDEN):
        owned.tea.remove("admin", "bob/laptop", is_admin=True)


def test_what_is_switched_off_on_one_device_is_remembered_while_it_is() -> None:
    """Letting another device of the same person speak does not free the first when it comes again."""
    world = World()
    for device in ("laptop", "phone"):
        world.come("bob", device)
        world.tea.mute("alice", f"bob/{device}", audio=True, video=True)
    world.tea.mute("alice", "bob/phone", audio=False, video=False)
    assert world.leg("bob", "phone").muted_by == world.leg("bob", "phone").hidden_by == ""
    leg = world.come("bob", "laptop").leg
    assert (leg.muted_by, leg.hidden_by) == ("alice", "alice")
    world.tea.mute("alice", "bob/laptop", audio=False, video=False)
    leg = world.come("bob", "laptop").leg
    assert (leg.muted_by, leg.hidden_by) == ("", "")


def test_a_leg_says_how_it_is_and_tells_only_what_is_new() -> None:
    world = World()
    assert told(world.tea.set_leg("alice/laptop", is_muted=True, held=True)) == ["leg alice/laptop"]
    assert told(world.tea.set_leg("alice/laptop", is_muted=True)) == []
    assert told(world.tea.introduce("alice", "Alice", "")) == ["leg alice/laptop"]
    with refused(ErrorCode.NOT_INSIDE):
        world.tea.set_leg("bob/laptop", held=True)


# -- calls


def test_a_call_rings_until_somebody_comes() -> None:
    """Rows: V22 (partly), V25 (partly)."""
    world = World(policy=Policy.INVITE)
    world.tea.check_call("alice", "bob")
    assert told(world.tea.call("alice", ["bob", "carol"], 5.0)) == ["calls bob initiate, carol initiate"]
    assert world.tea.is_called("bob")
    assert world.tea.next_deadline() == 25.0
    assert told(world.come("bob").events) == ["joined bob/laptop", "calls carol initiate"]
    assert not world.tea.is_called("bob")
    for user in ("bob", "carol"):
        with refused(ErrorCode.ALREADY_THERE):
            world.tea.check_call("alice", user)
    assert world.tea.unanswered(24.9) == []
    assert world.tea.unanswered(25.0) == ["carol"]
    assert told(world.tea.end_call("carol", CallStatus.MISSED)) == ["calls carol missed"]
    assert told(world.tea.call("bob", ["carol"], 30.0, again=True)) == ["calls carol reinvite"]  # any leg may: row V29


def test_who_blocks_the_caller_is_called_like_everybody_and_never_hears_of_it() -> None:
    """Rows: X06 (partly)."""
    world = World(policy=Policy.INVITE)
    world.tea.call("alice", ["bob"], 0.0, silent={"bob"})
    assert not world.tea.is_called("bob")
    assert not world.tea.may_join("bob", has_friend=False)
    assert world.tea.view("bob", [], count=1) is None
    assert [one.user for one in world.tea.calls()] == ["bob"]
    assert world.tea.unanswered(20.0) == ["bob"]


def test_somebody_whose_links_are_broken_is_called_again() -> None:
    """They come back by themselves, or take the call, also by another device.  Rows: V29 (partly)."""
    world = World()
    world.come("bob")
    with refused(ErrorCode.ALREADY_THERE):
        world.tea.check_call("alice", "bob")
    world.tea.lose("bob/laptop", 0.0)
    for resume, device in ((True, "laptop"), (False, "laptop"), (False, "phone")):
        world.tea.check_call("alice", "bob")
        world.tea.call("alice", ["bob"], 0.0, again=True)
        with refused(ErrorCode.ALREADY_THERE):
            world.tea.check_call("alice", "bob")
        assert told(world.come("bob", device, resume=resume).events)[-1] == "calls "
        assert not world.tea.is_called("bob")
        if device == "laptop":
            assert world.tea.next_deadline() is None
            world.tea.lose("bob/laptop", 0.0)
        else:
            assert world.tea.next_deadline() == 60.0, "the grace of the laptop"


def test_whoever_is_given_up_is_invited_no_more() -> None:
    """Whoever does not answer, or declines, stays invited.  Rows: X08 (partly)."""
    world = World(policy=Policy.INVITE)
    world.tea.call("alice", ["bob", "carol", "dave"], 0.0)
    world.tea.end_call("bob", CallStatus.ABORT, is_given_up=True)
    world.tea.end_call("carol", CallStatus.ABORT)
    world.tea.end_call("dave", CallStatus.MISSED)
    assert [world.tea.may_join(user, has_friend=True) for user in ("bob", "carol", "dave")] == [False, True, True]


def test_a_person_who_is_gone_for_good_is_forgotten() -> None:
    world = World(policy=Policy.INVITE)
    world.tea.call("alice", ["bob", "carol"], 0.0)
    world.tea.end_call("bob", CallStatus.MISSED)
    assert told(world.tea.forget_person("bob")) == ["calls carol initiate"]
    assert world.tea.forget_person("nobody") == []
    assert not world.tea.may_join("bob", has_friend=False)


def test_calls_in_vain_and_the_invited_do_not_pile_up() -> None:
    """In a permanent conference they would stay for ever: all legs would be told of all of them, and once there are too
    many nobody could be called any more.  Whoever was put out or switched off is not forgotten.
    """
    world = World(owner="", is_permanent=True, policy=Policy.OPEN)
    world.come("mallory")
    world.tea.remove("admin", "mallory/laptop", is_admin=True)
    world.come("bob")
    world.tea.mute("admin", "bob/laptop", audio=True, is_admin=True)
    world.tea.leave("bob/laptop")
    now = 0.0
    for n in range(MAX_GUESTS + 100):
        world.tea.check_call("alice", f"user{n}")
        world.tea.call("alice", [f"user{n}"], now)
        if len(world.tea.ringing) >= MAX_RINGING:
            with refused(ErrorCode.TOO_MANY):
                world.tea.check_call("alice", "one more")
            now += CALL_ANSWER_S
            for user in world.tea.unanswered(now):
                world.tea.end_call(user, CallStatus.MISSED)
            assert len(world.tea.calls()) <= MAX_RINGING + MAX_OUTCOMES
    assert len(world.tea.guests) <= MAX_GUESTS
    assert not world.tea.may_join("mallory", has_friend=True)
    assert world.come("bob").leg.muted_by == "admin"
    world.tea.check_call("alice", "user0")  # forgotten, and can be called again


def test_when_nobody_can_be_forgotten_nobody_more_is_remembered() -> None:
    world = World()
    for n in range(MAX_GUESTS):
        world.tea.guests[f"user{n}"] = Guest(is_removed=True)
    with refused(ErrorCode.TOO_MANY):
        world.tea.check_call("alice", "one more")


# -- views


def test_what_is_seen_from_outside() -> None:
    """Rows: A14 (partly), A31 (partly)."""
    world = World()
    assert world.tea.view("bob", [], count=1) is None
    view = world.tea.view("bob", ["alice"], count=1)
    assert view is not None
    assert (view.people, view.may_join, view.legs, view.invited_by) == (["alice"], True, [], "")
    mine = world.tea.view("alice", [], count=1, one_leg=True)
    assert mine is not None
    assert (mine.people, mine.may_join, mine.legs) == (["alice"], False, ["alice/laptop"])
    world.tea.set_policy("alice", Policy.INVITE)
    closed = world.tea.view("bob", ["alice"], count=1)
    assert closed is not None
    assert not closed.may_join
    world.tea.call("alice", ["carol"], 0.0)
    invited = world.tea.view("carol", [], count=1)
    assert invited is not None
    assert (invited.may_join, invited.invited_by) == (True, "alice")
    world.tea.end_call("carol", CallStatus.ABORT)
    assert world.tea.view("carol", [], count=1) is None
    world.tea.end("alice")
    assert world.tea.view("alice", [], count=0) is None


def test_whose_it_is_is_seen_by_friends_of_theirs_and_inside() -> None:
    """Rows: X06 (partly)."""
    world = World()
    owners: list[str] = []
    for knows_owner in (True, False):
        view = world.tea.view("bob", ["carol"], count=2, knows_owner=knows_owner)
        assert view is not None
        owners.append(view.owner)
    assert owners == ["alice", ""]
    world.come("bob")
    mine = world.tea.view("bob", [], count=2, knows_owner=False)
    assert mine is not None
    assert mine.owner == "alice"


def test_a_view_says_that_one_is_in_another_of_the_name() -> None:
    """Rows: A40 (partly)."""
    world = World()
    other = world.make("other", "ＴＥＡ", policy=Policy.OPEN)
    other.join("bob/laptop", "bob", at=AT)
    for user, may in (("bob", True), ("alice", False), ("carol", True)):
        view = other.view(user, [], count=1)
        assert view is not None
        assert view.may_join is may
    world.tea.rename("alice", "Milk")
    view = other.view("alice", [], count=1)
    assert view is not None
    assert view.may_join


# -- devices that are about to come


def test_whoever_is_about_to_come_has_an_epoch_before() -> None:
    """Two are expected, a third is quicker; one of them does not come after all.  Rows: X10 (partly)."""
    world = World()
    first, second = (world.tea.expect(f"{user}/laptop", user, at=AT) for user in ("bob", "carol"))
    assert [one.epoch for one in (first, second)] == [2, 3]
    assert not world.tea.is_inside("bob")
    assert world.tea.shown().epoch == 1
    assert world.come("dave").leg.epoch == 4
    assert world.come("bob", expected=first).leg.epoch == 2
    assert world.tea.shown().epoch == 4
    world.tea.forget(second)
    assert world.tea.coming == {}
    assert world.come("carol").leg.epoch == 5


def test_a_device_that_is_expected_anew_is_not_forgotten_with_the_first_time() -> None:
    world = World()
    old, new = (world.tea.expect("bob/laptop", "bob", at=AT) for _ in range(2))
    world.tea.forget(old)
    assert world.tea.coming == {"bob/laptop": new}
    assert world.come("bob", expected=new).leg.epoch == new.epoch
    world.tea.forget(new)


def test_the_first_to_be_expected_is_the_initiator_also_of_who_was_quicker() -> None:
    """Rows: V21 (partly), X10 (partly)."""
    lobby = Conference(Attendance(), "id", "Veche", at=AT, is_permanent=True)
    first, second = (lobby.expect(f"{user}/laptop", user, at=AT) for user in ("alice", "bob"))
    lobby.join("bob/laptop", "bob", at=AT, expected=second)
    lobby.join("alice/laptop", "alice", at=AT, expected=first)
    assert {one.initiator for one in lobby.legs.values()} == {"alice/laptop"}
    lobby.leave("alice/laptop")
    lobby.leave("bob/laptop")
    assert lobby.join("carol/laptop", "carol", at=AT).leg.initiator == "carol/laptop"


def test_a_person_has_only_so_many_devices_inside() -> None:
    world = World()
    for n in range(MAX_DEVICES):
        world.tea.check_join(f"bob/{n}", "bob", has_friend=True)
        world.come("bob", str(n))
    with refused(ErrorCode.TOO_MANY):
        world.tea.check_join("bob/more", "bob", has_friend=True)
    world.tea.check_join("bob/0", "bob", has_friend=True)


def test_what_cannot_be_seen_makes_no_other_name() -> None:
    """Rows: A40 (partly)."""
    assert name_key("T\u200be\u2060a\ufeff") == name_key("tea") == name_key("\u200fTea\u00ad")
    assert name_key("\u200b\u200d") == ""


def test_a_leg_is_found_in_any_letter_case_of_its_address() -> None:
    """The device is not the address: its letters count.  Rows: V35 (partly)."""
    world = World()
    world.tea.join("bob@localhost/Phone", "bob@localhost", at=AT)
    assert world.tea.leg("BOB@LocalHost/Phone").id == "bob@localhost/Phone"
    for wrong in ("bob@localhost/phone", "bob@localhost", "", "/"):
        assert world.tea.find(wrong) is None


def test_a_conference_that_is_full_takes_nobody_new() -> None:
    """Whoever is inside may still come again."""
    world = World()
    for n in range(MAX_LEGS - 1):
        world.come(f"user{n}", media=MediaKind.TEXT)
    with refused(ErrorCode.TOO_MANY):
        world.tea.check_join("bob/laptop", "bob", has_friend=True)
    world.tea.check_join("user7/laptop", "user7", has_friend=True)


def test_what_is_so_already_is_told_to_nobody() -> None:
    world = World()
    world.come("bob")
    assert world.tea.set_policy("alice", world.tea.policy) == []
    assert world.tea.rename("alice", "Tea") == []
    assert world.tea.mute("alice", "bob/laptop") == []
    assert world.tea.mute("alice", "bob/laptop", audio=False) == []
    assert told(world.tea.mute("alice", "bob/laptop", video=True)) == ["leg bob/laptop"]
    assert (world.leg("bob").muted_by, world.leg("bob").hidden_by) == ("", "alice")


def test_whoever_is_in_two_leaves_one() -> None:
    """Rows: A39 (partly)."""
    world = World()
    milk = world.make("milk", "Milk", policy=Policy.OPEN)
    for one in (milk, world.tea):
        one.join("bob/laptop", "bob", at=AT)
    milk.leave("bob/laptop")
    assert [one.id for one in world.attendance.of("bob")] == ["tea"]
    world.tea.leave("bob/laptop")
    assert list(world.attendance.of("bob")) == []
