"""The first and the last line of the screen: who I am and whether I am connected, whom I look at, what waits elsewhere.

Source: rows T39, M16, M21, M42, X21, X23.
"""

from __future__ import annotations

from typing import NamedTuple

from veche.client.people import THERE
from veche.client.state import State
from veche.packets.contacts import Relation

from .conference_words import POLICY
from .render import Fragments, Look, by_recency, cut, padded, width_of
from .roster import last_seen, presence_mark
from .sentences import PRESENCE, is_waiting
from .text import count, on_one_line, seconds
from .view import View

HINT = " /help  Ctrl-N next  Alt-A unread  Ctrl-D leaves"


class Connection(NamedTuple):
    """How this device stands with its server.  retry_in_s: until the next attempt; trouble: why there is one."""

    is_online: bool
    is_away: bool = False
    retry_in_s: float = 0.0
    trouble: str = ""


def fitted(parts: Fragments, width: int, style: str = "") -> Fragments:
    """The parts side by side, what is too much cut off, what is left filled up."""
    shown: Fragments = []
    left = width
    for one, text in parts:
        text = cut(text, left) if left > 0 else ""
        shown.append((one, text))
        left -= width_of(text)
    return [*shown, (style, padded("", max(0, left)))]


def title(state: State, view: View, look: Look, connection: Connection) -> Fragments:
    """The first line."""
    marks, me = look.marks, look.login(state.me)
    if not connection.is_online:
        wait_s = connection.retry_in_s
        how = f"reconnecting in {seconds(wait_s)}" if wait_s > 0.5 else "reconnecting"
        parts: Fragments = [("class:status.bad", f" {marks.offline} {me}: {how}")]
    elif connection.is_away:
        parts = [("", f" {marks.away} {me}, away")]
    else:
        parts = [("", f" {marks.online} {me}")]
    if view.around.microphone:
        style = "class:request" if view.around.microphone == "on" else ""
        parts += [("", "  "), (style, f"microphone {view.around.microphone}")]
    if view.page:
        parts.append(("", f" {marks.side} Help: PageDown for more, Enter closes it"))
    elif view.talk is not None:
        parts.append(("class:private", f" Off the record with {look.name(view.talk.peer)}: {view.talk.stage.value} "))
    elif view.hall is not None:
        parts.append(("", f" {marks.side} {_room(state, view.hall, look)}"))
    elif view.peer is not None:
        parts.append(("", f" {marks.side} {_peer(state, view.peer, look)}"))
        if view.peer in view.around.muted:
            parts.append(("", "  muted"))
    else:
        parts.append(("", f" {marks.side} Veche"))
    return fitted(parts, look.width)


def _room(state: State, id: str, look: Look) -> str:
    """The conference: name, how many are inside, whose it is, who may come."""
    inside = state.inside.get(id)
    if inside is None:
        return "a conference that is over"
    many = len(inside.people)
    who = f"{many} people" if many > 1 else "you alone"
    owner = f"  owner {look.name(inside.owner)}" if inside.owner else ""
    return f"{on_one_line(inside.conference.name, 60)}  {who}{owner}  {POLICY[inside.conference.policy]}"


def _peer(state: State, address: str, look: Look) -> str:
    """Whom the conversation is with: name, address, presence, note."""
    name = look.name(address)
    who = on_one_line(address) if name == look.login(address) else f"{name} ({on_one_line(address)})"
    if address in state.blocked:
        return f"{who}  blocked: what they write does not reach you"
    contact = state.contacts.get(address)
    if contact is None or contact.relation is not Relation.MUTUAL:
        return f"{who}  no friend of yours"
    said = f"{presence_mark(contact.status, look)[0]} {PRESENCE[contact.status]}"
    if contact.status not in THERE and contact.presence:
        said = last_seen(contact.presence, look) or said
    return f"{who}  {said}" + (f"  {on_one_line(contact.note, 500)}" if contact.note else "")


def status(state: State, view: View, look: Look, connection: Connection, now: float, *, hint: str = HINT) -> Fragments:
    """The last line: what happens here, then what waits elsewhere; a hint when there is neither."""
    parts: Fragments = []
    if connection.trouble and not connection.is_online:
        parts.append(("class:status.bad", f" {on_one_line(connection.trouble, 60)} "))
    if view.is_scrolled_back:
        parts.append(("", f" {look.marks.below} PageDown "))
    if view.peer is not None and view.talk is None and state.is_typing(view.peer, now):
        parts.append(("", f" {look.name(view.peer)} is typing{look.marks.sending} "))
    for call in reversed(state.calls.values()):
        name = on_one_line(call.name, 40)
        parts.append(("class:status.bad", f" {look.login(call.from_)} calls you into {name}: /accept or /decline "))
    for address in view.around.asking:
        parts.append(("class:status.bad", f" {look.login(address)} would like to talk privately: /accept or /decline "))
    waiting = sum(map(is_waiting, state.contacts.values()))
    if waiting and view.place:
        parts.append(("class:status.bad", f" {waiting} friend request{'s' if waiting > 1 else ''}: /home "))
    elsewhere = [
        f"{look.name(one.peer)} {count(one.unread)}"
        for one in by_recency(state)
        if one.unread and one.peer not in state.blocked and (one.peer != view.peer or view.talk is not None)
    ]
    elsewhere += [
        f"{look.name(address)} off the record {unread}" for address, unread in view.around.talks.items() if unread
    ]
    elsewhere += [
        f"{on_one_line(inside.conference.name, 40)} {view.around.rooms[id]}"
        for id, inside in state.inside.items()
        if view.around.rooms.get(id) and id != view.hall
    ]
    if elsewhere:
        parts.append(("class:status.bad", f" unread: {', '.join(elsewhere)} "))
    return fitted(parts or [("", hint)], look.width)
