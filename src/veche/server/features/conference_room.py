"""Telling what is written in the rooms of conferences: once it is stored, all texts of one commit together.

Each text is encoded once.  A leg that wrote none of them is told all of them in one piece, the same bytes as everybody
else; one that did is told its CONFERENCE-MESSAGE-SENT where its texts stand.  So every link hears of a room in the
order of its `seq`s, and costs one step of Python a commit, not one a text.

Source: rows A47, M13.
"""

from __future__ import annotations

from collections.abc import Sequence

import structlog

from veche.packets.conference import ConferenceMessage, ConferenceMessageSent
from veche.storage.database import Stored

from ..halls import Hall
from ..session import JSON, Session
from .conference import RoomReceipt

log: structlog.stdlib.BoundLogger = structlog.get_logger()

Text = tuple[RoomReceipt, Stored]


def announce_texts(texts: Sequence[Text]) -> None:
    """Texts are stored, given in the order of ids: tell the legs of each room, and the senders that it is so."""
    rooms: dict[Hall, list[Text]] = {}
    for text in texts:
        rooms.setdefault(text[0].hall, []).append(text)
    for hall, mine in rooms.items():
        try:
            announce_room(hall, mine)
        except Exception as error:  # it concerns one room; the others must still hear of theirs
            log.error("announce.failed", id=mine[0][1].id, exc_info=error)


def announce_room(hall: Hall, texts: Sequence[Text]) -> None:
    events: list[ConferenceMessage | None] = []
    """None: a repeat, which was told before."""
    writers: dict[Session, list[int]] = {}
    """Where in `texts` are those of each."""
    for number, (receipt, stored) in enumerate(texts):
        writers.setdefault(receipt.session, []).append(number)
        events.append(None if stored.repeat else event_of(receipt, stored))
    lines = [b"" if event is None else JSON.encode(event) for event in events]
    whole = b"".join(lines)
    app = texts[0][0].session.app
    count = len(events) - events.count(None)
    for session in hall.sessions.values():
        if session not in writers and count and takes(session):
            put(session, events, whole)
            app.counters.deliveries += count
    for session, own in writers.items():
        is_leg = app.halls.of_session.get(session, {}).get(hall.state.id) is hall and takes(session)
        start = 0
        for end in [*own, len(texts)]:
            if is_leg and (between := b"".join(lines[start:end])):
                put(session, events[start:end], between)
                app.counters.deliveries += end - start
            if end < len(texts):
                receipt, stored = texts[end]
                session.send(answer_to(receipt, stored))
            start = end + 1


def event_of(receipt: RoomReceipt, stored: Stored) -> ConferenceMessage:
    packet = receipt.packet
    at = receipt.session.app.instant(stored.at)
    return ConferenceMessage(id=packet.id, seq=stored.seq, from_=receipt.author.address, at=at, text=packet.text)


def answer_to(receipt: RoomReceipt, stored: Stored) -> ConferenceMessageSent:
    packet = receipt.packet
    at = receipt.session.app.instant(stored.at)
    return ConferenceMessageSent(id=packet.id, seq=stored.seq, at=at, cookie=packet.cookie, tag=packet.tag)


def takes(session: Session) -> bool:
    """Whether a leg can be told now; one whose link is full is told the conference whole when it has drained."""
    feed = session.feed
    assert feed is not None
    if not feed.takes_marks:
        feed.missed_marks = True
        return False
    return True


def put(session: Session, events: Sequence[ConferenceMessage | None], lines: bytes) -> None:
    """lines: the events, encoded as JSON."""
    if session.is_json:
        session.link.put(lines)
        return
    for event in events:
        if event is not None:
            session.send(event)
