"""Calling people into a conference: it rings on all of their devices, and the first that answers does so for all.

A call waits in its conference (core/conference.py, rule 8).  What came of it is told to the called, to who called and
to the legs, and becomes an entry of the conversation of the two.  Somebody who has no session, or blocks who calls,
is called like everybody else, and has not answered when the time is over (row X06).

Source: document 004; rows V22-V36, X06, X08.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import structlog
from msgspec.structs import replace

from veche.core.budget import Bucket
from veche.core.conference import NOBODY, name_key
from veche.packets import ErrorCode, Packet, message
from veche.packets import conference as packets
from veche.packets.conference import Called, CallEntry, CallOutcome, CallStatus, Policy
from veche.packets.contacts import Relation
from veche.storage import calls, contacts
from veche.storage import conferences as storage

from ..halls import Hall, Ring
from ..live import LiveAccount
from ..session import Handler, Refused, Session
from .conference import check_inside, check_join, check_seen, check_there, enter, expect, make, spend_change
from .contacts import relation_of
from .message import check_peer

if TYPE_CHECKING:
    from ..app import HomeServer

log: structlog.stdlib.BoundLogger = structlog.get_logger()

OUTCOMES = {
    CallStatus.ACCEPTED: CallOutcome.ANSWERED,
    CallStatus.ABORT: CallOutcome.DECLINED,
    CallStatus.OCCUPIED: CallOutcome.OCCUPIED,
    CallStatus.MISSED: CallOutcome.MISSED,
}


class Callee(NamedTuple):
    """Somebody who may be called."""

    account: LiveAccount
    is_silent: bool
    """They block who calls, who must not notice."""


async def call(session: Session, packet: packets.CallPacket) -> None:
    spend_change(session)
    match packet.status:
        case CallStatus.INITIATE | CallStatus.REINVITE:
            await initiate(session, packet)
        case CallStatus.ACCEPTED:
            await accept(session, packet)
        case CallStatus.ABORT | CallStatus.OCCUPIED:
            await give_up_or_decline(session, packet)
        case CallStatus.MISSED:
            raise Refused(ErrorCode.BAD_REQUEST, "The server says by itself who has missed a call.")


# -- calling


async def initiate(session: Session, packet: packets.CallPacket) -> None:
    app, me = session.app, session.account
    assert me is not None
    again = packet.status is CallStatus.REINVITE
    if not packet.users:
        raise Refused(ErrorCode.BAD_REQUEST, "Say in `users` whom to call.")
    if again and packet.id is None:
        raise Refused(ErrorCode.BAD_REQUEST, "Somebody is invited again into a conference: say `id`.")
    callees = await check_callees(session, packet.users)
    person = await app.database.find(storage.person(me.id))
    check_there(session)
    if packet.id is None:
        if (theirs := calling_me(app, me, callees)) is not None:
            return await take(session, packet, theirs)
        check_budget(session, len(callees))
        name = free_name(app, me, [one.account for one in callees])
        hall, expected = await make(session, name, Policy.INVITE, packet.media, is_call=True)
        if (theirs := calling_me(app, me, callees)) is not None:  # since then
            await app.halls.discard(hall)
            return await take(session, packet, theirs)
        enter(session, hall, person, packet.media, expected=expected)
    else:
        hall = check_inside(session, packet.id)
        for one in callees:
            hall.state.check_call(me.address, one.account.address)
        check_budget(session, len(callees))
    hall.accounts |= {one.account.address: one.account for one in callees}
    addresses = [one.account.address for one in callees]
    silent = {one.account.address for one in callees if one.is_silent}
    events = hall.state.call(me.address, addresses, app.monotonic(), again=again, silent=silent)
    session.send(packets.CallOk(id=hall.state.id, status=packet.status, tag=packet.tag))
    app.halls.announce(hall, events)
    ring = Called(
        id=hall.state.id,
        status=packet.status,
        from_=me.address,
        initiator=me.address,
        users=addresses,
        name=hall.state.name,
        at=app.instant(app.now_us()),
        media=packet.media,
        message=packet.message,
    )
    app.tell_all((one.account for one in callees if not one.is_silent), ring)
    if again:
        app.halls.tell(hall, ring)
    hall.rings |= {address: Ring(me, ring) for address in addresses}


def calling_me(app: HomeServer, me: LiveAccount, callees: list[Callee]) -> Hall | None:
    """Where the only one whom I call waits for me, and for nobody else: we have called each other."""
    if len(callees) != 1:
        return None
    peer = callees[0].account
    for hall in app.halls.guests.get(me.id, ()):
        state = hall.state
        if state.is_call and state.people() == [peer.address] and state.ringing.keys() == {me.address}:
            return hall if state.is_called(me.address) else None
    return None


async def take(session: Session, packet: packets.CallPacket, hall: Hall) -> None:
    """Whom I call is calling me: take it."""
    id = hall.state.id
    await accept(session, replace(packet, status=CallStatus.ACCEPTED, id=id, users=[], tag=None))
    session.send(packets.CallOk(id=id, status=CallStatus.ACCEPTED, tag=packet.tag))


async def check_callees(session: Session, users: list[str]) -> list[Callee]:
    """Whom to call, each once.  Raises Refused: unknown-user, self, not-friends, forbidden."""
    app, me = session.app, session.account
    assert me is not None
    found: dict[int, Callee] = {}
    for login in users:
        peer = await check_peer(session, login)
        row = await app.database.find(contacts.get(me.id, peer.id))
        if row.blocked_at is not None:
            raise Refused(ErrorCode.FORBIDDEN, f"You have blocked {peer.login}. Unblock them first.")
        if relation_of(app, me.id, row) is not Relation.MUTUAL:
            raise Refused(ErrorCode.NOT_FRIENDS, f"{peer.login} is no friend of yours.")
        found[peer.id] = Callee(peer, row.told is not None)
    return list(found.values())


def check_budget(session: Session, count: int) -> None:
    """Nobody's telephone rings all day.  Raises Refused: try-again-later."""
    app, me = session.app, session.account
    assert me is not None
    now, rate = app.monotonic(), app.config.call_rate
    if rate == 0:
        return
    if me.call_budget is None:
        me.call_budget = Bucket(rate / 60, max(rate, float(packets.MAX_CALLED)), now)
    wait_s = me.call_budget.ask(float(count), now)
    if wait_s > 0:
        raise Refused(ErrorCode.TRY_AGAIN_LATER, "You have called too often.", retry_after_s=round(wait_s, 1))


def free_name(app: HomeServer, me: LiveAccount, others: list[LiveAccount]) -> str:
    """A name after the people, of which none of them is in a conference already."""
    everybody = [me, *others]
    logins = ", ".join(one.login for one in everybody)
    base = logins if len(logins) <= 80 else f"{logins[:79]}…"
    taken = {one.key for account in everybody for one in app.halls.attendance.of(account.address)}
    number, name = 1, base
    while name_key(name) in taken:
        number += 1
        name = f"{base} ({number})"
    return name


def offer_waiting(session: Session) -> None:
    """A device has come: what rings for its person rings there too."""
    app, me = session.app, session.account
    assert me is not None
    for hall in app.halls.guests.get(me.id, ()):
        if hall.state.is_called(me.address):
            session.send(hall.rings[me.address].packet)


# -- answering


async def accept(session: Session, packet: packets.CallPacket) -> None:
    app, me = session.app, session.account
    assert me is not None
    person = await app.database.find(storage.person(me.id))
    hall = check_called(session, packet)

    def check() -> None:
        check_called(session, packet)
        check_join(session, hall)

    check()
    expected = await expect(session, hall, packet.media, check)
    enter(session, hall, person, packet.media, expected=expected, tag=packet.tag)


def check_called(session: Session, packet: packets.CallPacket) -> Hall:
    """The conference into which I am called.  Raises Refused: bad-request, unknown-request, unknown-conference."""
    app, me = session.app, session.account
    assert me is not None
    if packet.id is None:
        raise Refused(ErrorCode.BAD_REQUEST, "Say in `id` which call.")
    hall = app.halls.by_id.get(packet.id)
    if hall is None or not hall.state.is_called(me.address):
        if hall is not None:
            check_seen(session, packet.id)
            raise Refused(ErrorCode.UNKNOWN_REQUEST, "No call waits for you there.")
        raise Refused(ErrorCode.UNKNOWN_CONFERENCE)
    return hall


async def give_up_or_decline(session: Session, packet: packets.CallPacket) -> None:
    """The called decline, or are busy; who called stops calling some, or everybody."""
    app, me = session.app, session.account
    assert me is not None
    hall = None if packet.id is None else app.halls.by_id.get(packet.id)
    if packet.status is CallStatus.OCCUPIED or (
        hall is not None and not packet.users and hall.state.is_called(me.address)
    ):
        hall = check_called(session, packet)
        session.send(packets.CallOk(id=hall.state.id, status=packet.status, tag=packet.tag))
        over(app, hall, me.address, packet.status, text=packet.message)
        return
    if packet.id is None:
        raise Refused(ErrorCode.BAD_REQUEST, "Say in `id` which call.")
    wanted = {(await check_peer(session, login)).address for login in packet.users}
    hall = check_seen(session, packet.id)
    state = hall.state
    mine = [user for user in state.ringing if state.guests[user].by == me.address]
    stopped = [user for user in mine if not wanted or user in wanted]
    is_mine_alone = state.is_call and state.owner == me.address and state.people() == [me.address]
    if not stopped and not (is_mine_alone and not wanted):
        raise Refused(ErrorCode.UNKNOWN_REQUEST, "You call nobody there.")
    session.send(packets.CallOk(id=state.id, status=packet.status, tag=packet.tag))
    for user in stopped:
        over(app, hall, user, CallStatus.ABORT, by=me, text=packet.message)
    if is_mine_alone and not state.ringing:
        app.halls.announce(hall, state.end(me.address))


# -- what comes of it


def over(
    app: HomeServer,
    hall: Hall,
    user: str,
    status: CallStatus,
    *,
    by: LiveAccount | None = None,
    text: str = "",
    is_noted: bool = True,
) -> None:
    """A call is over without their coming.  by: who gives it up; None: the called have answered, or time is over."""
    state = hall.state
    called, ring, is_silent = hall.accounts[user], hall.rings.pop(user), state.guests[user].is_silent
    events = state.end_call(user, status, is_given_up=by is not None)
    from_ = user if by is None else by.address
    tell_step(app, hall, called, ring.caller, status, from_=from_, text=text, is_silent=is_silent)
    app.halls.announce(hall, events)
    outcome = OUTCOMES[status] if by is None else CallOutcome.MISSED
    if is_noted:
        app.spawn(note(app, hall, ring.caller, called, outcome))


def came(app: HomeServer, hall: Hall, account: LiveAccount) -> None:
    """Somebody who was called is inside; perhaps they came by themselves, and never noticed."""
    ring, is_silent = hall.rings.pop(account.address), hall.state.guests[account.address].is_silent
    status, from_ = CallStatus.ACCEPTED, account.address
    tell_step(app, hall, account, ring.caller, status, from_=from_, is_silent=is_silent)
    app.spawn(note(app, hall, ring.caller, account, CallOutcome.ANSWERED))


def tell_step(
    app: HomeServer,
    hall: Hall,
    called: LiveAccount,
    caller: LiveAccount,
    status: CallStatus,
    *,
    from_: str,
    text: str = "",
    is_silent: bool = False,
) -> None:
    """Tell a step of a call to the called, to who called, and to the legs, each session once."""
    step = Called(
        id=hall.state.id,
        status=status,
        from_=from_,
        initiator=caller.address,
        users=[called.address],
        name=hall.state.name,
        at=app.instant(app.now_us()),
        message=text,
    )
    people = [caller] if is_silent else [called, caller]
    sessions = dict.fromkeys(session for one in people for session in one.sessions)
    sessions |= dict.fromkeys(hall.sessions.values())
    app.halls.put(sessions, step)


def account_deleted(app: HomeServer, hall: Hall, account: LiveAccount) -> None:
    """Nobody of that account will answer, and it calls nobody any more."""
    state = hall.state
    if account.address in state.ringing:
        over(app, hall, account.address, CallStatus.MISSED)
    for user in [one for one in state.ringing if state.guests[one].by == account.address]:
        over(app, hall, user, CallStatus.ABORT, by=account, is_noted=False)


def conference_over(app: HomeServer, hall: Hall) -> None:
    """A conference ended: nobody is called into it any more, and answered calls have their duration."""
    state = hall.state
    for user in list(state.ringing):
        called, ring, is_silent = hall.accounts[user], hall.rings.pop(user), state.guests[user].is_silent
        state.end_call(user, CallStatus.ABORT)
        tell_step(app, hall, called, ring.caller, CallStatus.ABORT, from_=ring.caller.address, is_silent=is_silent)
        app.spawn(note(app, hall, ring.caller, called, CallOutcome.MISSED))
    now = app.now_us()
    for guest in state.guests.values():
        if guest.entry:
            app.database.mark(lambda id=guest.entry: calls.ended(id, now), ("call", guest.entry))


async def note(app: HomeServer, hall: Hall, author: LiveAccount, called: LiveAccount, outcome: CallOutcome) -> None:
    """Write what came of a call into the conversation of the two, and tell them."""
    entry = CallEntry(outcome=outcome, conference=hall.state.id)

    def then(noted: calls.Noted) -> None:
        id = noted.stored.id
        app.stored(id)
        if outcome is CallOutcome.ANSWERED:
            if (guest := hall.state.guests.get(called.address)) is not None:
                hall.state.guests[called.address] = replace(guest, entry=id)
            if hall.state.is_over:
                app.database.mark(lambda: calls.ended(id, app.now_us()), ("call", id))
            else:
                app.halls.changed(hall)
        event = message.Message(
            id=id,
            seq=noted.stored.seq,
            from_=author.address,
            to=called.address,
            at=app.instant(noted.stored.at),
            text="",
            call=entry,
        )
        for account in (author,) if noted.is_hidden else (author, called):
            account.announced_id = id
            for to in account.sessions:
                if to.feed is not None and to.feed.is_live and id > to.feed.sent_id:
                    if account is called:
                        to.unacknowledged[author] = noted.conversation, id
                    to.send(event)

    try:
        await app.database.write(calls.note(author.id, called.id, entry, app.now_us()), then)
    except Exception as error:
        log.error("call.not_noted", error=str(error))


def blocked(app: HomeServer, me: LiveAccount, peer: LiveAccount) -> None:
    """I have blocked somebody who calls me: it rings no longer, which they must not notice."""
    for hall in list(app.halls.guests.get(me.id, ())):
        guest = hall.state.guests.get(me.address, NOBODY)
        if hall.state.is_called(me.address) and guest.by == peer.address:
            hall.state.guests[me.address] = replace(guest, is_silent=True, may_come=False)
            step = Called(
                id=hall.state.id,
                status=CallStatus.ABORT,
                from_=peer.address,
                initiator=peer.address,
                users=[me.address],
                name=hall.state.name,
                at=app.instant(app.now_us()),
            )
            app.halls.put(me.sessions, step)
            app.halls.changed(hall)


HANDLERS: dict[type[Packet], Handler] = {packets.CallPacket: call}
