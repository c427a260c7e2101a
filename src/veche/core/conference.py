"""One conference: who is inside, who owns it, who may come, who is called.

Rules:

1. *Legs.*  A leg is one device.  It comes (`join`), leaves on purpose (`leave`), is put out (`remove`), or is lost
   with its link (`lose`): then it keeps its place for `LEG_GRACE_S`, and if it does not come back in time it is
   gone.  A person is inside while they have a leg, a lost one included.  Legs are kept in the order in which they
   came.
2. *Epochs.*  Each leg that comes, or comes again, has a new epoch; one that resumes keeps its own.  Numbers ascend
   and are never given twice: a device that is about to come has its number before (`expect`), so that it can be
   written down before anybody hears of it.  The initiator of all epochs is the leg that came first; where nobody was
   left (a permanent conference), the next one to come.  A change of owner does not touch it (row X10).
3. *Owner.*  Whoever made it.  When the owner's last leg leaves on purpose, the conference ends for all, unless it was
   handed over before; when it is gone in any other way, the one who has been there longest acts as owner until the
   owner comes back (row X07).  Who acts stays so while they are inside; then the next one does.  They may do what an
   owner may, but for giving away what is not theirs.
4. *End.*  By its owner, by the owner's leaving, or by itself when nobody is left.  A permanent one never ends.
5. *Names.*  Nobody is in two conferences of one name (rows A38, A40).  Names are the same when they look the same:
   letter case, the width of spaces, and what cannot be seen do not matter.
6. *Who may come*: who is inside already, by another device; the owner; who was called; and by the policy friends of
   somebody inside, whoever has the link, or everybody.  Whoever was put out comes back by invitation of the owner
   only.
7. *Media.*  With `video_legs` legs that send anything, the next one gets audio; with `audio_legs` of them, text (row
   X09).  A leg that comes again gets what it had.  What the owner has switched off stays off when the person comes
   again.
8. *Calls.*  Somebody who is called rings until they come, decline, are busy, are given up, or `answer_s` is
   over.  Whoever is given up is not invited any more.  Somebody whose links are all broken may be called again before
   their grace is over (row V29).

Nothing here waits or tells the time: `now` is in seconds on one monotonic clock, `at` an instant of the wire.  What
changes is returned as the events that the legs are told; the newcomer and who left know of themselves.  What makes no
sense raises Refusal, and nothing has changed.

Source: documents 000 and 004; rows A30-A50, V22-V33, X07-X10.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from veche.packets import ERROR_TEXT, ErrorCode
from veche.packets import conference as packets
from veche.packets.conference import (
    CALL_ANSWER_S,
    LEG_GRACE_S,
    Call,
    CallStatus,
    ConferenceView,
    Leg,
    MediaKind,
    Policy,
)

MAX_LEGS = 1000
MAX_DEVICES = 10
"""Legs of one person."""
MAX_GUESTS = 1000
"""People that a conference remembers without their being inside; then the longest invited are forgotten."""
MAX_RINGING = 100
"""People who are called and have not answered."""
MAX_OUTCOMES = 50
"""Calls in vain of which all legs are told."""
MAX_INSIDE = 100
"""Conferences one person is in at once."""

RANK = {MediaKind.TEXT: 0, MediaKind.AUDIO: 1, MediaKind.VIDEO: 2}

Event = (
    packets.ConferenceJoined
    | packets.ConferenceLeft
    | packets.ConferenceLegChanged
    | packets.ConferenceChanged
    | packets.ConferenceEnded
)
"""What is told to all legs."""


class Refusal(Exception):
    """The operation makes no sense now.  Nothing changes."""

    def __init__(self, code: ErrorCode, reason: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason or ERROR_TEXT[code]


class Guest(Struct, frozen=True, kw_only=True):
    """What a conference remembers of somebody, be they inside or not."""

    may_come: bool = False
    """They were called."""
    by: str = ""
    """Who called them last."""
    status: CallStatus | None = None
    """Of that call; None: they came, or there was none."""
    is_silent: bool = False
    """They block who calls: it rings nowhere, and must look as if nobody were there (row X06)."""
    is_removed: bool = False
    muted_by: str = ""
    hidden_by: str = ""
    entry: int = 0
    """The message by which the answered call stands in a conversation."""


NOBODY = Guest()


class Joined(NamedTuple):
    """A device is inside."""

    leg: Leg
    events: list[Event]
    resumed: bool
    is_less: bool
    """It was given less media than it asked for."""


def name_key(name: str) -> str:
    """What two names have in common when people would take them for one."""
    seen = "".join(one for one in unicodedata.normalize("NFKC", name) if unicodedata.category(one) != "Cf")
    return " ".join(seen.casefold().split())


class Attendance:
    """Who is inside which conferences."""

    def __init__(self) -> None:
        self._of: dict[str, dict[str, Conference]] = {}

    def of(self, user: str) -> Collection[Conference]:
        """The conferences that somebody is in."""
        return self._of.get(user, {}).values()

    def came(self, user: str, conference: Conference) -> None:
        self._of.setdefault(user, {})[conference.id] = conference

    def left(self, user: str, conference: Conference) -> None:
        mine = self._of[user]
        del mine[conference.id]
        if not mine:
            del self._of[user]

    def has_name(self, user: str, key: str, but: str = "") -> bool:
        """Whether somebody is in a conference of this `name_key`, other than the one of that id."""
        return any(one.key == key and one.id != but for one in self.of(user))

    def check_name(self, user: str, name: str, but: str = "") -> None:
        """Somebody is in no conference of this name, except the one of that id.  Raises Refusal: already-there."""
        if self.has_name(user, name_key(name), but):
            raise Refusal(ErrorCode.ALREADY_THERE, f"{user} is in a conference of that name already.")

    def check_count(self, user: str) -> None:
        """Somebody may come into one more.  Raises Refusal: too-many."""
        if len(self.of(user)) >= MAX_INSIDE:
            raise Refusal(ErrorCode.TOO_MANY, "You are in too many conferences.")


class Conference:
    """One conference; see the rules above."""

    def __init__(
        self,
        attendance: Attendance,
        id: str,
        name: str,
        *,
        at: str,
        owner: str = "",
        policy: Policy = Policy.FRIENDS,
        is_permanent: bool = False,
        is_call: bool = False,
        video_legs: int = 4,
        audio_legs: int = 6,
        answer_s: float = CALL_ANSWER_S,
    ) -> None:
        self.attendance = attendance
        self.id = id
        self.name = name
        self.key = name_key(name)
        self.at = at
        self.owner = owner
        self.acting_owner = ""
        self.policy = policy
        self.is_permanent = is_permanent
        self.is_call = is_call
        """Made by calling somebody; its maker's giving up ends it while nobody has come."""
        self.video_legs, self.audio_legs = video_legs, audio_legs
        self.answer_s = answer_s
        """So long a call rings."""
        self.link = ""
        self.epoch = 0
        """The newest one of those who came."""
        self.given = 0
        """The newest one that was given."""
        self.initiator = ""
        self.coming: dict[str, Leg] = {}
        """Devices that are about to come, as they will be."""
        self.legs: dict[str, Leg] = {}
        self.guests: dict[str, Guest] = {}
        self.lost: dict[str, float] = {}
        """Legs whose link broke, and when their grace is over."""
        self.ringing: dict[str, float] = {}
        """Who is called, and when that is over."""
        self.is_over = False

    # -- what is so

    def people(self) -> list[str]:
        """Who is inside, in the order in which they came."""
        return list(dict.fromkeys(leg.user for leg in self.legs.values()))

    def is_inside(self, user: str) -> bool:
        return any(leg.user == user for leg in self.legs.values())

    def is_there(self, user: str) -> bool:
        """Inside, by a link that is not broken."""
        return any(leg.user == user and not leg.is_lost for leg in self.legs.values())

    def is_owner(self, user: str) -> bool:
        """Whether they may do what owners do."""
        return bool(user) and user in (self.owner, self.acting_owner)

    def calls(self) -> list[Call]:
        """Who was called and has not come."""
        return [
            Call(user=user, status=one.status, by=one.by) for user, one in self.guests.items() if one.status is not None
        ]

    def shown(self) -> packets.Conference:
        """As its legs see it."""
        return packets.Conference(
            id=self.id,
            name=self.name,
            owner=self.owner,
            acting_owner=self.acting_owner,
            policy=self.policy,
            is_permanent=self.is_permanent,
            epoch=max(self.epoch, 1),
            at=self.at,
            legs=list(self.legs.values()),
            calls=self.calls(),
            video_legs=self.video_legs,
            audio_legs=self.audio_legs,
        )

    def may_join(self, user: str, *, has_friend: bool, by_link: bool = False) -> bool:
        """Rule 6.  has_friend: a friend of theirs is inside.  by_link: they have its link."""
        guest = self.guests.get(user, NOBODY)
        if user == self.owner or self.is_inside(user):
            return True
        if guest.is_removed:
            return False
        match self.policy:
            case Policy.OPEN:
                return True
            case Policy.LINK if by_link:
                return True
            case Policy.FRIENDS if has_friend:
                return True
            case _:
                return guest.may_come

    def view(
        self, user: str, friends: Collection[str], *, count: int, one_leg: bool = False, knows_owner: bool = True
    ) -> ConferenceView | None:
        """What somebody may see of it from outside, or from another device; None: nothing.

        friends: of theirs, inside.  count: people inside.  one_leg: nobody takes part by two devices.
        knows_owner: the owner is a friend of theirs; else whose it is would tell also the blocked where somebody is.
        """
        guest = self.guests.get(user, NOBODY)
        legs = [leg.id for leg in self.legs.values() if leg.user == user]
        is_invited = guest.may_come and not legs and guest.status is not None and guest.status is not CallStatus.ABORT
        is_seen = legs or friends or is_invited or self.policy is Policy.OPEN or user == self.owner
        if self.is_over or not is_seen:
            return None
        return ConferenceView(
            id=self.id,
            name=self.name,
            owner=self.owner if knows_owner or legs or user == self.owner else "",
            policy=self.policy,
            is_permanent=self.is_permanent,
            at=self.at,
            people=sorted([*friends, user] if legs else friends),
            count=count,
            legs=legs,
            may_join=(
                self.may_join(user, has_friend=bool(friends))
                and not (legs and one_leg)
                and not self.attendance.has_name(user, self.key, but=self.id)
            ),
            invited_by=guest.by if is_invited else "",
        )

    # -- coming

    def check_join(
        self, leg_id: str, user: str, *, has_friend: bool, by_link: bool = False, one_leg: bool = False
    ) -> None:
        """Raises Refusal: forbidden, already-there, too-many."""
        if not self.may_join(user, has_friend=has_friend, by_link=by_link):
            is_removed = self.guests.get(user, NOBODY).is_removed
            raise Refusal(ErrorCode.FORBIDDEN, ERROR_TEXT[ErrorCode.REMOVED] if is_removed else "You may not join it.")
        self.attendance.check_name(user, self.name, but=self.id)
        others = [leg for leg in self.legs.values() if leg.user == user and leg.id != leg_id]
        if one_leg and any(not leg.is_lost for leg in others):
            raise Refusal(ErrorCode.ALREADY_THERE, "You take part by another device.")
        if leg_id not in self.legs and len(self.legs) >= MAX_LEGS:
            raise Refusal(ErrorCode.TOO_MANY, "The conference is full.")
        if leg_id not in self.legs and len(others) >= MAX_DEVICES:
            raise Refusal(ErrorCode.TOO_MANY, "You take part by too many devices.")
        if not self.is_inside(user):
            self.attendance.check_count(user)

    def expect(self, leg_id: str, user: str, *, at: str, media: MediaKind = MediaKind.VIDEO) -> Leg:
        """A device is about to come, or to come again; `join` or `forget` follows.  Its epoch is given here."""
        if not self.initiator or not (self.legs or self.coming):
            self.initiator = leg_id
        self.given += 1
        leg = self._leg(leg_id, user, at, media)
        leg = self.coming[leg_id] = replace(leg, epoch=self.given, initiator=self.initiator)
        return leg

    def _leg(self, leg_id: str, user: str, at: str, media: MediaKind) -> Leg:
        """A leg that comes, or comes again; but for its epoch."""
        old, guest = self.legs.get(leg_id), self.guests.get(user, NOBODY)
        return Leg(
            id=leg_id,
            user=user,
            epoch=1,
            initiator=leg_id,
            media=self._allowed(leg_id, media),
            is_muted=bool(guest.muted_by),
            is_hidden=bool(guest.hidden_by),
            muted_by=guest.muted_by,
            hidden_by=guest.hidden_by,
            at=at if old is None else old.at,
        )

    def forget(self, expected: Leg) -> None:
        """A device does not come after all.  Its epoch was given in vain."""
        if self.coming.get(expected.id) is expected:
            del self.coming[expected.id]

    def join(
        self,
        leg_id: str,
        user: str,
        *,
        at: str,
        name: str = "",
        avatar: str = "",
        media: MediaKind = MediaKind.VIDEO,
        resume: bool = False,
        one_leg: bool = False,
        expected: Leg | None = None,
    ) -> Joined:
        """A device comes, comes again, or takes its place up again; `check_join` has said that it may.

        expected: what `expect` said of it.
        """
        old = self.legs.get(leg_id)
        self.lost.pop(leg_id, None)
        if old is not None and resume:
            leg = self.legs[leg_id] = replace(old, is_lost=False, name=name, avatar=avatar)
            events: list[Event] = [] if leg == old else [packets.ConferenceLegChanged(id=self.id, leg=leg)]
            return Joined(leg, events + self._came(user) + self._settle(), resumed=True, is_less=False)
        events = []
        if one_leg:
            for other in [one.id for one in self.legs.values() if one.user == user and one.id != leg_id]:
                events += self._drop(other, ErrorCode.REPLACED)
        expected = expected or self.expect(leg_id, user, at=at, media=media)
        self.forget(expected)
        self.epoch = max(self.epoch, expected.epoch)
        leg = replace(
            self._leg(leg_id, user, expected.at, media),
            name=name,
            avatar=avatar,
            epoch=expected.epoch,
            initiator=expected.initiator,
        )
        if not self.is_inside(user):
            self.attendance.came(user, self)
        self.legs[leg_id] = leg
        events.append(packets.ConferenceJoined(id=self.id, leg=leg))
        return Joined(leg, events + self._came(user) + self._settle(), resumed=False, is_less=leg.media is not media)

    def _came(self, user: str) -> list[Event]:
        """Whoever comes is called no more."""
        guest = self.guests.get(user, NOBODY)
        self.ringing.pop(user, None)
        if guest.status is None and not guest.is_removed:
            return []
        self.guests[user] = replace(guest, status=None, is_removed=False)
        return [] if guest.status is None else [packets.ConferenceChanged(id=self.id, calls=self.calls())]

    def _allowed(self, leg_id: str, wanted: MediaKind) -> MediaKind:
        """Rule 7."""
        old = self.legs.get(leg_id)
        if old is not None and RANK[old.media] >= RANK[wanted]:
            return wanted
        sending = sum(one.media is not MediaKind.TEXT and one.id != leg_id for one in self.legs.values())
        if wanted is MediaKind.TEXT or sending >= self.audio_legs:
            return MediaKind.TEXT
        return MediaKind.AUDIO if sending >= self.video_legs else wanted

    # -- going

    def leave(self, leg_id: str) -> list[Event]:
        """A device leaves on purpose.  Raises Refusal: not-inside."""
        user = self.leg(leg_id).user
        events = self._drop(leg_id, ErrorCode.LOGGED_OUT)
        if user == self.owner and self.legs and not self.is_inside(user) and not self.is_permanent:
            return self._end(ErrorCode.OWNER_LEFT, by=user)
        return events + self._settle()

    def lose(self, leg_id: str, now: float) -> list[Event]:
        """A device's link broke."""
        leg = self.legs[leg_id] = replace(self.legs[leg_id], is_lost=True)
        self.lost[leg_id] = now + LEG_GRACE_S
        return [packets.ConferenceLegChanged(id=self.id, leg=leg), *self._settle()]

    def drop(self, leg_ids: Iterable[str], code: ErrorCode) -> list[Event]:
        """Devices are gone, and did not leave on purpose."""
        events: list[Event] = []
        for leg_id in leg_ids:
            events += self._drop(leg_id, code)
        return events + self._settle()

    def remove(self, by: str, leg_id: str, *, is_admin: bool = False) -> list[Event]:
        """The owner puts somebody out, with all their devices.  Raises Refusal: forbidden, not-inside, self."""
        self._check_owner(by, is_admin=is_admin)
        user = self.leg(leg_id).user
        if user == by:
            raise Refusal(ErrorCode.SELF)
        guest = self.guests.get(user, NOBODY)
        self.guests[user] = replace(guest, may_come=False, is_removed=True, status=None)
        return self.drop([one.id for one in self.legs.values() if one.user == user], ErrorCode.REMOVED)

    def expire(self, now: float) -> list[Event]:
        """Those whose grace is over are gone."""
        return self.drop([leg_id for leg_id, end in self.lost.items() if end <= now], ErrorCode.OFFLINE)

    def _drop(self, leg_id: str, code: ErrorCode) -> list[Event]:
        leg = self.legs.pop(leg_id)
        self.lost.pop(leg_id, None)
        if not self.is_inside(leg.user):
            self.attendance.left(leg.user, self)
        return [packets.ConferenceLeft(id=self.id, leg=leg_id, code=code, reason=ERROR_TEXT[code])]

    def _settle(self) -> list[Event]:
        """Rules 3 and 4, after somebody came or went."""
        if not self.legs and not self.is_permanent:
            return self._end(ErrorCode.EMPTY)
        acting = self._acting()
        if acting == self.acting_owner:
            return []
        self.acting_owner = acting
        return [packets.ConferenceChanged(id=self.id, acting_owner=acting)]

    def _acting(self) -> str:
        """Who stands in for the owner now; empty: the owner is there, or there is none."""
        if not self.owner or self.is_inside(self.owner):
            return ""
        if self.acting_owner and self.is_inside(self.acting_owner):
            return self.acting_owner
        present = [leg.user for leg in self.legs.values() if not leg.is_lost]
        return next(iter(present or self.people()), "")

    def _end(self, code: ErrorCode, by: str = "") -> list[Event]:
        self.is_over = True
        for user in self.people():
            self.attendance.left(user, self)
        self.legs.clear()
        self.lost.clear()
        reason = ERROR_TEXT[code]
        return [packets.ConferenceEnded(id=self.id, name=self.name, code=code, reason=reason, by=by)]

    # -- what owners do

    def _check_owner(self, by: str, *, is_admin: bool = False) -> None:
        """is_admin: an administrator of the server, who keeps order where there is no owner."""
        if not self.is_owner(by) and not (is_admin and not self.owner):
            raise Refusal(ErrorCode.FORBIDDEN, "Only its owner may do this.")

    def end(self, by: str, code: ErrorCode = ErrorCode.ENDED) -> list[Event]:
        """The owner ends it for all.  Raises Refusal: forbidden."""
        if self.is_permanent:
            raise Refusal(ErrorCode.FORBIDDEN, "This conference is permanent.")
        self._check_owner(by)
        return self._end(code, by)

    def rename(self, by: str, name: str) -> list[Event]:
        """Raises Refusal: forbidden, already-there."""
        self._check_owner(by)
        if any(self.attendance.has_name(user, name_key(name), but=self.id) for user in self.people()):
            raise Refusal(ErrorCode.ALREADY_THERE, "Somebody who is inside is in another conference of that name.")
        if name == self.name:
            return []
        self.name, self.key = name, name_key(name)
        return [packets.ConferenceChanged(id=self.id, name=name, by=by)]

    def transfer(self, by: str, to: str) -> list[Event]:
        """Raises Refusal: forbidden, not-inside, already-there."""
        self._check_owner(by)
        if by != self.owner:
            raise Refusal(ErrorCode.FORBIDDEN, "Only its owner may hand it over, not who stands in for them.")
        if not self.is_inside(to):
            raise Refusal(ErrorCode.NOT_INSIDE, f"{to} is not inside.")
        if to == self.owner:
            raise Refusal(ErrorCode.ALREADY_THERE)
        acting = "" if self.acting_owner else None
        self.owner, self.acting_owner = to, ""
        return [packets.ConferenceChanged(id=self.id, owner=to, acting_owner=acting, by=by)]

    def set_policy(self, by: str, policy: Policy) -> list[Event]:
        """Raises Refusal: forbidden."""
        self._check_owner(by)
        if policy is self.policy:
            return []
        self.policy = policy
        return [packets.ConferenceChanged(id=self.id, policy=policy, by=by)]

    def mute(
        self, by: str, leg_id: str, *, audio: bool | None = None, video: bool | None = None, is_admin: bool = False
    ) -> list[Event]:
        """Switch somebody's microphone or camera off, or let it on.  Raises Refusal: forbidden, not-inside."""
        self._check_owner(by, is_admin=is_admin)
        leg = self.leg(leg_id)
        guest = self.guests.get(leg.user, NOBODY)
        others = [one for one in self.legs.values() if one.user == leg.user and one is not leg]
        changed = leg
        if audio is not None:
            changed = replace(changed, muted_by=by if audio else "", is_muted=audio or leg.is_muted)
            by_others = next((one.muted_by for one in others if one.muted_by), "")
            guest = replace(guest, muted_by=changed.muted_by or by_others)
        if video is not None:
            changed = replace(
                changed,
                hidden_by=by if video else "",
                is_hidden=video or leg.is_hidden,
                is_sharing=leg.is_sharing and not video,
            )
            by_others = next((one.hidden_by for one in others if one.hidden_by), "")
            guest = replace(guest, hidden_by=changed.hidden_by or by_others)
        if leg.asks and (audio is False or video is False):
            changed = replace(changed, asks=False)
        if guest != self.guests.get(leg.user, NOBODY):
            self.guests[leg.user] = guest
        return self._changed(leg, changed)

    # -- what legs do

    def leg(self, leg_id: str) -> Leg:
        """Raises Refusal: not-inside."""
        leg = self.find(leg_id)
        if leg is None:
            raise Refusal(ErrorCode.NOT_INSIDE)
        return leg

    def find(self, leg_id: str) -> Leg | None:
        """A leg, also when somebody has changed the letter case of its address, as other programs do (row V35)."""
        address, _, device = leg_id.partition("/")
        return self.legs.get(leg_id) or self.legs.get(f"{address.lower()}/{device}")

    def set_leg(
        self,
        leg_id: str,
        *,
        is_muted: bool | None = None,
        is_hidden: bool | None = None,
        is_sharing: bool | None = None,
        held: bool | None = None,
        asks: bool | None = None,
    ) -> list[Event]:
        """A leg says how it is; None stays.  Raises Refusal: not-inside, forbidden."""
        leg = self.leg(leg_id)
        if leg.muted_by and is_muted is False:
            raise Refusal(ErrorCode.FORBIDDEN, "The owner has switched your microphone off.")
        if leg.hidden_by and (is_hidden is False or is_sharing):
            raise Refusal(ErrorCode.FORBIDDEN, "The owner has switched your camera off.")
        changed = replace(
            leg,
            is_muted=leg.is_muted if is_muted is None else is_muted,
            is_hidden=leg.is_hidden if is_hidden is None else is_hidden,
            is_sharing=leg.is_sharing if is_sharing is None else is_sharing,
            held=leg.held if held is None else held,
            asks=leg.asks if asks is None else asks,
        )
        return self._changed(leg, changed)

    def introduce(self, user: str, name: str, avatar: str) -> list[Event]:
        """Somebody calls themselves otherwise."""
        events: list[Event] = []
        for leg in [one for one in self.legs.values() if one.user == user]:
            events += self._changed(leg, replace(leg, name=name, avatar=avatar))
        return events

    def _changed(self, old: Leg, new: Leg) -> list[Event]:
        if new == old:
            return []
        self.legs[new.id] = new
        return [packets.ConferenceLegChanged(id=self.id, leg=new)]

    # -- calling

    def check_call(self, by: str, user: str) -> None:
        """Raises Refusal: already-there (inside, or called), forbidden, too-many."""
        if self.is_there(user):
            raise Refusal(ErrorCode.ALREADY_THERE, f"{user} is inside.")
        if user in self.ringing:
            raise Refusal(ErrorCode.ALREADY_THERE, f"{user} is being called.")
        if self.guests.get(user, NOBODY).is_removed and not self.is_owner(by):
            raise Refusal(ErrorCode.FORBIDDEN, f"Only the owner may invite {user} again.")
        if len(self.ringing) >= MAX_RINGING:
            raise Refusal(ErrorCode.TOO_MANY, "Too many are being called at once.")
        if user not in self.guests and len(self.guests) >= MAX_GUESTS and self._longest_invited() is None:
            raise Refusal(ErrorCode.TOO_MANY)

    def _longest_invited(self) -> str | None:
        """Whom to forget first: who was called long ago, and of whom nothing else is remembered."""
        for user, guest in self.guests.items():
            is_plain = not (guest.is_removed or guest.muted_by or guest.hidden_by)
            if is_plain and user not in self.ringing and not self.is_inside(user):
                return user
        return None

    def _forget_calls(self) -> None:
        """Remember of calls in vain only the last ones, and of people no more than there is room for."""
        in_vain = [one for one, guest in self.guests.items() if guest.status is not None and one not in self.ringing]
        for user in in_vain[:-MAX_OUTCOMES]:
            self.guests[user] = replace(self.guests[user], status=None)
        while len(self.guests) > MAX_GUESTS and (user := self._longest_invited()) is not None:
            del self.guests[user]

    def call(
        self, by: str, users: Iterable[str], now: float, *, again: bool = False, silent: Collection[str] = ()
    ) -> list[Event]:
        """Call people; `check_call` has said of each that it may be.  silent: who must not notice."""
        status = CallStatus.REINVITE if again else CallStatus.INITIATE
        for user in users:
            guest = self.guests.pop(user, NOBODY)
            is_silent = user in silent
            self.guests[user] = replace(
                guest,
                may_come=guest.may_come if is_silent else True,
                is_removed=guest.is_removed and is_silent,
                by=by,
                status=status,
                is_silent=is_silent,
                entry=0,
            )
            self.ringing[user] = now + self.answer_s
        self._forget_calls()
        return [packets.ConferenceChanged(id=self.id, calls=self.calls())]

    def is_called(self, user: str) -> bool:
        """Whether a call waits for their answer."""
        return user in self.ringing and not self.guests[user].is_silent

    def end_call(self, user: str, status: CallStatus, *, is_given_up: bool = False) -> list[Event]:
        """A call is over without their coming.  is_given_up: by who called; so is the invitation."""
        del self.ringing[user]
        guest = self.guests[user]
        self.guests[user] = replace(guest, status=status, may_come=guest.may_come and not is_given_up)
        return [packets.ConferenceChanged(id=self.id, calls=self.calls())]

    def forget_person(self, user: str) -> list[Event]:
        """Their account is gone; they are not inside, and nobody waits for their answer."""
        guest = self.guests.pop(user, NOBODY)
        return [] if guest.status is None else [packets.ConferenceChanged(id=self.id, calls=self.calls())]

    def unanswered(self, now: float) -> list[str]:
        """Whom it has rung for too long."""
        return [user for user, end in self.ringing.items() if end <= now]

    # -- time

    def next_deadline(self) -> float | None:
        """When `expire` or `unanswered` will find something."""
        return min([*self.lost.values(), *self.ringing.values()], default=None)
