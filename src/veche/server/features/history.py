"""Pages of a conversation, and finding words in it.  Source: rows M20, X15."""

from __future__ import annotations

from veche.packets import ErrorCode, Packet, message
from veche.storage import calls, conversations, facts, files, messages

from ..live import LiveAccount
from ..session import Handler, Refused, Session
from .message import check_peer

NOTHING = messages.Page([], {}, False)
PAGE_CHARS = 1_000_000
"""Texts of one page."""


async def history(session: Session, packet: message.HistoryGet) -> None:
    if packet.before is not None and packet.after is not None:
        raise Refused(ErrorCode.BAD_REQUEST, "Ask for what is before an id or after one, not both.")
    peer, conversation = await check_conversation(session, packet.peer)
    assert session.account is not None
    page = NOTHING
    if conversation is not None:
        page = await session.app.database.read(
            messages.history(conversation, session.account.id, packet.before, packet.after, packet.limit)
        )
        page = cut(page, from_end=packet.after is None)
    session.send(message.HistoryGetOk(peer=peer.address, messages=shown(session, page), more=page.more, tag=packet.tag))


async def search(session: Session, packet: message.Search) -> None:
    peer, conversation = await check_conversation(session, packet.peer)
    assert session.account is not None
    page = NOTHING
    if conversation is not None:
        await session.app.database.index_now()
        page = await session.app.database.read(
            messages.search(conversation, session.account.id, packet.query, packet.before, packet.limit)
        )
        page = cut(page)
    session.send(message.SearchOk(peer=peer.address, messages=shown(session, page), more=page.more, tag=packet.tag))


async def check_conversation(session: Session, to: str) -> tuple[LiveAccount, int | None]:
    """The peer and the conversation with them, None when nothing was ever written.

    What this link has sent before it asked is stored by then, and so found.
    """
    assert session.account is not None
    if session.pending:
        await session.app.database.write(facts.nothing())
    peer = await check_peer(session, to)
    return peer, await session.app.database.find(conversations.find_direct(session.account.id, peer.id))


def cut(page: messages.Page, *, from_end: bool = False) -> messages.Page:
    """The page without what is too much for one packet; one message there is always.  from_end: keep the last ones."""
    rows, size = page.rows[::-1] if from_end else page.rows, 0
    for n, row in enumerate(rows):
        size += len(row.text) + len(row.files)
        if size > PAGE_CHARS and n:
            return page._replace(rows=rows[:n][::-1] if from_end else rows[:n], more=True)
    return page


def shown(session: Session, page: messages.Page) -> list[message.HistoryMessage]:
    """The messages as packets show them."""
    app = session.app
    return [
        message.HistoryMessage(
            id=row.id,
            seq=row.seq,
            from_=app.directory.address(row.author_login),
            at=app.instant(row.at),
            text="" if row.kind in calls.CALLS else row.text,
            call=calls.entry_of(row.text) if row.kind in calls.CALLS else None,
            files=files.infos(row.files),
            reply_to=row.target_id,
            edited=row.edited_at is not None,
            retracted=row.retracted_at is not None,
            reactions=[
                message.Reaction(by=app.directory.address(one.login), emoji=one.emoji)
                for one in page.reactions.get(row.id, ())
            ],
        )
        for row in page.rows
    ]


HANDLERS: dict[type[Packet], Handler] = {
    message.HistoryGet: history,
    message.Search: search,
}
