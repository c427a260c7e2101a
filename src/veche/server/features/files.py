"""Files: asking for a way for their bytes, and offering one to somebody who has to say yes first.

The bytes themselves come and go elsewhere (filing.py, relay.py, transfers.py).  Whoever has blocked the one who offers
a file is never asked: for the sender it is as if nobody answered (row X06).

Source: rows M48-M58, X18, X22.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from veche.core.files import clean_name, warning
from veche.core.transfer import State, Step, WrongStep, after
from veche.packets import ERROR_TEXT, ErrorCode, Packet, files
from veche.packets.files import ACCEPT_S
from veche.storage import files as stored
from veche.storage.database import Steps

from ..filing import OPEN_PARTS, TICKET_S
from ..live import LiveAccount
from ..relay import LINGER_S, Transfer
from ..session import Handler, Refused, Session
from .message import check_peer, spend

if TYPE_CHECKING:
    from ..app import HomeServer

HEXADECIMAL = frozenset("0123456789abcdef")


# -- files that are kept


async def upload(session: Session, packet: files.FileUpload) -> None:
    app, me = session.app, session.account
    assert me is not None
    check_size(app, packet.bytes)
    sha256 = check_hash(packet.sha256)
    spend(session)
    file = await begun(session, packet, sha256)
    if not file.is_whole:
        ticket, offset = await app.files.upload(me.id, file)
        session.send(files.FileUploadOk(id=file.id, url=ticket.url, offset=offset, expires_s=TICKET_S, tag=packet.tag))
    else:
        session.send(files.FileUploadOk(id=file.id, offset=file.bytes, file=file.info(), tag=packet.tag))


async def begun(session: Session, packet: files.FileUpload, sha256: str) -> stored.File:
    """The upload to go on with, or a new one.  Raises Refused: unknown-id, bad-request, too-many, storage-full."""
    app, me = session.app, session.account
    assert me is not None
    find = app.database.write
    try:
        if packet.id is not None:
            file = await find(stored.go_on(packet.id, me.id, app.now_us()))
            if file.bytes != packet.bytes or (sha256 and file.sha256 not in ("", sha256)):
                raise Refused(ErrorCode.BAD_REQUEST, "This is another file than the one that was begun.")
        else:
            file = await find(await begin(session, packet, sha256))
        if (under_way := app.files.uploads.get(file.id)) is not None:
            await under_way.offset()  # who still sends it is interrupted, or has just sent the end of it
            file = await find(stored.go_on(file.id, me.id, app.now_us()))
        return file
    except stored.UnknownFile:
        raise Refused(ErrorCode.UNKNOWN_ID) from None
    except stored.Full:
        raise Refused(ErrorCode.STORAGE_FULL) from None
    except stored.TooMany as error:
        most = f"Your files may take {shown(app.config.account_bytes)} together." if error.by_bytes else ""
        raise Refused(ErrorCode.TOO_MANY, most or "Too many of your uploads are not finished.") from None


async def begin(session: Session, packet: files.FileUpload, sha256: str) -> Steps[stored.File]:
    """The steps that make a place for it.  Raises Refused: storage-full."""
    app, me = session.app, session.account
    assert me is not None
    await app.files.check_room(packet.bytes)
    quota = stored.Quota(OPEN_PARTS, app.config.account_bytes, app.config.files_bytes)
    return stored.begin(new_id(), me.id, clean_name(packet.name), packet.bytes, sha256, app.now_us(), quota)


async def download(session: Session, packet: files.FileDownload) -> None:
    app, me = session.app, session.account
    assert me is not None
    spend(session)
    file = await app.database.find(stored.visible(packet.id, me.id))
    if file is None or (packet.preview and not file.has_preview):
        raise Refused(ErrorCode.UNKNOWN_ID)
    ticket = app.files.download(me.id, file.info(), preview=packet.preview)
    session.send(files.FileDownloadOk(file=file.info(), url=ticket.url, expires_s=TICKET_S, tag=packet.tag))


def check_size(app: HomeServer, size: int) -> None:
    """Raises Refused: too-large."""
    if size > app.config.file_bytes:
        raise Refused(ErrorCode.TOO_LARGE, f"A file may have {shown(app.config.file_bytes)} here.")


def check_hash(sha256: str | None) -> str:
    """Raises Refused: bad-request."""
    if not HEXADECIMAL.issuperset(sha256 or ""):
        raise Refused(ErrorCode.BAD_REQUEST, "`sha256` is 64 hexadecimal digits in lower case.")
    return sha256 or ""


def shown(size: float) -> str:
    """`2 GiB`."""
    units = iter(("bytes", "KiB", "MiB", "GiB"))
    unit = next(units)
    while size >= 1024 and (larger := next(units, None)):
        size, unit = size / 1024, larger
    return f"{size:.4g} {unit}"


def new_id() -> str:
    """Of a file; nobody guesses it."""
    return secrets.token_urlsafe(12)


# -- files that pass through: what two people ask


async def send_file(session: Session, packet: files.SendFileProxy) -> None:
    app, me = session.app, session.account
    assert me is not None
    check_size(app, packet.size)
    sha256 = check_hash(packet.sha256)
    peer = await check_peer(session, packet.to)
    is_hidden = await app.is_blocked(by=peer.id, who=me.id)
    if is_hidden and app.is_classic:
        raise Refused(ErrorCode.BLOCKED)
    await check_room(app, packet.size)
    one = Transfer(me, session.device_id, peer, clean_name(packet.filename), packet.size, sha256, app.monotonic())
    one.is_hidden = is_hidden
    app.transfers.add(one)
    spend(session)
    session.send(files.SendFileProxyAsked(transfer_id=one.id, to=peer.address, expires_s=ACCEPT_S, tag=packet.tag))
    if not is_hidden:
        tell(peer, 0, request_of(one))


async def check_room(app: HomeServer, size: int) -> None:
    """Raises Refused: storage-full."""
    await app.files.check_room(size + app.transfers.coming_bytes)


def request_of(one: Transfer) -> files.SendFileProxyRequest:
    return files.SendFileProxyRequest(
        transfer_id=one.id,
        from_=one.sender.address,
        filename=one.name,
        size=one.size,
        warning=warning(one.name),
        sha256=one.sha256,
    )


def offer_waiting(session: Session) -> None:
    """A device has come: ask it what its person has not answered yet."""
    assert session.account is not None
    for one in session.app.transfers.asked(session.account):
        session.send(request_of(one))


async def accept(session: Session, packet: files.SendFileProxyAccept) -> None:
    app = session.app
    check_mine_to_answer(session, packet.transfer_id)
    await check_room(app, app.transfers.find(packet.transfer_id).size)
    one = check_mine_to_answer(session, packet.transfer_id)  # again: the answer may have come from another device
    take(app, one, Step.ACCEPT)
    relay = one.accepted(session.device_id, app.files.spool, Watch(app))
    session.send(files.SendFileProxyAcceptOk(transfer_id=one.id, tag=packet.tag))
    tell_answered(one, session)
    ticket = app.files.tickets.issue(one.sender.id, relay)
    host, port = meeting_place(app)
    tell(
        one.sender,
        one.sender_device,
        files.SendFileProxyOk(transfer_id=one.id, connect=host, port=port, token=ticket.token, url=ticket.url),
    )


def meeting_place(app: HomeServer) -> tuple[str, int]:
    """Host and port where bytes go; the port is the one that everything arrives at."""
    return app.config.domain, int(app.url.rpartition(":")[2])


def reject(session: Session, packet: files.SendFileProxyReject) -> None:
    app = session.app
    one = check_mine_to_answer(session, packet.transfer_id)
    take(app, one, Step.DECLINE)
    session.send(files.SendFileProxyRejectOk(transfer_id=one.id, tag=packet.tag))
    tell_answered(one, session)
    tell(one.sender, one.sender_device, files.SendFileProxyRejected(transfer_id=one.id))


def check_mine_to_answer(session: Session, id: str) -> Transfer:
    """Raises Refused: unknown-request."""
    one = session.app.transfers.find(id)
    if one.receiver is not session.account or one.is_hidden or one.course.state is not State.PENDING:
        raise Refused(ErrorCode.UNKNOWN_REQUEST)
    return one


def cancel(session: Session, packet: files.SendFileProxyCancel) -> None:
    app, me = session.app, session.account
    one = app.transfers.find(packet.transfer_id)
    if one.sender is not me and (one.receiver is not me or one.is_hidden):
        raise Refused(ErrorCode.UNKNOWN_REQUEST)
    session.send(files.SendFileProxyCancelOk(transfer_id=one.id, tag=packet.tag))
    end(app, one, ErrorCode.WITHDRAWN, but=session)


# -- what happens to a transfer


def take(app: HomeServer, one: Transfer, step: Step) -> None:
    """The step is made; one that is over is forgotten.  Raises Refused: unknown-request."""
    try:
        one.course = after(one.course, step, app.monotonic())
    except WrongStep:
        raise Refused(ErrorCode.UNKNOWN_REQUEST) from None
    if one.course.is_over:
        app.transfers.remove(one)
        if (relay := one.relay) is not None:
            app.files.tickets.end(relay)
            app.call_later(LINGER_S if step is Step.COMPLETE else 0.0, lambda: app.spawn(relay.end()))


def end(app: HomeServer, one: Transfer, code: ErrorCode, but: Session | None = None) -> None:
    """It is over without the file; both sides are told, but for who knows."""
    take(app, one, Step.CANCEL)
    told = files.SendFileProxyCancelled(transfer_id=one.id, code=code, reason=ERROR_TEXT[code])
    tell(one.sender, one.sender_device, told, but)
    if not one.is_hidden:
        tell(one.receiver, one.receiver_device, told, but)


def tell(who: LiveAccount, device: int, packet: Packet, but: Session | None = None) -> None:
    """Tell a device of somebody, whatever link it has now; 0: all of them.  A link that is full is left out."""
    for to in who.sessions:
        if to is not but and device in (0, to.device_id) and to not in to.app.full_links:
            to.send(packet)


def tell_answered(one: Transfer, by: Session) -> None:
    """The other devices of the receiver need not answer any more."""
    code = ErrorCode.ANSWERED
    told = files.SendFileProxyCancelled(transfer_id=one.id, code=code, reason=ERROR_TEXT[code])
    tell(one.receiver, 0, told, but=by)


class Watch:
    """Tells the two sides how their bytes fare."""

    def __init__(self, app: HomeServer) -> None:
        self._app = app

    def moved(self, one: Transfer) -> None:
        """See `relay.Watcher`; the receiver may begin with the first byte."""
        if one.course.is_over:
            return
        app, is_first = self._app, one.course.state is State.ACCEPTED
        take(app, one, Step.MOVE)
        if is_first:
            assert one.relay is not None
            ticket = app.files.tickets.issue(one.receiver.id, one.relay.fetch)
            host, port = meeting_place(app)
            ready = files.SendFileProxyReady(
                transfer_id=one.id, connect=host, port=port, token=ticket.token, url=ticket.url, sha256=one.sha256
            )
            tell(one.receiver, one.receiver_device, ready)

    def fetched(self, one: Transfer) -> None:
        if one.course.is_over or one.relay is None:
            return
        done = files.SendFileProxyCompleted(transfer_id=one.id, sha256=one.relay.found)
        take(self._app, one, Step.COMPLETE)
        tell(one.sender, one.sender_device, done)
        tell(one.receiver, one.receiver_device, done)

    def spoiled(self, one: Transfer, code: ErrorCode) -> None:
        if not one.course.is_over:
            end(self._app, one, code)


def account_left(app: HomeServer, me: LiveAccount) -> None:
    """An account was deleted: nothing of it moves any more, or is kept."""
    for one in app.transfers:
        if me in (one.sender, one.receiver):
            end(app, one, ErrorCode.WITHDRAWN)
    app.files.account_left(me.id)


def sweep(app: HomeServer) -> None:
    """End what nobody has answered, and what has not moved, in time."""
    now = app.monotonic()
    for one in app.transfers:
        if one.course.deadline <= now:
            end(app, one, ErrorCode.NO_ANSWER)


HANDLERS: dict[type[Packet], Handler] = {
    files.FileUpload: upload,
    files.FileDownload: download,
    files.SendFileProxy: send_file,
    files.SendFileProxyAccept: accept,
    files.SendFileProxyReject: reject,
    files.SendFileProxyCancel: cancel,
}
