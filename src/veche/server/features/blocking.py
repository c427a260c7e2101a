"""Whom I do not want to hear from.  The blocked one is not told and sees no difference (row X06).

Source: rows T33-T36, X06.
"""

from __future__ import annotations

from veche.packets import ErrorCode, Packet, blocking
from veche.storage import blocks
from veche.storage.contacts import Change

from ..live import LiveAccount, Route
from ..session import Handler, Refused, Session
from .call import blocked as end_calls
from .contacts import announce
from .message import check_peer
from .private import blocked as end_introductions


async def block(session: Session, packet: blocking.Block) -> None:
    app, me = session.app, session.account
    assert me is not None
    peer = await check_peer(session, packet.login)

    def then(change: Change | None) -> None:
        reroute(peer, me, is_hidden=True)
        me.blocked.add(peer.login)
        app.typing.pop((peer.id, me.id), None)
        if change is not None:
            app.tell(me, blocking.BlockOk(login=peer.address), but=session)
            announce(app, me, peer, change)
            end_introductions(app, me, peer)
            end_calls(app, me, peer)
        session.send(blocking.BlockOk(login=peer.address, tag=packet.tag))

    await app.database.write(blocks.block(me.id, peer.id, app.now_us()), then)


async def unblock(session: Session, packet: blocking.Unblock) -> None:
    app, me = session.app, session.account
    assert me is not None
    peer = await check_peer(session, packet.login)

    def then(change: Change | None) -> None:
        if change is None:
            return
        reroute(peer, me, is_hidden=False)
        me.blocked.discard(peer.login)
        me.unblocked_at[peer.id] = app.now_us()
        announce(app, me, peer, change)
        app.tell(me, blocking.UnblockOk(login=peer.address), but=session)
        session.send(blocking.UnblockOk(login=peer.address, tag=packet.tag))

    if await app.database.write(blocks.unblock(me.id, peer.id), then) is None:
        raise Refused(ErrorCode.UNKNOWN_ID, f"{peer.login} was not blocked.")


def reroute(of: LiveAccount, to: LiveAccount, *, is_hidden: bool) -> None:
    """Change the way from one account to another.  Were it looked up anew, the delay would tell of the block."""
    for session in of.sessions:
        for name, route in session.routes.items():
            if route.peer is to:
                session.routes[name] = Route(route.conversation, to, is_hidden)


HANDLERS: dict[type[Packet], Handler] = {
    blocking.Block: block,
    blocking.Unblock: unblock,
}
