"""The conferences of this server in memory: who is told what, and what is saved.

A *hall* is a conference with what the server knows around it: the sessions of its legs, the accounts of its people,
what those outside were told.  `core.conference` says what happens; here its events are encoded once and put to every
leg, and at the end of the tick

- each account that may see something of the hall is told its view, if that is new for it (row A28: also when what
  changed was a friendship), and
- what is different from what is saved is saved, one save of a hall at a time.  Events do not wait for it: after a
  crash the last instants may be lost.

A device that comes is the exception: `expect` writes its leg down, with the epoch that it gets, before it is inside
and anybody is told.  So a crash forgets no leg that was told that it is inside, and no epoch is given twice.  Those
who come at once are written down with one commit.

After a restart every leg is lost and has its grace; a device that resumes keeps its epoch, so media that runs from
leg to leg goes on.

A leg whose link is full misses events, as it misses marks; when the link has drained it is told the conference whole.

Source: rows A14, A28, A33, A47, X06, X07, X16.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import structlog
from msgspec.structs import replace

from veche.core.conference import Attendance, Conference, Event, Guest, Refusal
from veche.packets import ErrorCode, Packet
from veche.packets import conference as packets
from veche.packets.conference import CallStatus, ConferenceView, Leg, MediaKind, Policy
from veche.storage import accounts, contacts
from veche.storage import conferences as storage
from veche.storage.conferences import THE_CONFERENCE, ConferenceRow, Difference, GuestRow
from veche.storage.database import StorageError

from .hall_rows import device_of, guest_of, guest_row, leg_of, leg_row, us_of
from .live import LiveAccount
from .session import JSON, Session

if TYPE_CHECKING:
    from .app import HomeServer

log: structlog.stdlib.BoundLogger = structlog.get_logger()

THE_NAME = "Veche"
MAX_OPEN = 5
"""Conferences of one owner that are open to everybody."""
MANY_VIEWERS = 100
QUIET_S = 0.25
"""A hall that so many may see tells them of news at most so often."""


class Ring(NamedTuple):
    """A call that waits."""

    caller: LiveAccount
    packet: packets.Called
    """What the called are told."""


class Save(NamedTuple):
    """A hall as it is being saved."""

    hall: Hall
    row: ConferenceRow | None
    legs: dict[str, tuple[int, Leg]]
    guests: dict[str, tuple[int, Guest]]
    difference: Difference | None
    """None: it is over, and is deleted."""
    waiting: list[asyncio.Future[None]]


class Hall:
    """One conference and what surrounds it."""

    __slots__ = (
        "accounts",
        "here",
        "is_saving",
        "key",
        "number",
        "places",
        "rings",
        "saved_guests",
        "saved_legs",
        "saved_row",
        "sessions",
        "state",
        "told_at",
        "viewers",
        "waiting",
    )

    def __init__(self, state: Conference, number: int) -> None:
        self.state = state
        self.number = number
        self.sessions: dict[str, Session] = {}
        """Of its legs that are not lost."""
        self.accounts: dict[str, LiveAccount] = {}
        """By address: those inside, and those whom it remembers."""
        self.here: set[int] = set()
        """Accounts inside."""
        self.rings: dict[str, Ring] = {}
        """By the address of who is called."""
        self.viewers: set[int] = set()
        """Accounts with a session that were told a view."""
        self.told_at = float("-inf")
        self.key = ""
        """Of its name, while it can be found."""
        self.is_saving = False
        self.waiting: list[asyncio.Future[None]] = []
        """Done by the next save."""
        self.places: dict[str, int] = {}
        """Numbers of the legs, ascending in the order in which they came."""
        self.saved_row: ConferenceRow | None = None
        self.saved_legs: dict[str, tuple[int, Leg]] = {}
        """By leg: its account, and how it is saved."""
        self.saved_guests: dict[str, tuple[int, Guest]] = {}


class Halls:
    """All conferences of a server."""

    def __init__(self, app: HomeServer) -> None:
        self.app = app
        self.attendance = Attendance()
        self.by_id: dict[str, Hall] = {}
        self.of_session: dict[Session, dict[str, Hall]] = {}
        """Where a session has its leg."""
        self.inside: dict[int, set[Hall]] = {}
        """By account: where they are."""
        self.guests: dict[int, set[Hall]] = {}
        """By account: where they are, or are remembered, or what is theirs."""
        self.open: set[Hall] = set()
        """What everybody may see."""
        self.by_key: dict[str, set[Hall]] = {}
        """By what names have in common when people would take them for one."""
        self.told: dict[int, dict[str, ConferenceView]] = {}
        """By account with a session: what they were told."""
        self.on_over: Callable[[Hall], None] = lambda hall: None
        """Called when one is over, while its people are still known."""
        self.on_came: Callable[[Hall, LiveAccount], None] = lambda hall, account: None
        """Called when somebody who was called is inside."""
        self.on_unanswered: Callable[[Hall, str], None] = lambda hall, user: None
        """Called when somebody has let a call ring for too long."""
        self.on_deleted: Callable[[Hall, LiveAccount], None] = lambda hall, account: None
        """Called when an account is gone that a hall knows; it is not inside."""
        self._news: set[Hall] = set()
        self._unsaved: set[Hall] = set()
        self._doubtful: set[Hall] = set()
        """What could not be saved: each of these alone, so that one cannot hold up the others."""
        self._is_due = self._is_quiet = False
        """The end of the tick is waited for; the time after which many are told of news."""

    # -- making and finding

    def new_state(
        self,
        id: str,
        name: str,
        owner: str,
        policy: Policy,
        at: int,
        *,
        is_permanent: bool = False,
        is_call: bool = False,
    ) -> Conference:
        config = self.app.config
        return Conference(
            self.attendance,
            id,
            name,
            at=self.app.instant(at),
            owner=owner,
            policy=policy,
            is_permanent=is_permanent,
            is_call=is_call,
            video_legs=config.video_legs,
            audio_legs=max(config.audio_legs, config.video_legs),
            answer_s=config.call_timeout,
        )

    async def create(
        self, owner: LiveAccount, name: str, policy: Policy, leg_id: str, media: MediaKind, *, is_call: bool = False
    ) -> tuple[Hall, Leg]:
        """A new conference of somebody, stored, with nobody inside, and its first leg, expected.

        Raises StorageError.
        """
        now = self.app.now_us()
        state = self.new_state(secrets.token_urlsafe(16), name, owner.address, policy, now, is_call=is_call)
        expected = state.expect(leg_id, owner.address, at=self.app.instant(now), media=media)
        hall = Hall(state, 0)
        hall.accounts[owner.address] = owner
        row, (legs, guests) = self._row(hall), self._people(hall)
        difference = self._difference(hall, None, legs, guests)
        hall.number = await self.app.database.write(storage.create(row, difference))
        hall.saved_row, hall.saved_legs = row._replace(number=hall.number), legs
        return hall, expected

    async def expect(self, hall: Hall, account: LiveAccount, leg_id: str, media: MediaKind) -> Leg:
        """A device is about to come: write its leg down.  `join` or `forget` follows.  Raises StorageError."""
        app = self.app
        hall.accounts[account.address] = account
        expected = hall.state.expect(leg_id, account.address, at=app.instant(app.now_us()), media=media)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        hall.waiting.append(future)
        self._unsaved.add(hall)
        self._soon()
        try:
            await future
        except StorageError:
            self.forget(hall, expected)
            raise
        return expected

    def forget(self, hall: Hall, expected: Leg) -> None:
        """A device does not come after all."""
        hall.state.forget(expected)
        self._index(hall)
        self.changed(hall)

    def open_hall(self, hall: Hall) -> None:
        """From now on it can be found."""
        self.by_id[hall.state.id] = hall
        self._index(hall)

    async def discard(self, hall: Hall) -> None:
        """It was made in vain, and nobody has come."""
        hall.state.is_over = True
        self.by_id.pop(hall.state.id, None)
        self._index(hall)
        await self.app.database.write(storage.delete(hall.number))

    def find(self, id: str, account: LiveAccount) -> Hall | None:
        """The conference, if that account may see it."""
        hall = self.by_id.get(id)
        return None if hall is None or self.view(hall, account) is None else hall

    def seen_by(self, account: LiveAccount) -> list[Hall]:
        """What an account may see; THE CONFERENCE first, then by name."""
        found = {*self.open, *self.inside.get(account.id, ()), *self.guests.get(account.id, ())}
        for friend in account.friends & self.inside.keys():
            found |= self.inside[friend]
        seen = [hall for hall in found if self.view(hall, account) is not None]
        return sorted(seen, key=lambda hall: (hall.state.id != THE_CONFERENCE, hall.state.key, hall.state.id))

    def check_open(self, owner: str) -> None:
        """One more conference of theirs may be open: everybody is told of it.  Raises Refusal: too-many."""
        if sum(hall.state.owner == owner for hall in self.open) >= MAX_OPEN:
            raise Refusal(ErrorCode.TOO_MANY, "Too many conferences of one owner are open to everybody.")

    def has_friend(self, hall: Hall, account: LiveAccount) -> bool:
        """Whether somebody inside is a friend, and neither blocks the other."""
        return not account.friends.isdisjoint(hall.here)

    # -- views

    def view(self, hall: Hall, account: LiveAccount) -> ConferenceView | None:
        """What an account may see of it."""
        common = account.friends & hall.here
        friends = [a.address for id in common if (a := self.app.directory.find(id)) is not None] if common else []
        owner = hall.accounts.get(hall.state.owner)
        return hall.state.view(
            account.address,
            friends,
            count=len(hall.here),
            one_leg=self.app.config.one_leg_per_user,
            knows_owner=owner is None or owner.id in account.friends,
        )

    def views(self, account: LiveAccount) -> list[ConferenceView]:
        """All that an account may see."""
        return [view for hall in self.seen_by(account) if (view := self.view(hall, account)) is not None]

    def snapshot(self, account: LiveAccount) -> list[ConferenceView]:
        """The same for a SNAPSHOT: events follow from here."""
        self.flush()
        views = self.views(account)
        self.told[account.id] = {view.id: view for view in views}
        for view in views:
            self.by_id[view.id].viewers.add(account.id)
        return views

    def forget_told(self, account: LiveAccount) -> None:
        """The last session of an account is gone."""
        for id in self.told.pop(account.id, {}):
            if id in self.by_id:
                self.by_id[id].viewers.discard(account.id)

    def friends_changed(self, *accounts: LiveAccount) -> None:
        """Something between these people has changed: they may see more of each other's conferences, or less."""
        for account in accounts:
            self._news |= self.inside.get(account.id, set())
            self._news |= {one for one in self.guests.get(account.id, ()) if one.state.owner == account.address}
        self._soon()

    def _tell_views(self, hall: Hall) -> None:
        """Tell everybody who may see something of it what is new for them."""
        told = self.told
        if hall in self.open:
            candidates: set[int] = set(told)
        else:
            candidates = set(hall.viewers)
            for account in hall.accounts.values():
                candidates.add(account.id)
                if account.id in hall.here:
                    candidates |= account.friends
            candidates &= told.keys()
        id = hall.state.id
        last_view, line = None, b""
        stranger: ConferenceView | None = None
        known = {account.id for account in hall.accounts.values()}
        for account_id in candidates:
            account = self.app.directory.find(account_id)
            if account is None:
                continue
            is_stranger = (
                account_id not in known
                and account.friends.isdisjoint(known)
                and not self.attendance.has_name(account.address, hall.state.key, but=id)
            )
            if not is_stranger:
                view = self.view(hall, account)
            else:
                stranger = stranger or self.view(hall, account)
                view = stranger
            before = told[account_id].get(id)
            if view == before:
                continue
            if view is None:
                del told[account_id][id]
                hall.viewers.discard(account_id)
                self.put(account.sessions, packets.ConferenceUnseen(id=id))
                continue
            told[account_id][id] = view
            hall.viewers.add(account_id)
            packet = packets.ConferenceSeen(conference=view)
            if view is not last_view:
                last_view, line = view, JSON.encode(packet)
            self.put(account.sessions, packet, line)

    def put(self, sessions: Iterable[Session], packet: Packet, line: bytes = b"") -> None:
        """Tell something that is not in the log to some sessions.  line: the packet, if it is encoded already."""
        line = line or JSON.encode(packet)
        for session in sessions:
            feed = session.feed
            if feed is None:
                continue
            if not feed.takes_marks:
                feed.missed_marks = True
            elif session.is_json:
                session.link.put(line)
            else:
                session.send(packet)

    # -- telling legs

    def tell(self, hall: Hall, packet: Packet, but: Session | None = None) -> None:
        """Tell all legs; it is encoded once."""
        line = JSON.encode(packet)
        deliveries = 0
        for session in hall.sessions.values():
            if session is but:
                continue
            feed = session.feed
            if not feed.takes_marks:  # type: ignore[union-attr]
                feed.missed_marks = True  # type: ignore[union-attr]
            elif session.is_json:
                session.link.put(line)
                deliveries += 1
            else:
                session.send(packet)
                deliveries += 1
        self.app.counters.deliveries += deliveries

    def announce(self, hall: Hall, events: Sequence[Event], but: Session | None = None) -> None:
        """Something happened in a hall: tell its legs; views and saving follow at the end of the tick."""
        for event in events:
            match event:
                case packets.ConferenceLeft():
                    self.tell(hall, event, but)
                    self.detach(hall, event.leg)
                case packets.ConferenceEnded():
                    self.tell(hall, event, but)
                    for leg_id in list(hall.sessions):
                        self.detach(hall, leg_id)
                case _:
                    self.tell(hall, event, but)
        if hall.state.is_over:
            self.on_over(hall)
            self.by_id.pop(hall.state.id, None)
        if hall.state.is_over or not all(isinstance(event, packets.ConferenceLegChanged) for event in events):
            self._index(hall)  # else it is as it was, and to look costs more than to tell everybody
        self.changed(hall)

    def changed(self, hall: Hall) -> None:
        """Something of it is to be saved, and perhaps to be seen."""
        self._news.add(hall)
        self._unsaved.add(hall)
        self._soon()

    def attach(self, hall: Hall, leg_id: str, session: Session) -> None:
        """The session is now that leg."""
        hall.sessions[leg_id] = session
        self.of_session.setdefault(session, {})[hall.state.id] = hall

    def detach(self, hall: Hall, leg_id: str) -> None:
        """No session is that leg any more."""
        session = hall.sessions.pop(leg_id, None)
        if session is not None and (mine := self.of_session.get(session)) is not None:
            mine.pop(hall.state.id, None)
            if not mine:
                del self.of_session[session]

    def _index(self, hall: Hall) -> None:
        """Who is inside, who is remembered, whether it is open."""
        state = hall.state
        here = {hall.accounts[user].id for user in state.people()}
        for gone in hall.here - here:
            mine = self.inside[gone]
            mine.discard(hall)
            if not mine:
                del self.inside[gone]
        for new in here - hall.here:
            self.inside.setdefault(new, set()).add(hall)
        self._index_name(hall, here)
        hall.here = here
        coming = {leg.user for leg in state.coming.values()}
        for address, account in list(hall.accounts.items()):
            is_known = account.id in here or address in state.guests or state.is_owner(address) or address in coming
            if is_known and not state.is_over:
                self.guests.setdefault(account.id, set()).add(hall)
                continue
            del hall.accounts[address]
            if (mine := self.guests.get(account.id)) is not None:
                mine.discard(hall)
                if not mine:
                    del self.guests[account.id]
        if state.policy is Policy.OPEN and not state.is_over:
            self.open.add(hall)
        else:
            self.open.discard(hall)

    def _index_name(self, hall: Hall, here: set[int]) -> None:
        """Who comes or goes may not, or may again, come into others of the name (row A40).  here: who is inside now."""
        old, new = hall.key, "" if hall.state.is_over else hall.state.key
        concerned = hall.here ^ here if old == new else hall.here | here
        for key in {old, new}:
            for other in self.by_key.get(key, ()):
                if other is not hall and not concerned.isdisjoint(other.viewers):
                    self._news.add(other)
        if old != new:
            hall.key = new
            if (known := self.by_key.get(old)) is not None:
                known.discard(hall)
                if not known:
                    del self.by_key[old]
            if new:
                self.by_key.setdefault(new, set()).add(hall)

    # -- the end of a tick

    def _soon(self) -> None:
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._due)

    def _due(self) -> None:
        self._is_due = False
        now = self.app.monotonic()
        for hall in list(self._news):
            if len(hall.viewers) < MANY_VIEWERS or now - hall.told_at >= QUIET_S or now < hall.told_at:
                self._news.discard(hall)
                hall.told_at = now
                self._tell_views(hall)
        self._save()
        if self._news and not self._is_quiet:
            self._is_quiet = True  # what has to be saved meanwhile does not wait for it
            self.app.call_later(QUIET_S, self._quiet_over)

    def _quiet_over(self) -> None:
        self._is_quiet = False
        self._soon()

    def flush(self) -> None:
        """Tell the news now."""
        news, self._news = self._news, set()
        for hall in news:
            self._tell_views(hall)

    # -- saving

    def _save(self) -> None:
        """Save what is different, all with one piece of work; of each hall one save at a time."""
        saves: list[Save] = []
        for hall in [one for one in self._unsaved if not one.is_saving]:
            self._unsaved.discard(hall)
            if hall.state.is_over:
                save = Save(hall, None, {}, {}, None, hall.waiting)
            else:
                row, (legs, guests) = self._row(hall), self._people(hall)
                save = Save(hall, row, legs, guests, self._difference(hall, row, legs, guests), hall.waiting)
                if not any(save.difference or ()) and not hall.waiting:
                    continue
            hall.is_saving = True
            hall.waiting = []
            if hall in self._doubtful:
                self._write([save])
            else:
                saves.append(save)
        if saves:
            self._write(saves)

    def _write(self, saves: list[Save]) -> None:
        changed = [(one.hall.number, one.difference) for one in saves if one.difference is not None]
        ended = [one.hall.number for one in saves if one.difference is None]
        future = self.app.database.write(storage.save(changed, ended))
        future.add_done_callback(lambda future: self._saved(saves, future))

    def _saved(self, saves: list[Save], future: asyncio.Future[None]) -> None:
        error = None if future.cancelled() else future.exception()
        if error is not None:
            trace = None if isinstance(error, StorageError) else error
            log.error("conference.unsaved", error=str(error), exc_info=trace)
        for hall, row, legs, guests, _, waiting in saves:
            hall.is_saving = False
            if error is None:
                hall.saved_row, hall.saved_legs, hall.saved_guests = row, legs, guests
                self._doubtful.discard(hall)
            else:
                self._unsaved.add(hall)  # the sweep tries again
                self._doubtful.add(hall)
            for one in waiting:
                if one.done():
                    continue
                if error is None:
                    one.set_result(None)
                else:
                    one.set_exception(error if isinstance(error, StorageError) else StorageError(str(error)))
        if error is None and self._unsaved:
            self._soon()

    def _people(self, hall: Hall) -> tuple[dict[str, tuple[int, Leg]], dict[str, tuple[int, Guest]]]:
        """The legs, those that are about to come among them, and whom the conference remembers, as they are saved."""
        state, accounts = hall.state, hall.accounts
        legs = {
            leg.id: (accounts[leg.user].id, replace(leg, is_lost=False, name="", avatar=""))
            for leg in (state.legs | state.coming).values()
        }
        return legs, {user: (accounts[user].id, guest) for user, guest in state.guests.items()}

    def _row(self, hall: Hall) -> ConferenceRow:
        state = hall.state
        return ConferenceRow(
            number=hall.number,
            id=state.id,
            name=state.name,
            owner_id=self._id(hall, state.owner),
            acting_id=self._id(hall, state.acting_owner),
            policy=state.policy.value,
            is_permanent=int(state.is_permanent),
            is_call=int(state.is_call),
            link=state.link,
            initiator=state.initiator,
            epoch=state.given,
            created_at=us_of(state.at),
        )

    def _id(self, hall: Hall, address: str) -> int | None:
        return hall.accounts[address].id if address else None

    def _difference(
        self,
        hall: Hall,
        row: ConferenceRow | None,
        legs: dict[str, tuple[int, Leg]],
        guests: dict[str, tuple[int, Guest]],
    ) -> Difference:
        places = hall.places
        for gone in places.keys() - legs.keys():
            del places[gone]
        for leg_id in legs:
            if leg_id not in places:
                places[leg_id] = max(places.values(), default=0) + 1
        return Difference(
            row=None if row == hall.saved_row else row,
            legs=[
                leg_row(account_id, places[leg_id], leg)
                for leg_id, (account_id, leg) in legs.items()
                if hall.saved_legs.get(leg_id) != (account_id, leg)
            ],
            gone_legs=[
                (account_id, device_of(leg)) for id, (account_id, leg) in hall.saved_legs.items() if id not in legs
            ],
            guests=[
                guest_row(account_id, guest)
                for user, (account_id, guest) in guests.items()
                if hall.saved_guests.get(user) != (account_id, guest)
            ],
            gone_guests=[id for user, (id, _) in hall.saved_guests.items() if user not in guests],
        )

    # -- start, time

    async def load(self) -> None:
        """Take up what was saved; every leg is lost.  Makes THE CONFERENCE when there is none.  Raises StorageError."""
        app = self.app
        await app.database.write(storage.forget_old_rooms())
        for saved in await app.database.read(storage.all()):
            await self._load(saved)
        if THE_CONFERENCE not in self.by_id:
            state = self.new_state(THE_CONFERENCE, THE_NAME, "", Policy.OPEN, app.now_us(), is_permanent=True)
            hall = Hall(state, 0)
            hall.number = await app.database.write(storage.create(self._row(hall), Difference()))
            self.open_hall(hall)
        for account_id in self.inside:
            account = app.directory.find(account_id)
            if account is not None:
                rows = await app.database.find(contacts.all(account_id))
                account.friends = {row.peer_id for row in rows if contacts.are_open(row)}

    async def _load(self, saved: storage.Saved) -> None:
        app, row = self.app, saved.row
        directory, now = app.directory, app.monotonic()

        async def account_of(id: int) -> tuple[LiveAccount, storage.Person]:
            person = await app.database.find(storage.person(id))
            return directory.live(id, person.login), person

        state = self.new_state(
            row.id,
            row.name,
            "",
            Policy(row.policy),
            row.created_at,
            is_permanent=bool(row.is_permanent),
            is_call=bool(row.is_call),
        )
        state.link, state.initiator = row.link, row.initiator
        state.epoch = state.given = row.epoch
        hall = Hall(state, row.number)
        for role, id in (("owner", row.owner_id), ("acting_owner", row.acting_id)):
            if id is not None:
                account, _ = await account_of(id)
                hall.accounts[account.address] = account
                setattr(state, role, account.address)
        for guest in saved.guests:
            account, _ = await account_of(guest.account_id)
            hall.accounts[account.address] = account
            state.guests[account.address] = guest_of(guest)
            if guest.status in (CallStatus.INITIATE, CallStatus.REINVITE):
                await self._ring_again(hall, account.address, guest)
        for leg in saved.legs:
            account, person = await account_of(leg.account_id)
            hall.accounts[account.address] = account
            made = leg_of(leg, account.address, person, app.instant(leg.at))
            hall.saved_legs[made.id] = account.id, replace(made, name="", avatar="")
            hall.places[made.id] = leg.place
            if not state.is_inside(account.address):
                self.attendance.came(account.address, state)
            state.legs[made.id] = replace(made, is_lost=True)
            state.lost[made.id] = now + packets.LEG_GRACE_S
        hall.saved_guests = {user: (hall.accounts[user].id, guest) for user, guest in state.guests.items()}
        self.open_hall(hall)
        self.changed(hall)

    async def _ring_again(self, hall: Hall, called: str, guest: GuestRow) -> None:
        """A call that the restart found waiting goes on."""
        app, state = self.app, hall.state
        found = await app.database.find(accounts.find(guest.called_by.partition("@")[0]))
        if found is None or found.deleted_at is not None:
            state.guests[called] = replace(state.guests[called], status=CallStatus.MISSED)
            return
        caller = app.directory.live(found.id, found.login)
        state.ringing[called] = app.monotonic() + state.answer_s
        hall.rings[called] = Ring(
            caller,
            packets.Called(
                id=state.id,
                status=CallStatus(guest.status),
                from_=caller.address,
                initiator=caller.address,
                users=[called],
                name=state.name,
                at=app.instant(app.now_us()),
            ),
        )

    def sweep(self, now: float) -> None:
        """Once a second: graces and calls that are over."""
        for hall in list(self.by_id.values()):
            state = hall.state
            deadline = state.next_deadline()
            if deadline is None:
                if not state.legs and not state.is_permanent:  # loaded with nobody left in it
                    self.announce(hall, state.drop((), ErrorCode.OFFLINE))
                continue
            if deadline > now:
                continue
            for user in state.unanswered(now):
                self.on_unanswered(hall, user)
            if not state.is_over and any(end <= now for end in state.lost.values()):
                self.announce(hall, state.expire(now))
        self._save()

    # -- sessions

    def legs_of(self, session: Session) -> list[tuple[Hall, Leg]]:
        """Where a session has its leg."""
        found: list[tuple[Hall, Leg]] = []
        for hall in list(self.of_session.get(session, {}).values()):
            leg = hall.state.legs.get(leg_id_of(session))
            if leg is not None:
                found.append((hall, leg))
        return found

    def tell_whole(self, session: Session) -> None:
        """The link was full for a while: say how everything stands."""
        for hall, _ in self.legs_of(session):
            session.send(packets.ConferenceGetOk(conference=hall.state.shown()))

    def session_left(self, session: Session, code: ErrorCode | None) -> None:
        """A connection is gone.  code: what it was told at the end, None when it broke."""
        for hall, leg in self.legs_of(session):
            self.detach(hall, leg.id)
            match code:
                case ErrorCode.LOGGED_OUT:
                    events = hall.state.leave(leg.id)
                case ErrorCode.REVOKED | ErrorCode.DISABLED | ErrorCode.ACCOUNT_DELETED:
                    events = hall.state.drop([leg.id], code)
                case _:
                    events = hall.state.lose(leg.id, self.app.monotonic())
            self.announce(hall, events)

    def account_left(self, account: LiveAccount, *, is_deleted: bool) -> None:
        """An account is disabled, or deleted for good: its legs are gone, and what belonged to it ends."""
        code = ErrorCode.ACCOUNT_DELETED if is_deleted else ErrorCode.DISABLED
        for hall in [*self.inside.get(account.id, ()), *self.guests.get(account.id, ())]:
            state = hall.state
            if state.is_over:
                continue
            mine = [leg.id for leg in state.legs.values() if leg.user == account.address]
            if mine:
                self.announce(hall, state.drop(mine, code))
            if is_deleted and not state.is_over:
                self.on_deleted(hall, account)
                if state.owner == account.address:
                    self.announce(hall, state.end(account.address, code))
                else:
                    self.announce(hall, state.forget_person(account.address))

    def introduce(self, account: LiveAccount, name: str, avatar: str) -> None:
        """Somebody calls themselves otherwise."""
        for hall in list(self.inside.get(account.id, ())):
            self.announce(hall, hall.state.introduce(account.address, name, avatar))


def leg_id_of(session: Session) -> str:
    """The leg that a session is, wherever it is one."""
    assert session.account is not None
    return f"{session.account.address}/{session.device}"
