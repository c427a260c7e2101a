"""Who is writing to whom: told at once, never stored, forgotten after 10 seconds.  Source: rows M21-M23, B100."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any

from veche.packets import Packet, message

from ..session import Handler, Refused, Session
from .message import check_route

FORGET_AFTER_S = 10.0


def started(session: Session, packet: message.TypingStartedTo) -> Coroutine[Any, Any, None] | None:
    return _tell(session, packet.to, True)


def ended(session: Session, packet: message.TypingEndTo) -> Coroutine[Any, Any, None] | None:
    return _tell(session, packet.to, False)


def _tell(session: Session, to: str, is_typing: bool) -> Coroutine[Any, Any, None] | None:
    route = session.routes.get(to)
    if route is None:
        return _tell_looked_up(session, to, is_typing)
    app, me = session.app, session.account
    assert me is not None
    if route.is_hidden:
        return None
    key = (me.id, route.peer.id)
    if is_typing:
        app.typing[key] = app.monotonic() + FORGET_AFTER_S, me, route.peer
        app.tell(route.peer, message.TypingStarted(from_=me.address))
    elif app.typing.pop(key, None) is not None:
        app.tell(route.peer, message.TypingEnd(from_=me.address))
    return None


async def _tell_looked_up(session: Session, to: str, is_typing: bool) -> None:
    try:
        await check_route(session, to)
    except Refused:
        return  # nobody to tell, and a hint is not worth a refusal
    _tell(session, to, is_typing)


HANDLERS: dict[type[Packet], Handler] = {
    message.TypingStartedTo: started,
    message.TypingEndTo: ended,
}
