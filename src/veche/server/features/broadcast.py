"""One text to all who are there.  Source: rows T30-T32, X16."""

from __future__ import annotations

from veche.packets import Packet, broadcast
from veche.storage import contacts

from ..session import Handler, Session
from .contacts import check_sender
from .message import spend
from .presence import watchers


async def send(session: Session, packet: broadcast.BroadcastSend) -> None:
    """Told to friends who are there; in the classic profile to all who have not blocked me, whomever I have."""
    app, me = session.app, session.account
    assert me is not None
    check_sender(packet.from_)
    skipped = False
    if app.is_classic:
        blockers = set(await app.database.find(contacts.blockers(me.id)))
        skipped = not blockers.isdisjoint(app.online)
        to = [one for id, one in app.online.items() if id not in blockers and one is not me]
    else:
        to = list(watchers(app, me))
    spend(session)
    event = broadcast.Broadcast(from_=me.address, at=app.instant(app.now_us()), text=packet.text)
    app.tell_all(to, event)
    session.send(broadcast.BroadcastOk(skipped=skipped, tag=packet.tag))


HANDLERS: dict[type[Packet], Handler] = {broadcast.BroadcastSend: send}
