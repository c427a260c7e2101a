"""Who is there: told to friends, in the classic profile to everyone, and never to those whom one has blocked.

An account is there while a device of it has a session, and away when none of them was used for a while.  Nothing of it
is stored but the instant of the last coming or going.

Source: rows M27, M35, T18, T20-T25, X02, X21.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from veche.packets import Packet, contacts, presence
from veche.packets.presence import Status
from veche.storage import accounts
from veche.storage import contacts as stored_contacts

from ..live import LiveAccount
from ..session import Handler, Session
from .contacts import contact_of

if TYPE_CHECKING:
    from ..app import HomeServer


def changed(app: HomeServer, account: LiveAccount) -> None:
    """A session of the account came, went, or is used again: tell those who may know, if that makes a difference."""
    status, told = account.status, account.told_status
    if status is told:
        return
    account.told_status = status
    patch = contacts.ContactUpdated(id=account.address, status=status)
    if Status.OFFLINE in (status, told):
        now = account.seen_at = app.now_us()
        app.database.mark(lambda: accounts.seen(account.id, now), ("seen", account.id))
        if status is Status.OFFLINE:
            del app.online[account.id]
            app.halls.forget_told(account)
            app.departures.went(account.id, account.address, app.monotonic())
        else:
            app.online[account.id] = account
            app.departures.came(account.id)
        at = app.instant(now)
        notice = presence.UpdateLastSeen(id=account.address, at=at, status=status)
        patch = contacts.ContactUpdated(id=account.address, presence=at, status=status)
        told_packets = (notice,) if app.is_classic else (notice, patch)
    else:
        told_packets = () if app.is_classic else (patch,)
    app.tell_all(watchers(app, account), *told_packets)


def watchers(app: HomeServer, account: LiveAccount) -> Iterator[LiveAccount]:
    """Those who are there and may know about this account."""
    if app.is_classic:
        blocked = account.blocked
        return (one for one in app.online.values() if one is not account and one.login not in blocked)
    return (app.online[id] for id in account.friends & app.online.keys())


def set_presence(session: Session, packet: presence.PresenceSet) -> None:
    assert session.account is not None
    session.is_away = packet.away
    if not packet.away:
        session.active_at = session.app.monotonic()
    changed(session.app, session.account)


async def who_else(session: Session, packet: presence.WhoElse) -> None:
    app, me = session.app, session.account
    assert me is not None
    if app.is_classic:
        hidden = {me.id, *await app.database.find(stored_contacts.blockers(me.id))}
        users = [one.address for id, one in app.online.items() if id not in hidden]
    else:
        users = [one.address for one in watchers(app, me)]
    session.send(presence.WhoElseOk(users=users, tag=packet.tag))


async def who_else_since(session: Session, packet: presence.WhoElseSince) -> None:
    app, me = session.app, session.account
    assert me is not None
    if app.is_classic:
        hidden = {me.id, *await app.database.find(stored_contacts.blockers(me.id))}
        users = [one.address for id, one in app.online.items() if id not in hidden]
        gone = app.departures.since(app.monotonic() - packet.seconds)
        users += [address for id, address in gone if id not in hidden]
    else:
        start = app.now_us() - packet.seconds * 1_000_000
        earliest = app.instant(max(0, start))
        rows = await app.database.find(stored_contacts.all(me.id))
        found = [one for row in rows if (one := contact_of(app, me.id, row)) is not None]
        users = [one.id for one in found if is_there(one) or (one.presence is not None and one.presence >= earliest)]
    session.send(presence.WhoElseSinceOk(users=users, tag=packet.tag))


def is_there(contact: contacts.Contact) -> bool:
    return contact.status in (Status.ONLINE, Status.AWAY)


HANDLERS: dict[type[Packet], Handler] = {
    presence.PresenceSet: set_presence,
    presence.WhoElse: who_else,
    presence.WhoElseSince: who_else_since,
}
