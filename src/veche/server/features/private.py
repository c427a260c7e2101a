"""Introductions for private sessions: who asks whom, and where the one who says yes listens.  Nothing of it is stored.

A request lives in memory, from PRIVATE-START until it is answered, taken back or too old, or one of the two leaves.
After the answer the server knows nothing of what the two do.

In the default profile whoever blocks the one who asks is not there for them: the same packet after the same steps, and
a request that waits when the block is made ends as if they had left (row X06).  The classic profile says it (row T45).

Source: rows T42-T46, X11, X22; packets/private.py.
"""

from __future__ import annotations

import ipaddress
import secrets
from ipaddress import IPv4Address, IPv6Address
from itertools import takewhile
from typing import TYPE_CHECKING

from veche.packets import ERROR_TEXT, ErrorCode, Packet, private
from veche.packets.contacts import Relation
from veche.packets.private import PRIVATE_ANSWER_S
from veche.storage import contacts

from ..live import LiveAccount
from ..session import Handler, Refused, Session
from .contacts import relation_of
from .message import check_peer, spend

if TYPE_CHECKING:
    from ..app import HomeServer

OPEN_REQUESTS = 20
"""So many requests of one account may wait at once."""


class Introduction:
    """A request that waits for its answer."""

    __slots__ = ("asked", "asker", "asking", "deadline", "id")

    def __init__(self, asker: Session, asking: LiveAccount, asked: LiveAccount, deadline: float) -> None:
        self.id = secrets.token_urlsafe(12)
        self.asker, self.asking, self.asked, self.deadline = asker, asking, asked, deadline


class Introductions:
    """All requests that wait, the oldest first.  Times are in seconds on one monotonic clock."""

    def __init__(self) -> None:
        self._by_id: dict[str, Introduction] = {}
        self._of: dict[int, dict[str, Introduction]] = {}
        """By account, of either side."""

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, asker: Session, asking: LiveAccount, asked: LiveAccount, now: float) -> Introduction:
        """A new request.  Raises Refused: already-there, too-many."""
        mine = [one for one in self.of(asking) if one.asking is asking]
        if any(one.asked is asked for one in mine):
            raise Refused(ErrorCode.ALREADY_THERE, f"{asked.login} is asked already.")
        if len(mine) >= OPEN_REQUESTS:
            raise Refused(ErrorCode.TOO_MANY, "You have asked too many people at once.")
        made = Introduction(asker, asking, asked, now + PRIVATE_ANSWER_S)
        self._by_id[made.id] = made
        for account in (asking, asked):
            self._of.setdefault(account.id, {})[made.id] = made
        return made

    def find(self, id: str) -> Introduction:
        """The request.  Raises Refused: unknown-request."""
        found = self._by_id.get(id)
        if found is None:
            raise Refused(ErrorCode.UNKNOWN_REQUEST)
        return found

    def remove(self, one: Introduction) -> None:
        """It waits no longer."""
        del self._by_id[one.id]
        for account in (one.asking, one.asked):
            rest = self._of[account.id]
            del rest[one.id]
            if not rest:
                del self._of[account.id]

    def of(self, account: LiveAccount) -> list[Introduction]:
        """What an account asks, and is asked."""
        return list(self._of.get(account.id, {}).values())

    def expired(self, now: float) -> list[Introduction]:
        """Those whose time is over."""
        return list(takewhile(lambda one: one.deadline <= now, self._by_id.values()))


# -- what two people ask


async def start(session: Session, packet: private.PrivateStart) -> None:
    app, me = session.app, session.account
    assert me is not None
    if not packet.certificate and not packet.sdp:
        raise Refused(ErrorCode.BAD_REQUEST, "Say how you may be reached: by `certificate`, by `sdp`, or by both.")
    peer = await check_start(session, packet.login)
    if not session.is_alive or session.is_closing:
        return  # nobody would take the request back
    made = app.introductions.add(session, me, peer, app.monotonic())
    spend(session)
    session.send(private.PrivateStartOk(id=made.id, login=peer.address, tag=packet.tag))
    request = private.PrivateRequest(id=made.id, from_=me.address, certificate=packet.certificate, sdp=packet.sdp)
    for to in peer.sessions:
        if to not in app.full_links:
            to.send(request)


async def check_start(session: Session, login: str) -> LiveAccount:
    """Whom to ask.  Raises Refused: unknown-user, self, not-friends, forbidden, blocked, offline."""
    app, me = session.app, session.account
    assert me is not None
    peer = await check_peer(session, login)
    row = await app.database.find(contacts.get(me.id, peer.id))
    if app.is_classic:
        if row.told is not None:
            raise Refused(ErrorCode.BLOCKED)
    elif row.blocked_at is not None:
        raise Refused(ErrorCode.FORBIDDEN, f"You have blocked {peer.login}. Unblock them first.")
    elif relation_of(app, me.id, row) is not Relation.MUTUAL:
        raise Refused(ErrorCode.NOT_FRIENDS)
    if row.told is not None or not peer.sessions:
        raise Refused(ErrorCode.OFFLINE)
    return peer


def answer(session: Session, packet: private.PrivateAnswer) -> None:
    app, me = session.app, session.account
    assert me is not None
    one = app.introductions.find(packet.id)
    if one.asked is not me:
        raise Refused(ErrorCode.UNKNOWN_REQUEST)
    answered = private.PrivateAnswered(id=one.id, from_=me.address, accepted=False)
    if packet.accepted:
        if bool(packet.port) != bool(packet.certificate) or not (packet.certificate or packet.sdp):
            raise Refused(ErrorCode.BAD_REQUEST, "A yes says where to connect, and whom to expect there.")
        answered = private.PrivateAnswered(
            id=one.id,
            from_=me.address,
            accepted=True,
            port=packet.port,
            addresses=addresses(packet.addresses, seen=session.link.address, by=one.asker.link.address),
            certificate=packet.certificate,
            sdp=packet.sdp,
        )
    app.introductions.remove(one)
    one.asker.send(answered)
    session.send(private.PrivateAnswerOk(id=one.id, tag=packet.tag))
    tell_stopped(one, ErrorCode.ANSWERED, but=session)


def addresses(named: list[str], *, seen: str, by: str) -> list[str]:
    """Where a device may be reached: the address that we see it at, then those that it names, without repeats.

    by: the address that we see the dialer at; addresses that mean one machine are told on that machine only.
    Raises Refused: bad-request, for what is no IP address.
    """
    own, dialer = ip_address(seen), ip_address(by)
    known = [ip_address(one) for one in named]
    if None in known:
        raise Refused(ErrorCode.BAD_REQUEST, "`addresses` holds something that is no IP address.")
    is_here = dialer is not None and dialer.is_loopback
    return [
        str(one)
        for one in dict.fromkeys([own, *known])
        if one is not None
        and (is_here or not one.is_loopback)
        and not (one.is_unspecified or one.is_multicast or (one.version == 6 and one.is_link_local))
    ]


def ip_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address in its plainest form, without an interface, which means nothing elsewhere; None when it is none."""
    try:
        found = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, IPv6Address) else None
    return mapped or found


def stop(session: Session, packet: private.PrivateStop) -> None:
    app = session.app
    one = app.introductions.find(packet.id)
    if one.asker is not session:
        raise Refused(ErrorCode.UNKNOWN_REQUEST)
    session.send(private.PrivateStopOk(id=one.id, tag=packet.tag))
    end(app, one, None, ErrorCode.WITHDRAWN)


# -- what ends without an answer


def stopped(one: Introduction, code: ErrorCode) -> private.PrivateStopped:
    return private.PrivateStopped(id=one.id, code=code, reason=ERROR_TEXT[code])


def end(app: HomeServer, one: Introduction, to_asker: ErrorCode | None, to_asked: ErrorCode) -> None:
    """The request is over: tell both sides why; None: that one knows."""
    app.introductions.remove(one)
    if to_asker is not None:
        one.asker.send(stopped(one, to_asker))
    tell_stopped(one, to_asked)


def tell_stopped(one: Introduction, code: ErrorCode, but: Session | None = None) -> None:
    """Tell those who were asked that their answer is not waited for."""
    for to in one.asked.sessions:
        if to is not but:
            to.send(stopped(one, code))


def session_left(session: Session) -> None:
    """Its requests end, and those to its account with the last of its sessions.  May be called twice."""
    app, account = session.app, session.account
    if account is None:
        return
    for one in app.introductions.of(account):
        if one.asker is session:
            end(app, one, None, ErrorCode.OFFLINE)
        elif one.asked is account and not account.sessions:
            end(app, one, ErrorCode.OFFLINE, ErrorCode.OFFLINE)


def blocked(app: HomeServer, me: LiveAccount, peer: LiveAccount) -> None:
    """From now on I am gone for whom I have blocked: what waits between us ends as it would then."""
    code = ErrorCode.BLOCKED if app.is_classic else ErrorCode.OFFLINE
    for one in app.introductions.of(me):
        if one.asking is peer:
            end(app, one, code, ErrorCode.WITHDRAWN)
        elif one.asked is peer:
            end(app, one, ErrorCode.WITHDRAWN, code)


def sweep(app: HomeServer) -> None:
    """End what nobody has answered in time."""
    for one in app.introductions.expired(app.monotonic()):
        end(app, one, ErrorCode.NO_ANSWER, ErrorCode.NO_ANSWER)


HANDLERS: dict[type[Packet], Handler] = {
    private.PrivateStart: start,
    private.PrivateAnswer: answer,
    private.PrivateStop: stop,
}
