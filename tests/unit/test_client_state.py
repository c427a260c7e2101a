"""The state of a client is a fold of packets; snapshot and events give what a fresh snapshot gives, in any order."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from veche.client.state import MAX_POSTS, Conversation, State, fold, trimmed
from veche.packets import ErrorCode, Packet
from veche.packets.account import ConnectOk
from veche.packets.blocking import BlockOk, UnblockOk
from veche.packets.message import (
    ConversationState,
    Edit,
    Edited,
    EditOk,
    HistoryGet,
    HistoryGetOk,
    HistoryMessage,
    Message,
    MessageDelivered,
    MessageRead,
    MessageSend,
    MessageSendFailed,
    MessageSent,
    React,
    Reacted,
    Reaction,
    ReactOk,
    Retract,
    Retracted,
    RetractOk,
    Snapshot,
    TypingEnd,
    TypingStarted,
)

ME, BOB = "alice@home", "bob@home"
AT = "2026-01-01T00:00:00Z"


def message(entry_id: int, text: str = "hi", author: str = BOB, **fields: Any) -> Message:
    to = ME if author == BOB else BOB
    return Message(id=entry_id, seq=entry_id, from_=author, to=to, at=AT, text=text, **fields)


def after(*packets: Packet, state: State | None = None) -> State:
    state = state or State(me=ME)
    for packet in packets:
        state = fold(state, packet)
    return state


def bob(state: State) -> Conversation:
    return state.conversation(BOB)


# -- one at a time


def test_a_message_of_the_peer_is_unread_until_it_is_read() -> None:
    """Rows: M16, M20."""
    state = after(message(1), message(2))
    assert bob(state).unread == 2
    state = after(MessageRead(id=1, peer=BOB, by=ME), state=state)
    assert bob(state).unread == 1
    assert bob(after(MessageRead(id=2, peer=BOB, by=ME), state=state)).unread == 0


def test_a_message_from_another_device_of_mine_is_not_unread() -> None:
    assert bob(after(message(1, author=ME))).unread == 0


def test_the_marks_of_the_other_rise_and_never_fall() -> None:
    """Rows: M16."""
    state = after(
        message(1, author=ME),
        message(2, author=ME),
        MessageDelivered(id=2, peer=ME, by=BOB),
        MessageDelivered(id=1, peer=ME, by=BOB),
        MessageRead(id=2, peer=ME, by=BOB),
        MessageRead(id=1, peer=ME, by=BOB),
    )
    assert (bob(state).peer_delivered_id, bob(state).peer_read_id) == (2, 2)


def test_typing_ends_by_itself_by_its_end_and_by_a_message() -> None:
    """Rows: M21, M22."""
    state = fold(State(me=ME), TypingStarted(from_=BOB), now=100.0)
    assert state.is_typing(BOB, 109.9)
    assert not state.is_typing(BOB, 110.0)
    assert not after(TypingEnd(from_=BOB), state=state).is_typing(BOB, 101.0)
    assert not after(message(1), state=state).is_typing(BOB, 101.0)
    assert after(message(1, author=ME), state=state).is_typing(BOB, 101.0)


def test_a_message_of_mine_is_pending_until_it_is_stored() -> None:
    """Rows: M14."""
    request = MessageSend(to="bob", text="hi", cookie="c-1", reply_to=7)
    state = fold(State(me=ME), request)
    assert bob(state).pending["c-1"].text == "hi"
    state = fold(state, MessageSent(id=9, seq=1, at=AT, cookie="c-1"), request=request)
    assert bob(state).pending == {}
    assert (bob(state).posts[9].author, bob(state).posts[9].text, bob(state).posts[9].reply_to) == (ME, "hi", 7)


def test_a_message_that_was_refused_says_why() -> None:
    """Rows: M15."""
    request = MessageSend(to="bob", text="hi", cookie="c-1")
    state = fold(State(me=ME), request)
    refusal = MessageSendFailed(code=ErrorCode.UNKNOWN_USER, cookie="c-1")
    assert bob(fold(state, refusal, request=request)).pending["c-1"].failed == "There is no such user."


def test_a_change_of_ours_is_seen_when_it_is_stored() -> None:
    state = after(message(1, "one", ME), message(2, "two", ME))
    state = fold(state, EditOk(id=3), request=Edit(id=1, text="uno"))
    state = fold(state, ReactOk(id=4), request=React(id=1, emoji="x"))
    state = fold(state, RetractOk(id=5), request=Retract(id=2))
    assert (bob(state).posts[1].text, bob(state).posts[1].edited) == ("uno", True)
    assert bob(state).posts[1].reactions == [(ME, "x")]
    assert (bob(state).posts[2].text, bob(state).posts[2].retracted) == ("", True)
    state = fold(state, ReactOk(id=6), request=React(id=1, emoji="x", remove=True))
    assert bob(state).posts[1].reactions == []


def test_blocking_and_unblocking() -> None:
    state = after(ConnectOk(login=ME, device="d", resume="r"), BlockOk(login=BOB), BlockOk(login="eve@home"))
    assert after(UnblockOk(login=BOB), state=state).blocked == {"eve@home"}
    assert after(Snapshot(blocked=["x@home"]), state=state).blocked == {"x@home"}


def test_a_page_that_is_older_than_an_edit_does_not_undo_it() -> None:
    page = HistoryGetOk(peer=BOB, messages=[HistoryMessage(id=1, seq=1, from_=BOB, at=AT, text="old")])
    edit = Edited(id=2, seq=2, from_=BOB, to=ME, at=AT, target=1, text="new")
    assert bob(after(edit, page)).posts[1].text == "new"
    assert bob(after(page, edit)).posts[1].text == "new"
    assert not bob(after(edit)).posts[1].is_known


def test_a_conversation_is_complete_from_the_oldest_page_that_joins() -> None:
    def page(*ids: int, more: bool) -> HistoryGetOk:
        messages = [HistoryMessage(id=i, seq=i, from_=BOB, at=AT, text=str(i)) for i in ids]
        return HistoryGetOk(peer=BOB, messages=messages, more=more)

    state = after(message(3), message(20))
    assert bob(state).complete_from is None
    state = fold(state, page(10, 11, 20, more=True), request=HistoryGet(peer=BOB))
    assert bob(state).complete_from == 10
    assert [post.id for post in bob(state).known()] == [10, 11, 20]
    stray = fold(state, page(2, 3, more=True), request=HistoryGet(peer=BOB, before=5))
    assert bob(stray).complete_from == 10
    state = fold(state, page(5, 6, more=True), request=HistoryGet(peer=BOB, before=10))
    assert bob(state).complete_from == 5
    state = fold(state, page(1, 3, more=False), request=HistoryGet(peer=BOB, before=5))
    assert bob(state).complete_from == 0
    assert list(bob(state).posts) == [1, 3, 5, 6, 10, 11, 20]


def test_what_is_forgotten_is_known_to_be_on_the_server() -> None:
    state = after(*(message(i + 1) for i in range(MAX_POSTS + 5)))
    state = trimmed(state, BOB)
    assert len(bob(state).posts) == MAX_POSTS
    assert bob(state).complete_from == 6
    assert trimmed(state, BOB) is state


# -- the law


@dataclass
class Home:
    """A model of the server: the log of one conversation and its marks, in the plainest way."""

    log: list[Any] = field(default_factory=list[Any])
    read: dict[str, int] = field(default_factory=lambda: {ME: 0, BOB: 0})
    delivered: int = 0
    marks: list[Packet] = field(default_factory=list[Packet])

    def texts(self, upto: int = 10**9) -> dict[int, HistoryMessage]:
        """Every message as it stood at an entry, its changes applied."""
        texts: dict[int, HistoryMessage] = {}
        for entry in self.log:
            if entry.id > upto:
                break
            if isinstance(entry, Message):
                texts[entry.id] = HistoryMessage(
                    id=entry.id, seq=entry.seq, from_=entry.from_, at=entry.at, text=entry.text
                )
                continue
            old = texts[entry.target]
            match entry:
                case Edited():
                    texts[entry.target] = replace(old, text=entry.text, edited=True)
                case Retracted():
                    texts[entry.target] = replace(old, text="", retracted=True, reactions=[])
                case Reacted():
                    this = Reaction(by=entry.from_, emoji=entry.emoji)
                    kept = [one for one in old.reactions if one != this]
                    texts[entry.target] = replace(old, reactions=kept if entry.removed else [*kept, this])
                case _:
                    pass
        return texts

    def snapshot(self) -> Snapshot:
        last = self.log[-1].id if self.log else 0
        if not last:
            return Snapshot()
        unread = sum(
            1 for one in self.texts().values() if one.from_ == BOB and one.id > self.read[ME] and not one.retracted
        )
        told = ConversationState(
            peer=BOB,
            last_id=last,
            unread=unread,
            read_id=self.read[ME],
            peer_read_id=self.read[BOB],
            peer_delivered_id=self.delivered,
        )
        return Snapshot(conversations=[told], upto=last)

    def history(self) -> HistoryGetOk:
        return HistoryGetOk(peer=BOB, messages=list(self.texts().values()))

    def replay(self, cursor: int) -> list[Packet]:
        """What a device that has everything up to `cursor` is sent: messages as they stand today."""
        today = self.texts()
        packets: list[Packet] = []
        for entry in self.log:
            if entry.id <= cursor:
                continue
            if isinstance(entry, Message):
                now = today[entry.id]
                packets.append(replace(entry, text=now.text, edited=now.edited, retracted=now.retracted))
            elif isinstance(entry, Edited):
                if not today[entry.target].retracted:
                    packets.append(replace(entry, text=today[entry.target].text))
            else:
                packets.append(entry)
        return packets

    def do(self, what: int, who: str, pick: int) -> list[Packet]:
        """One thing happens; returns what a live device is told."""
        entry_id = len(self.log) * 3 + 1
        texts = self.texts()
        peer = BOB if who == ME else ME
        common: dict[str, Any] = {"id": entry_id, "seq": len(self.log) + 1, "from_": who, "to": peer, "at": AT}
        mine = [one.id for one in texts.values() if one.from_ == who and not one.retracted]
        seen = [one.id for one in texts.values() if not one.retracted]
        match what:
            case 0 | 1 | 2:
                entry: Any = Message(**common, text=f"text {entry_id}")
            case 3 if mine:
                entry = Edited(**common, target=mine[pick % len(mine)], text=f"edit {entry_id}")
            case 4 if mine:
                entry = Retracted(**common, target=mine[pick % len(mine)])
            case 5 | 6 if seen:
                entry = Reacted(**common, target=seen[pick % len(seen)], emoji="ab"[pick % 2], removed=what == 6)
            case 7 if seen:
                upto = seen[pick % len(seen)]
                if upto <= self.read[who]:
                    return []
                self.read[who] = upto
                return [MessageRead(id=upto, peer=peer, by=who)]
            case 8 if mine and who == ME:
                self.delivered = max(self.delivered, mine[pick % len(mine)])
                return [MessageDelivered(id=self.delivered, peer=ME, by=BOB)]
            case _:
                return []
        self.log.append(entry)
        return [entry]


deeds = st.lists(st.tuples(st.integers(0, 8), st.sampled_from([ME, BOB]), st.integers(0, 50)), max_size=25)


def compare(state: State, home: Home, *, complete: bool) -> None:
    """The state shows what the server would tell."""
    mine, told = bob(state), home.snapshot().conversations
    if not told:
        assert not mine.posts
        return
    assert (mine.last_id, mine.read_id, mine.peer_read_id, mine.peer_delivered_id) == (
        *(told[0].last_id, told[0].read_id, told[0].peer_read_id, told[0].peer_delivered_id),
    )
    for post in mine.posts.values():
        if post.is_known:
            now = home.texts()[post.id]
            shown = (post.author, post.text, post.retracted, post.edited or now.retracted)
            assert shown == (now.from_, now.text, now.retracted, now.edited or now.retracted)
            assert post.reactions == sorted((one.by, one.emoji) for one in now.reactions)
    if complete:
        assert set(home.texts()) == {post.id for post in mine.posts.values() if post.is_known}
        assert mine.unread == told[0].unread
    elif mine.read_id >= mine.last_id:
        assert mine.unread == 0


@settings(max_examples=300, deadline=None)
@given(deeds, deeds, st.integers(0, 2**32))
def test_law_snapshot_and_events_in_any_order_give_what_a_fresh_snapshot_gives(
    before: list[tuple[int, str, int]], since: list[tuple[int, str, int]], seed: int
) -> None:
    """A device that replays everything, with repeats, late pages of history and any interleaving."""
    home = Home()
    for deed in before:
        home.do(*deed)
    snapshot = home.snapshot()
    packets: list[Packet] = [*home.replay(0), home.history()]
    for deed in since:
        packets += home.do(*deed)
        if deed[2] % 7 == 0:
            packets.append(home.history())
    chance = random.Random(seed)
    packets += chance.sample(packets, min(5, len(packets)))
    chance.shuffle(packets)
    compare(after(snapshot, *packets), home, complete=True)


@settings(max_examples=200, deadline=None)
@given(deeds, deeds, st.integers(0, 100), st.booleans())
def test_law_a_device_that_was_away_catches_up(
    before: list[tuple[int, str, int]], since: list[tuple[int, str, int]], cursor: int, with_history: bool
) -> None:
    """Whatever its cursor was, and whether or not it has asked for older messages."""
    home = Home()
    for deed in before:
        home.do(*deed)
    state = after(home.snapshot(), *([home.history()] if with_history else []), *home.replay(cursor))
    compare(state, home, complete=with_history)
    for deed in since:
        state = after(*home.do(*deed), state=state)
    compare(state, home, complete=with_history)
    compare(after(home.snapshot(), state=state), home, complete=with_history)


@settings(max_examples=100, deadline=None)
@given(deeds)
def test_law_repeats_are_harmless(before: list[tuple[int, str, int]]) -> None:
    home = Home()
    packets: list[Packet] = []
    for deed in before:
        packets += home.do(*deed)
    once = after(*packets)
    assert after(*packets, *packets) == once
    twice_each = [packet for packet in packets for _ in range(2)]
    assert after(*twice_each) == once


@settings(max_examples=100, deadline=None)
@given(deeds, st.integers(0, 2**32))
def test_law_a_missed_mark_is_made_up_by_the_next_snapshot(before: list[tuple[int, str, int]], seed: int) -> None:
    """A link that was full is sent no marks, and a fresh snapshot instead."""
    home = Home()
    chance = random.Random(seed)
    state = State(me=ME)
    for deed in before:
        for packet in home.do(*deed):
            if not isinstance(packet, MessageRead | MessageDelivered) or chance.random() < 0.5:
                state = fold(state, packet)
    compare(after(home.snapshot(), state=state), home, complete=True)
