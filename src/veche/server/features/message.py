"""Messages: sending, delivery, reading; and what is done to a message afterwards: edit, retraction, reaction.

Everything written is an entry of the conversation's log.  The handlers queue entries; `announce` runs after the commit,
in the order of ids, and is the only place from which a message reaches anyone.

A message to someone who blocks the author is stored for the author alone: the author sees what they would see if the
other were away (row X06).

Source: rows M13-M19, T26-T29, X05, X06, X17.
"""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from veche.core.names import BadLogin, split_address
from veche.packets import ErrorCode, Packet, message
from veche.packets.files import FileInfo
from veche.storage import accounts, calls, conversations, devices, files, messages
from veche.storage.database import Entry, Kind, Steps, StorageError, Stored

from ..live import LiveAccount, Route, Unsaved
from ..session import JSON, Handler, Refused, Session, refused_by_storage

if TYPE_CHECKING:
    from ..app import HomeServer

TEXT = int(Kind.TEXT)
NO_FILES: list[FileInfo] = []


class Receipt(NamedTuple):
    """What is needed to answer and announce an entry once it is stored."""

    session: Session
    author: LiveAccount
    route: Route
    packet: message.MessageSend


# -- sending


def message_send(session: Session, packet: message.MessageSend) -> Coroutine[Any, Any, None] | None:
    route = session.routes.get(packet.to)
    if route is None or packet.reply_to is not None or packet.files or not packet.text:
        return message_send_looked_up(session, packet)
    store(session, route, packet)
    return None


async def message_send_looked_up(session: Session, packet: message.MessageSend) -> None:
    """The first message to someone, an answer, or one with files: look up whom or what it is about."""
    if not packet.text and not packet.files:
        raise Refused(ErrorCode.BAD_REQUEST, "A message has a text, or files.")
    route = await check_route(session, packet.to)
    if packet.reply_to is not None:
        assert session.account is not None
        target = await session.app.database.find(messages.get(packet.reply_to, session.account.id))
        if target is None or target.conversation != route.conversation or target.kind != TEXT:
            raise Refused(ErrorCode.UNKNOWN_MESSAGE)
    storing = store(session, route, packet)
    if storing is not None:
        await storing


def store(session: Session, route: Route, packet: message.MessageSend) -> Coroutine[Any, Any, None] | None:
    """Queue the message; when it is durable, `announce` follows."""
    app, author = session.app, session.account
    assert author is not None
    if packet.from_ is not None:
        raise Refused(ErrorCode.FORBIDDEN, "The sender is whoever is logged in; leave `from` out.")
    if route.is_hidden and app.is_classic:
        raise Refused(ErrorCode.BLOCKED)
    entry = Entry(
        route.conversation,
        TEXT,
        author.id,
        session.device_id,
        app.now_us(),
        packet.text,
        packet.reply_to,
        packet.cookie,
        1 if route.is_hidden else 0,
    )
    receipt = Receipt(session, author, route, packet)
    if packet.files:
        return store_with_files(entry, receipt)
    app.database.append(entry, receipt)
    session.pending += 1
    if session.pending >= app.config.unacknowledged or app.database.pending > app.pending_high:
        app.hold(session)
    elif author.budget is not None:
        spend(session)
    return None


async def store_with_files(entry: Entry, receipt: Receipt) -> None:
    """The same for a message with files of its author.  Raises Refused: unknown-id."""
    session = receipt.session
    app = session.app

    def then(result: tuple[Stored, list[FileInfo]]) -> None:
        stored, told = result
        app.stored(stored.id)
        app.counters.messages_stored += 1
        announce(receipt, stored, told)

    spend(session)
    try:
        await app.database.write(files.attach(entry, receipt.packet.files), then)
    except files.UnknownFile:
        raise Refused(ErrorCode.UNKNOWN_ID, "One of these is no finished upload of yours, or no longer.") from None


def spend(session: Session) -> None:
    """Count a message or a change against the account's budget; above it, reading slows down."""
    assert session.account is not None
    budget = session.account.budget
    if budget is not None and session.token_id is None:
        wait_s = budget.take(1.0, session.app.monotonic())
        if wait_s > 0:
            session.slow_down(wait_s)


async def check_route(session: Session, to: str) -> Route:
    """The route to a person of this server.  Raises Refused: unknown-user, self."""
    app, author = session.app, session.account
    assert author is not None
    route = session.routes.get(to)
    if route is not None:
        return route
    peer = await check_peer(session, to)
    found = await app.database.find(conversations.find_direct(author.id, peer.id))
    if found is None:
        found = await app.database.write(conversations.open_direct(author.id, peer.id, app.now_us()))
    is_hidden = await app.is_blocked(by=peer.id, who=author.id)
    route = Route(found, peer, is_hidden)
    if len(session.routes) >= 1000:
        session.routes.clear()
    row = await app.database.find(accounts.get(peer.id))
    if row is None or row.deleted_at is not None:  # meanwhile
        raise Refused(ErrorCode.UNKNOWN_USER)
    session.routes[to] = route
    return route


async def check_peer(session: Session, to: str, *, deleted_too: bool = False) -> LiveAccount:
    """Another person of this server, by login or address.  Raises Refused: unknown-user, self."""
    peer = await find_account(session, to, deleted_too=deleted_too)
    if peer is session.account:
        raise Refused(ErrorCode.SELF)
    return peer


async def find_account(session: Session, to: str, *, deleted_too: bool = False) -> LiveAccount:
    """A person of this server, by login or address.  Raises Refused: unknown-user."""
    app = session.app
    try:
        login, domain = split_address(to, keeps_case=app.keeps_case)
    except BadLogin:
        raise Refused(ErrorCode.UNKNOWN_USER) from None
    if domain is not None and domain != app.config.domain:
        raise Refused(ErrorCode.UNKNOWN_USER, "This server does not exchange messages with other servers.")
    row = await app.database.find(accounts.find(login))
    if row is None or (row.deleted_at is not None and not deleted_too):
        raise Refused(ErrorCode.UNKNOWN_USER)
    return app.directory.live(row.id, row.login)


# -- announcing, after the commit


def announce(receipt: Receipt, stored: Stored, told: list[FileInfo] = NO_FILES) -> None:
    """The message is stored: tell everyone whom it concerns, and its sender that it is so.  told: its files."""
    session, author, route, packet = receipt
    id = stored.id
    app = session.app
    at = app.instant(stored.at)
    if not stored.repeat:
        peer = route.peer
        author.announced_id = id
        event: message.Message | None = None
        line = b""
        if not route.is_hidden:
            peer.announced_id = id
            if app.typing:  # a message says itself that its author has stopped typing
                app.typing.pop((author.id, peer.id), None)
            for to in peer.sessions:
                if to.feed.is_live and id > to.feed.sent_id:  # type: ignore[union-attr]
                    if event is None:
                        event = event_of(receipt, stored, at, told)
                        line = JSON.encode(event)
                    to.unacknowledged[author] = route.conversation, id
                    if to.is_json:
                        to.link.put(line)
                    else:
                        to.send(event)
                    app.counters.deliveries += 1
        devices_of_author = author.sessions
        if len(devices_of_author) > 1 or (devices_of_author and devices_of_author[0] is not session):
            event = event or event_of(receipt, stored, at, told)
            for own in devices_of_author:
                if own is not session and own.feed.is_live and id > own.feed.sent_id:  # type: ignore[union-attr]
                    own.send(event)
    if session.is_alive:
        sent = message.MessageSent(id=id, seq=stored.seq, at=at, files=told, cookie=packet.cookie, tag=packet.tag)
        if session.is_json:
            session.link.put(JSON.encode(sent))
        else:
            session.send(sent)


def event_of(receipt: Receipt, stored: Stored, at: str, told: list[FileInfo]) -> message.Message:
    """The message as everyone sees it."""
    packet = receipt.packet
    return message.Message(
        id=stored.id,
        seq=stored.seq,
        from_=receipt.author.address,
        to=receipt.route.peer.address,
        at=at,
        text=packet.text,
        files=told,
        reply_to=packet.reply_to,
    )


def refuse(receipt: Receipt, error: StorageError) -> None:
    """The message could not be stored, and its sender is told so."""
    refused = refused_by_storage(error)
    receipt.session.send(
        message.MessageSendFailed(
            code=refused.code,
            reason=refused.reason,
            retry_after_s=refused.retry_after_s,
            cookie=receipt.packet.cookie,
            tag=receipt.packet.tag,
        )
    )


def announce_event(session: Session, author: LiveAccount, peer: LiveAccount, is_hidden: bool, event: LogEvent) -> None:
    """Tell a change to all devices of both people but the one that made it."""
    for account in (author,) if is_hidden else (author, peer):
        account.announced_id = event.id
        for to in account.sessions:
            if to is not session and to.feed is not None and to.feed.is_live and event.id > to.feed.sent_id:
                to.send(event)


LogEvent = message.Message | message.Edited | message.Retracted | message.Reacted


def event_of_row(row: messages.LogRow, address: Any, at: str) -> LogEvent:
    """An entry of the log as a packet.  address: login -> full address."""
    author, other = address(row.author_login), address(row.other_login)
    match row.kind:
        case Kind.TEXT:
            return message.Message(
                id=row.id,
                seq=row.seq,
                from_=author,
                to=other,
                at=at,
                text=row.text,
                files=files.infos(row.files),
                reply_to=row.target_id,
                edited=row.edited_at is not None,
                retracted=row.retracted_at is not None,
            )
        case Kind.CALL | Kind.MISSED:
            return message.Message(
                id=row.id,
                seq=row.seq,
                from_=author,
                to=other,
                at=at,
                text="",
                retracted=row.retracted_at is not None,
                call=calls.entry_of(row.text),
            )
        case Kind.EDIT:
            return message.Edited(
                id=row.id, seq=row.seq, from_=author, to=other, at=at, target=row.target_id or 0, text=row.text
            )
        case Kind.RETRACT:
            return message.Retracted(id=row.id, seq=row.seq, from_=author, to=other, at=at, target=row.target_id or 0)
        case _:
            return message.Reacted(
                id=row.id,
                seq=row.seq,
                from_=author,
                to=other,
                at=at,
                target=row.target_id or 0,
                emoji=row.text,
                removed=row.kind == Kind.UNREACT,
            )


# -- changing what was sent


async def edit(session: Session, packet: message.Edit) -> None:
    row = await check_message(session, packet.id, by_author=True)
    await change(session, row, Kind.EDIT, packet.text, packet.cookie, message.EditOk, packet.tag)


async def retract(session: Session, packet: message.Retract) -> None:
    row = await check_message(session, packet.id, by_author=True, retracted_too=True)
    await change(session, row, Kind.RETRACT, "", packet.cookie, message.RetractOk, packet.tag)


async def react(session: Session, packet: message.React) -> None:
    row = await check_message(session, packet.id)
    kind = Kind.UNREACT if packet.remove else Kind.REACT
    await change(session, row, kind, packet.emoji, packet.cookie, message.ReactOk, packet.tag)


async def check_message(
    session: Session, id: int, *, by_author: bool = False, retracted_too: bool = False
) -> messages.LogRow:
    """A message of one of my conversations.  Raises Refused: unknown-message, forbidden."""
    assert session.account is not None
    row = await session.app.database.find(messages.get(id, session.account.id))
    if row is None or row.kind != Kind.TEXT or (row.retracted_at is not None and not retracted_too):
        raise Refused(ErrorCode.UNKNOWN_MESSAGE)
    if by_author and row.author_id != session.account.id:
        raise Refused(ErrorCode.FORBIDDEN)
    return row


CHANGES = {
    Kind.EDIT: messages.edit,
    Kind.RETRACT: messages.retract,
    Kind.REACT: messages.react,
    Kind.UNREACT: messages.unreact,
}


async def change(
    session: Session,
    row: messages.LogRow,
    kind: Kind,
    text: str,
    cookie: str | None,
    ok: type[message.EditOk] | type[message.RetractOk] | type[message.ReactOk],
    tag: str | None,
) -> None:
    """Append the change to the log, apply it to the message, tell everyone."""
    app, me = session.app, session.account
    assert me is not None
    other = row.other_login if row.author_id == me.id else row.author_login
    route = await check_route(session, other)
    now = app.now_us()
    is_hidden = bool(row.hidden) or (route.is_hidden and kind != Kind.RETRACT)  # what is erased is erased for both
    entry = Entry(row.conversation, kind, me.id, session.device_id, now, text, row.id, cookie, int(is_hidden))

    def then(stored: Stored) -> None:
        app.stored(stored.id)
        if not stored.repeat:
            if kind == Kind.RETRACT:
                app.files.message_left(files.infos(row.files))
            changed = messages.LogRow(
                id=stored.id,
                conversation=row.conversation,
                seq=stored.seq,
                kind=kind,
                author_id=me.id,
                device_id=session.device_id,
                author_login=me.login,
                other_id=route.peer.id,
                other_login=route.peer.login,
                at=stored.at,
                text=text,
                target_id=row.id,
                hidden=entry.hidden,
                edited_at=None,
                retracted_at=None,
            )
            event = event_of_row(changed, app.directory.address, app.instant(stored.at))
            announce_event(session, me, route.peer, bool(entry.hidden), event)
        session.send(ok(id=stored.id, cookie=cookie, tag=tag))

    spend(session)
    try:
        await app.database.write(CHANGES[kind](entry, now), then)
    except messages.UnknownMessage:
        raise Refused(ErrorCode.UNKNOWN_MESSAGE) from None
    except messages.NotYours:
        raise Refused(ErrorCode.FORBIDDEN) from None


# -- delivered and read


def delivered(session: Session, packet: message.MessageDeliveredUpTo) -> None:
    """The device has everything up to an id: move its cursor, tell the authors."""
    app, me, feed = session.app, session.account, session.feed
    assert me is not None
    assert feed is not None
    if not feed.acknowledge(packet.id, me.announced_id):
        return
    upto = feed.cursor_id
    device_id = session.device_id
    unsaved = me.unsaved.get(device_id)
    if unsaved is None:
        unsaved = me.unsaved[device_id] = Unsaved()
    unsaved.upto = upto
    for author, (conversation, last) in list(session.unacknowledged.items()):
        taken = min(last, upto)
        if last <= upto:
            del session.unacknowledged[author]
        if taken <= me.delivered.get(author.id, 0) or author.login in me.blocked:
            continue
        me.delivered[author.id] = unsaved.delivered[conversation] = taken
        event = message.MessageDelivered(id=taken, peer=author.address, by=me.address)
        app.tell(author, event)
        app.tell(me, event, but=session)
    app.database.mark(
        lambda: save_place(me, device_id), ("cursor", device_id), lambda saved: forget(me, device_id, saved)
    )


def tell_delivered(app: HomeServer, me: LiveAccount, taken: Sequence[devices.Delivered]) -> None:
    """A device of mine turned out to have what others wrote: tell those of them who are there."""
    for one in taken:
        author = app.directory.find(one.peer_id)
        if author is not None and author.login not in me.blocked and one.id > me.delivered.get(author.id, 0):
            me.delivered[author.id] = one.id
            app.tell(author, message.MessageDelivered(id=one.id, peer=author.address, by=me.address))


def save_place(me: LiveAccount, device_id: int) -> Steps[int]:
    """The steps that store how far a device has acknowledged."""
    unsaved = me.unsaved.get(device_id) or Unsaved()
    return devices.moved(me.id, device_id, unsaved.upto, dict(unsaved.delivered))


def forget(me: LiveAccount, device_id: int, saved: int) -> None:
    """The device's place is stored up to here."""
    unsaved = me.unsaved.get(device_id)
    if unsaved is not None and unsaved.upto <= saved:
        del me.unsaved[device_id]


async def read(session: Session, packet: message.MessageReadUpTo) -> None:
    """The person has read a conversation up to a message: tell both sides, once."""
    app, me = session.app, session.account
    assert me is not None
    row = await app.database.find(messages.get(packet.id, me.id))
    if row is None:
        raise Refused(ErrorCode.UNKNOWN_MESSAGE)
    other = app.directory.live(
        *((row.other_id, row.other_login) if row.author_id == me.id else (row.author_id, row.author_login))
    )
    is_silent = bool(row.hidden) or await app.is_blocked(by=me.id, who=other.id)
    event = message.MessageRead(id=row.id, peer=other.address, by=me.address)

    def then(moved: bool) -> None:
        if not moved:
            return
        app.tell(me, event, but=session)
        if not is_silent:
            app.tell(other, event)

    await app.database.write(conversations.mark_read(me.id, row.conversation, row.id, not is_silent), then)


HANDLERS: dict[type[Packet], Handler] = {
    message.MessageSend: message_send,
    message.MessageDeliveredUpTo: delivered,
    message.MessageReadUpTo: read,
    message.Edit: edit,
    message.Retract: retract,
    message.React: react,
}
