"""Conferences: making them, coming in, leaving, what owners do, the texts of their rooms.

What may happen is said in core/conference.py; halls.py keeps the conferences and tells their events.  A handler looks
up what it needs first; from the check to the announcement nothing waits, so two who press at once come one after the
other.  Who comes is written down first, and then checked once more: others may have been quicker.

Source: document 000; rows A30-A50, X07, X09, X16, X24.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, NamedTuple

from veche.core.budget import Bucket
from veche.core.conference import Refusal, name_key
from veche.packets import ERROR_TEXT, ErrorCode, Packet
from veche.packets import conference as packets
from veche.packets.conference import Leg, MediaKind, Policy
from veche.packets.contacts import Relation
from veche.storage import accounts, contacts
from veche.storage import conferences as storage
from veche.storage.database import Entry, Kind, StorageError

from ..halls import THE_NAME, Hall, leg_id_of
from ..live import LiveAccount
from ..session import Handler, Refused, Session, refused_by_storage
from .contacts import check_line, relation_of
from .message import check_peer, find_account, spend
from .signal import ice_servers

if TYPE_CHECKING:
    from ..app import HomeServer

ROOM = int(Kind.ROOM)


# -- looking up


def check_seen(session: Session, id: str) -> Hall:
    """The conference, if I may see it.  Raises Refused: unknown-conference."""
    assert session.account is not None
    hall = session.app.halls.find(id, session.account)
    if hall is None:
        raise Refused(ErrorCode.UNKNOWN_CONFERENCE)
    return hall


def check_inside(session: Session, id: str) -> Hall:
    """The conference in which this device is.  Raises Refused: unknown-conference, not-inside."""
    hall = session.app.halls.of_session.get(session, {}).get(id)
    if hall is None:
        check_seen(session, id)
        raise Refused(ErrorCode.NOT_INSIDE)
    return hall


def check_there(session: Session) -> None:
    """The link has not gone while something was looked up: its leg would stay for ever.  Raises Refused."""
    if not session.is_alive or session.is_closing:
        raise Refused(ErrorCode.TRY_AGAIN_LATER)


def check_name(name: str) -> None:
    """A name is one line in which something is seen, and not that of THE CONFERENCE.  Raises Refused: bad-request."""
    check_line(name)
    if not name_key(name):
        raise Refused(ErrorCode.BAD_REQUEST, "A name needs something that can be seen.")
    if name_key(name) == name_key(THE_NAME):
        raise Refused(ErrorCode.BAD_REQUEST, f"{THE_NAME} is the name of the conference of everybody. Choose another.")


CHANGES = 200.0
"""So much at once; then `conference_rate` holds."""


def spend_change(session: Session) -> None:
    """Count what many are told of, or what is much to tell; above the account's budget, reading slows down."""
    app, me = session.app, session.account
    assert me is not None
    now, rate = app.monotonic(), app.config.conference_rate
    if rate == 0:
        return
    if me.conference_budget is None:
        me.conference_budget = Bucket(rate / 60, CHANGES, now)
    wait_s = me.conference_budget.take(1.0, now)
    if wait_s > 0:
        session.slow_down(wait_s)


# -- coming


async def create(session: Session, packet: packets.ConferenceCreate) -> None:
    app, me = session.app, session.account
    assert me is not None
    check_name(packet.name)
    spend_change(session)
    app.halls.attendance.check_name(me.address, packet.name)
    person = await app.database.find(storage.person(me.id))
    hall, expected = await make(session, packet.name, packet.policy, packet.media)
    enter(session, hall, person, packet.media, expected=expected, tag=packet.tag)


async def make(
    session: Session, name: str, policy: Policy, media: MediaKind, *, is_call: bool = False
) -> tuple[Hall, Leg]:
    """A new conference of mine, with nobody inside; this device's leg in it is written down.

    Raises Refused, Refusal: already-there, too-many.
    """
    app, me = session.app, session.account
    assert me is not None
    app.halls.attendance.check_count(me.address)
    if policy is Policy.OPEN:
        app.halls.check_open(me.address)
    hall, expected = await app.halls.create(me, name, policy, leg_id_of(session), media, is_call=is_call)
    try:
        check_there(session)
        app.halls.attendance.check_name(me.address, name)  # by another device meanwhile
        app.halls.attendance.check_count(me.address)
    except (Refused, Refusal):
        await app.halls.discard(hall)
        raise
    app.halls.open_hall(hall)
    return hall, expected


async def join(session: Session, packet: packets.ConferenceJoin) -> None:
    app, me = session.app, session.account
    assert me is not None
    spend_change(session)
    if sum(one is not None for one in (packet.id, packet.name, packet.friend, packet.link)) != 1:
        raise Refused(ErrorCode.BAD_REQUEST, "Say which conference by `id`, `name`, `friend` or `link`: one of them.")
    person = await app.database.find(storage.person(me.id))
    friend = None if packet.friend is None else await check_friend(session, packet.friend)
    check_there(session)
    hall = find_meant(session, packet, friend)

    def check() -> None:
        check_join(session, hall, by_link=packet.link is not None)

    check()
    if packet.resume and leg_id_of(session) in hall.state.legs:
        enter(session, hall, person, packet.media, resume=True, tag=packet.tag)
    else:
        expected = await expect(session, hall, packet.media, check)
        enter(session, hall, person, packet.media, expected=expected, tag=packet.tag)


def check_join(session: Session, hall: Hall, *, by_link: bool = False) -> None:
    """This device may come in now.  Raises Refused, Refusal."""
    app, me = session.app, session.account
    assert me is not None
    check_there(session)
    if hall.state.is_over:
        raise Refused(ErrorCode.UNKNOWN_CONFERENCE)
    hall.state.check_join(
        leg_id_of(session),
        me.address,
        has_friend=app.halls.has_friend(hall, me),
        by_link=by_link,
        one_leg=app.config.one_leg_per_user,
    )


async def expect(session: Session, hall: Hall, media: MediaKind, check: Callable[[], None]) -> Leg:
    """This device's leg, written down, which `check` still lets in afterwards."""
    halls, me = session.app.halls, session.account
    assert me is not None
    expected = await halls.expect(hall, me, leg_id_of(session), media)
    try:
        check()
    except (Refused, Refusal):
        halls.forget(hall, expected)
        raise
    return expected


async def check_friend(session: Session, login: str) -> LiveAccount:
    """A friend of mine.  Raises Refused: unknown-user, self, not-friends."""
    app, me = session.app, session.account
    assert me is not None
    peer = await check_peer(session, login)
    row = await app.database.find(contacts.get(me.id, peer.id))
    if relation_of(app, me.id, row) is not Relation.MUTUAL:
        raise Refused(ErrorCode.NOT_FRIENDS)
    return peer


def find_meant(session: Session, packet: packets.ConferenceJoin, friend: LiveAccount | None) -> Hall:
    """The conference that is meant.  Raises Refused: unknown-conference, ambiguous."""
    app, me = session.app, session.account
    assert me is not None
    halls = app.halls
    if packet.id is not None:
        return check_seen(session, packet.id)
    if packet.link is not None:
        for hall in halls.by_id.values():
            if hall.state.link and secrets.compare_digest(hall.state.link.encode(), packet.link.encode()):
                return hall
        raise Refused(ErrorCode.UNKNOWN_CONFERENCE, "This link leads nowhere, or no longer.")
    if friend is not None:
        # who blocks me is in no conference, as far as I can tell (row X06)
        found = [hall for hall in halls.inside.get(friend.id, ()) if friend.id in me.friends]
        nothing = f"{friend.login} is in no conference."
    else:
        assert packet.name is not None
        key = name_key(packet.name)
        found = [hall for hall in halls.seen_by(me) if hall.state.key == key]
        nothing = "You see no conference of that name."
    if not found:
        raise Refused(ErrorCode.UNKNOWN_CONFERENCE, nothing)
    if len(found) > 1:
        names = ", ".join(sorted(hall.state.name for hall in found))
        raise Refused(ErrorCode.AMBIGUOUS, f"There are several: {names}. Choose one.")
    return found[0]


def enter(
    session: Session,
    hall: Hall,
    person: storage.Person,
    media: MediaKind,
    *,
    resume: bool = False,
    expected: Leg | None = None,
    tag: str | None = None,
) -> None:
    """This device is a leg from here on, or again; it may be.  Tells it and the others.

    expected: as it was written down; a leg that resumes is.
    """
    app, me = session.app, session.account
    assert me is not None
    hall.accounts[me.address] = me
    was_called = me.address in hall.state.ringing
    made = hall.state.join(
        leg_id_of(session),
        me.address,
        at=app.instant(app.now_us()),
        name=person.name,
        avatar=person.avatar,
        media=media,
        resume=resume,
        one_leg=app.config.one_leg_per_user,
        expected=expected,
    )
    app.halls.attach(hall, made.leg.id, session)
    session.send(
        packets.ConferenceJoinOk(
            conference=hall.state.shown(),
            leg=made.leg.id,
            resumed=made.resumed,
            ice_servers=ice_servers(session)[0],
            code=ErrorCode.MESH_FULL if made.is_less else None,
            reason=ERROR_TEXT[ErrorCode.MESH_FULL] if made.is_less else "",
            tag=tag,
        )
    )
    app.halls.announce(hall, made.events, but=session)
    if was_called:
        app.halls.on_came(hall, me)
    if made.leg.media is not MediaKind.TEXT and not made.resumed:
        hold_others(session, hall)


def hold_others(session: Session, now: Hall) -> None:
    """A device's media is live where it came last; its legs elsewhere are held until it says otherwise (row A39)."""
    for hall, leg in session.app.halls.legs_of(session):
        if hall is not now and leg.media is not MediaKind.TEXT:
            session.app.halls.announce(hall, hall.state.set_leg(leg.id, held=True))


# -- leaving, looking


def leave(session: Session, packet: packets.ConferenceLeave) -> None:
    app = session.app
    spend_change(session)
    hall = check_inside(session, packet.id)
    leg_id = leg_id_of(session)
    app.halls.detach(hall, leg_id)
    events = hall.state.leave(leg_id)
    session.send(packets.ConferenceLeaveOk(id=packet.id, tag=packet.tag))
    app.halls.announce(hall, events)


def get(session: Session, packet: packets.ConferenceGet) -> None:
    spend_change(session)
    hall = check_inside(session, packet.id)
    session.send(packets.ConferenceGetOk(conference=hall.state.shown(), tag=packet.tag))


def list_all(session: Session, packet: packets.ConferenceList) -> None:
    assert session.account is not None
    spend_change(session)
    session.app.halls.flush()
    session.send(packets.ConferenceListOk(conferences=session.app.halls.views(session.account), tag=packet.tag))


# -- what an owner does


def delete(session: Session, packet: packets.ConferenceDelete) -> None:
    app, me = session.app, session.account
    assert me is not None
    spend_change(session)
    hall = check_seen(session, packet.id)
    events = hall.state.end(me.address)
    session.send(packets.ConferenceDeleteOk(id=packet.id, tag=packet.tag))
    app.halls.announce(hall, events)


def rename(session: Session, packet: packets.ConferenceRename) -> None:
    app, me = session.app, session.account
    assert me is not None
    check_name(packet.name)
    spend_change(session)
    hall = check_seen(session, packet.id)
    events = hall.state.rename(me.address, packet.name)
    session.send(packets.ConferenceRenameOk(id=packet.id, name=packet.name, tag=packet.tag))
    app.halls.announce(hall, events)


async def transfer(session: Session, packet: packets.ConferenceTransfer) -> None:
    app, me = session.app, session.account
    assert me is not None
    spend_change(session)
    to = await find_account(session, packet.login)
    hall = check_seen(session, packet.id)
    events = hall.state.transfer(me.address, to.address)
    session.send(packets.ConferenceTransferOk(id=packet.id, login=to.address, tag=packet.tag))
    app.halls.announce(hall, events)


def policy(session: Session, packet: packets.ConferencePolicy) -> None:
    app, me = session.app, session.account
    assert me is not None
    spend_change(session)
    hall = check_seen(session, packet.id)
    if packet.policy is Policy.OPEN and hall not in app.halls.open:
        app.halls.check_open(hall.state.owner)
    events = hall.state.set_policy(me.address, packet.policy)
    session.send(packets.ConferencePolicyOk(id=packet.id, policy=packet.policy, tag=packet.tag))
    app.halls.announce(hall, events)


def link(session: Session, packet: packets.ConferenceLink) -> None:
    app, me = session.app, session.account
    assert me is not None
    spend_change(session)
    hall = check_inside(session, packet.id)
    state = hall.state
    if state.policy not in (Policy.LINK, Policy.OPEN):
        raise Refused(ErrorCode.FORBIDDEN, "Its policy lets nobody in by a link.")
    if packet.new and not state.is_owner(me.address):
        raise Refused(ErrorCode.FORBIDDEN, "Only its owner may renew the link.")
    if packet.new or not state.link:
        state.link = secrets.token_urlsafe(16)
        app.halls.changed(hall)
    session.send(packets.ConferenceLinkOk(id=packet.id, code=state.link, tag=packet.tag))


async def mute(session: Session, packet: packets.ConferenceMute) -> None:
    app, me = session.app, session.account
    assert me is not None
    spend_change(session)
    is_admin = await is_administrator(session)
    hall = check_seen(session, packet.id)
    events = hall.state.mute(me.address, packet.leg, audio=packet.audio, video=packet.video, is_admin=is_admin)
    session.send(packets.ConferenceMuteOk(id=packet.id, leg=packet.leg, tag=packet.tag))
    app.halls.announce(hall, events)


async def remove(session: Session, packet: packets.ConferenceRemove) -> None:
    app, me = session.app, session.account
    assert me is not None
    spend_change(session)
    is_admin = await is_administrator(session)
    hall = check_seen(session, packet.id)
    events = hall.state.remove(me.address, packet.leg, is_admin=is_admin)
    session.send(packets.ConferenceRemoveOk(id=packet.id, leg=packet.leg, tag=packet.tag))
    app.halls.announce(hall, events)


async def is_administrator(session: Session) -> bool:
    """An administrator keeps order in conferences of nobody."""
    assert session.account is not None
    row = await session.app.database.find(accounts.get(session.account.id))
    return row is not None and row.is_admin


# -- what a leg says


def leg_set(session: Session, packet: packets.ConferenceLegSet) -> None:
    app = session.app
    hall = check_inside(session, packet.id)
    spend_change(session)
    events = hall.state.set_leg(
        leg_id_of(session),
        is_muted=packet.is_muted,
        is_hidden=packet.is_hidden,
        is_sharing=packet.is_sharing,
        held=packet.held,
        asks=packet.asks,
    )
    session.send(packets.ConferenceLegSetOk(id=packet.id, tag=packet.tag))
    app.halls.announce(hall, events)


class RoomReceipt(NamedTuple):
    """What is needed to answer and announce a text once it is stored."""

    session: Session
    author: LiveAccount
    hall: Hall
    packet: packets.ConferenceMessageSend


def message_send(session: Session, packet: packets.ConferenceMessageSend) -> Coroutine[Any, Any, None] | None:
    """Queue the text; when it is durable, conference_room.py tells of it.

    Its device is negative: a device's cookies for rooms are no cookies of its messages.
    """
    app, me = session.app, session.account
    assert me is not None
    hall = check_inside(session, packet.id)
    cookie = None if packet.cookie is None else f"{hall.number}:{packet.cookie}"
    entry = Entry(-hall.number, ROOM, me.id, -session.device_id, app.now_us(), packet.text, None, cookie)
    app.database.append(entry, RoomReceipt(session, me, hall, packet))
    session.pending += 1
    if session.pending >= app.config.unacknowledged or app.database.pending > app.pending_high:
        app.hold(session)
    else:
        spend(session)
    return None


def refuse_text(receipt: RoomReceipt, error: StorageError) -> None:
    """The text could not be stored, and its sender is told so."""
    refused, packet = refused_by_storage(error), receipt.packet
    receipt.session.send(
        packets.ConferenceMessageFailed(
            code=refused.code,
            reason=refused.reason,
            retry_after_s=refused.retry_after_s,
            cookie=packet.cookie,
            tag=packet.tag,
        )
    )


async def history(session: Session, packet: packets.ConferenceHistoryGet) -> None:
    app = session.app
    hall = check_inside(session, packet.id)
    rows = await app.database.read(storage.history(hall.number, packet.before, packet.limit + 1))
    more = len(rows) > packet.limit
    shown, size = list(rows[-packet.limit :]), 0
    for n, row in enumerate(reversed(shown)):
        size += len(row.text)
        if size > PAGE_CHARS and n:
            shown, more = shown[len(shown) - n :], True
            break
    session.send(
        packets.ConferenceHistoryGetOk(
            id=packet.id,
            messages=[
                packets.RoomMessage(
                    seq=row.seq, from_=app.directory.address(row.login), at=app.instant(row.at), text=row.text
                )
                for row in shown
            ],
            more=more,
            tag=packet.tag,
        )
    )


PAGE_CHARS = 1_000_000
"""Texts of one page."""


def account_left(app: HomeServer, account: LiveAccount, *, is_deleted: bool) -> None:
    """An account is disabled or deleted."""
    app.halls.account_left(account, is_deleted=is_deleted)


HANDLERS: dict[type[Packet], Handler] = {
    packets.ConferenceCreate: create,
    packets.ConferenceJoin: join,
    packets.ConferenceLeave: leave,
    packets.ConferenceGet: get,
    packets.ConferenceList: list_all,
    packets.ConferenceDelete: delete,
    packets.ConferenceRename: rename,
    packets.ConferenceTransfer: transfer,
    packets.ConferencePolicy: policy,
    packets.ConferenceLink: link,
    packets.ConferenceMute: mute,
    packets.ConferenceRemove: remove,
    packets.ConferenceLegSet: leg_set,
    packets.ConferenceMessageSend: message_send,
    packets.ConferenceHistoryGet: history,
}
