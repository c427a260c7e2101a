"""One connection between two legs, with made-up time: who offers, what replaces what, and how it recovers."""

from __future__ import annotations

from collections import deque

from hypothesis import given, settings
from hypothesis import strategies as st

from veche.media.pair import (
    ANSWER_S,
    CONNECT_S,
    MAX_CANDIDATES,
    OFFER_S,
    WEAK_S,
    Accept,
    Answer,
    Candidate,
    Changed,
    Command,
    Drop,
    LinkState,
    Offer,
    Pair,
    Phase,
    Tell,
    ufrag_of,
)
from veche.packets.conference import SignalKind

OFFER, ANSWER, CANDIDATE, BYE = SignalKind.OFFER, SignalKind.ANSWER, SignalKind.CANDIDATE, SignalKind.BYE


def sdp(ufrag: str) -> str:
    return f"v=0\r\na=ice-ufrag:{ufrag}\r\na=ice-pwd:x\r\n"


def begun(*, is_caller: bool, epoch: int = 5) -> Pair:
    pair = Pair(epoch, is_caller=is_caller)
    pair.begin(0.0)
    return pair


def standing(*, is_caller: bool) -> Pair:
    """A pair whose connection 1 is up, at time 1."""
    pair = begun(is_caller=is_caller)
    if is_caller:
        pair.made(1, sdp("mine"), 0.1)
        pair.receive(ANSWER, 5, 0.5, sdp=sdp("theirs"))
    else:
        pair.receive(OFFER, 5, 0.1, sdp=sdp("theirs"))
        pair.made(1, sdp("mine"), 0.5)
    pair.up(1, 1.0)
    pair.commands()
    return pair


def test_the_caller_offers_at_once_and_the_other_answers() -> None:
    """Rows: V26 (partly)."""
    caller, other = begun(is_caller=True), begun(is_caller=False)
    assert caller.commands() == [Offer(1)]
    assert other.commands() == []
    caller.made(1, sdp("a"), 0.1)
    assert caller.commands() == [Tell(OFFER, sdp("a"))]
    other.receive(OFFER, 5, 0.2, sdp=sdp("a"))
    assert other.commands() == [Answer(1, sdp("a"), False)]
    other.made(1, sdp("b"), 0.3)
    assert other.commands() == [Tell(ANSWER, sdp("b"))]
    caller.receive(ANSWER, 5, 0.4, sdp=sdp("b"))
    assert caller.commands() == [Accept(1, sdp("b"))]
    caller.up(1, 0.5)
    other.up(1, 0.5)
    assert caller.commands() == other.commands() == [Changed(LinkState.CONNECTED)]


def test_who_waits_for_an_offer_makes_one_when_none_comes() -> None:
    pair = begun(is_caller=False)
    assert pair.next_deadline() == OFFER_S
    pair.handle_timer(OFFER_S - 0.1)
    assert pair.commands() == []
    pair.handle_timer(OFFER_S)
    assert pair.commands() == [Offer(1)]


def test_when_offers_cross_that_of_the_caller_counts() -> None:
    caller, other = begun(is_caller=True), begun(is_caller=False)
    other.handle_timer(OFFER_S)
    caller.made(1, sdp("a"), 8.0)
    other.made(1, sdp("b"), 8.0)
    caller.commands()
    other.commands()
    caller.receive(OFFER, 5, 8.1, sdp=sdp("b"))
    assert caller.commands() == []
    other.receive(OFFER, 5, 8.1, sdp=sdp("a"))
    assert other.commands() == [Drop(1), Answer(2, sdp("a"), False)]


def test_signals_of_another_epoch_are_passed_over() -> None:
    """Rows: X10 (partly)."""
    pair = begun(is_caller=False)
    pair.receive(OFFER, 4, 0.1, sdp=sdp("old"))
    pair.receive(OFFER, 6, 0.1, sdp=sdp("new"))
    pair.receive(BYE, 4, 0.1)
    assert pair.commands() == []
    assert pair.phase is Phase.IDLE


def test_an_offer_of_the_same_connection_changes_it_and_any_other_replaces_it() -> None:
    for is_caller in (True, False):
        pair = standing(is_caller=is_caller)
        pair.receive(OFFER, 5, 2.0, sdp=sdp("theirs") + "a=mid:1\r\n")
        assert pair.commands() == [Answer(1, sdp("theirs") + "a=mid:1\r\n", True)]
        pair.made(1, sdp("mine"), 2.1)
        assert pair.commands() == [Tell(ANSWER, sdp("mine"))]
        assert pair.state is LinkState.CONNECTED
        pair.receive(OFFER, 5, 3.0, sdp=sdp("fresh"))
        assert pair.commands() == [Drop(1), Answer(2, sdp("fresh"), False), Changed(LinkState.CONNECTING)]


def test_candidates_reach_the_connection_they_belong_to() -> None:
    pair = standing(is_caller=True)
    pair.receive(CANDIDATE, 5, 2.0, candidate="candidate:1 1 udp 1 10.0.0.1 9 typ host ufrag theirs", mid="0")
    pair.receive(CANDIDATE, 5, 2.0, candidate="candidate:1 1 udp 1 10.0.0.2 9 typ host ufrag former", mid="0")
    pair.receive(CANDIDATE, 5, 2.0, candidate="candidate:1 1 udp 1 10.0.0.3 9 typ host", mid="0", mline=0)
    assert [one.candidate.split()[4] for one in pair.commands() if isinstance(one, Candidate)] == [
        "10.0.0.1",
        "10.0.0.3",
    ]
    waiting = begun(is_caller=False)
    waiting.receive(CANDIDATE, 5, 0.1, candidate="candidate:1 1 udp 1 10.0.0.1 9 typ host")
    assert waiting.commands() == []


def test_of_a_flood_of_candidates_only_so_many_are_taken() -> None:
    pair = standing(is_caller=True)
    for number in range(10_000):
        pair.receive(CANDIDATE, 5, 2.0, candidate=f"candidate:1 1 udp 1 10.0.0.1 {number} typ host")
    assert len(pair.commands()) == MAX_CANDIDATES
    pair.receive(OFFER, 5, 3.0, sdp=sdp("fresh"))
    pair.receive(CANDIDATE, 5, 3.0, candidate="candidate:1 1 udp 1 10.0.0.1 9 typ host")
    assert isinstance(pair.commands()[-1], Candidate)


def test_nonsense_is_passed_over() -> None:
    for pair in (begun(is_caller=False), standing(is_caller=True)):
        for text in ("", "nonsense", "a=ice-ufrag:", "a=ice-ufrag:" + "x" * 300, "\0" * 1000):
            pair.receive(OFFER, 5, 2.0, sdp=text)
        pair.receive(ANSWER, 5, 2.0, sdp="nonsense")
        assert pair.commands() == []


def test_what_broke_is_told_and_tried_again_after_pauses_that_double() -> None:
    pair = standing(is_caller=True)
    pair.broke(1, "The cable was cut.", 10.0)
    assert pair.commands() == [Tell(BYE), Drop(1), Changed(LinkState.FAILED, "The cable was cut.", 1.0)]
    pauses: list[float] = []
    now = 10.0
    for _ in range(8):
        due = pair.next_deadline()
        assert due is not None
        pauses.append(due - now)
        now = due
        pair.handle_timer(now)
        pair.broke(pair.serial, "Again.", now)
    assert pauses == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]
    assert all(isinstance(one, Offer | Drop | Tell | Changed) for one in pair.commands())


def test_an_offer_nobody_answers_and_a_path_nobody_finds_are_tried_again() -> None:
    pair = begun(is_caller=True)
    pair.made(1, sdp("a"), 0.0)
    pair.handle_timer(ANSWER_S)
    assert Changed(LinkState.FAILED, "The other side did not answer.", 1.0) in pair.commands()
    pair.handle_timer(ANSWER_S + 1)
    assert Offer(2) in pair.commands()
    pair.made(2, sdp("b"), 20.0)
    pair.receive(ANSWER, 5, 20.0, sdp=sdp("c"))
    pair.handle_timer(20.0 + CONNECT_S)
    said = [one for one in pair.commands() if isinstance(one, Changed)]
    assert said[-1].state is LinkState.FAILED
    assert "firewall" in said[-1].reason


def test_a_goodbye_ends_the_connection_that_stands_and_not_the_one_that_is_offered() -> None:
    pair = standing(is_caller=True)
    pair.receive(BYE, 5, 2.0)
    assert [type(one) for one in pair.commands()] == [Drop, Changed]
    pair.handle_timer(3.0)
    pair.made(2, sdp("b"), 3.1)
    pair.commands()
    pair.receive(BYE, 5, 3.2)
    assert pair.commands() == []
    assert pair.phase is Phase.OFFERED


def test_a_silent_connection_is_weak_then_well_again_or_broken() -> None:
    pair = standing(is_caller=True)
    pair.silent(1, 10.0)
    assert pair.state is LinkState.WEAK
    pair.heard(1)
    assert pair.state is LinkState.CONNECTED
    assert pair.next_deadline() is None
    pair.silent(1, 20.0)
    pair.handle_timer(20.0 + WEAK_S)
    assert pair.state is LinkState.FAILED
    assert pair.commands()[-1] == Changed(LinkState.FAILED, "Nothing has come from the other side for a while.", 1.0)


def test_reports_of_a_former_connection_are_passed_over() -> None:
    pair = standing(is_caller=True)
    pair.receive(OFFER, 5, 2.0, sdp=sdp("fresh"))
    pair.commands()
    pair.broke(1, "Closed.", 2.1)
    pair.made(1, sdp("x"), 2.1)
    pair.up(1, 2.1)
    pair.silent(1, 2.1)
    assert pair.commands() == []
    assert pair.phase is Phase.ANSWERING


def test_a_link_to_the_server_that_is_back_hastens_what_is_not_connected() -> None:
    pair = standing(is_caller=True)
    pair.signalling_is_back(5.0)
    assert pair.commands() == []
    pair.broke(1, "Cut.", 6.0)
    pair.commands()
    pair.signalling_is_back(6.1)
    assert pair.commands()[0] == Offer(2)


def test_after_the_end_nothing_more_is_wanted() -> None:
    pair = standing(is_caller=True)
    pair.end()
    assert pair.commands() == [Drop(1)]
    assert pair.next_deadline() is None


class World:
    """Two pairs, the server between them, and connections that come up when offer and answer belong together."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pairs = (Pair(1, is_caller=True), Pair(1, is_caller=False))
        self.wires: tuple[deque[Tell], deque[Tell]] = (deque(), deque())
        """To the first, to the second."""
        self.made: list[dict[int, str]] = [{}, {}]
        self.peers: list[dict[int, str]] = [{}, {}]
        """Which of the other's descriptions a connection was given, by its ufrag."""
        self.is_down = False
        for pair in self.pairs:
            pair.begin(0.0)
        self.obey()

    def obey(self) -> None:
        for me, pair in enumerate(self.pairs):
            for command in pair.commands():
                self.do(me, command)

    def do(self, me: int, command: Command) -> None:
        pair = self.pairs[me]
        match command:
            case Tell():
                if not self.is_down:
                    self.wires[1 - me].append(command)
            case Offer(serial):
                self.made[me] = {serial: f"{me}.{serial}"}
                self.peers[me] = {}
                pair.made(serial, sdp(f"{me}.{serial}"), self.now)
            case Answer(serial, text, _):
                self.made[me] = {serial: f"{me}.{serial}"}
                self.peers[me] = {serial: ufrag_of(text)}
                pair.made(serial, sdp(f"{me}.{serial}"), self.now)
            case Accept(serial, text):
                self.peers[me] = {serial: ufrag_of(text)}
            case Drop(serial):
                self.made[me].pop(serial, None)
                self.peers[me].pop(serial, None)
            case _:
                pass
        for command in pair.commands():
            self.do(me, command)

    def deliver(self, to: int) -> None:
        if self.wires[to]:
            tell = self.wires[to].popleft()
            self.pairs[to].receive(tell.kind, 1, self.now, sdp=tell.sdp)
            self.obey()

    @property
    def is_matched(self) -> bool:
        """Each has the other's newest description."""
        return all(list(self.peers[me].values()) == list(self.made[1 - me].values()) and self.made[me] for me in (0, 1))

    def link(self) -> None:
        if self.is_matched:
            for me, pair in enumerate(self.pairs):
                pair.up(next(iter(self.made[me])), self.now)
            self.obey()

    def cut(self) -> None:
        for me, pair in enumerate(self.pairs):
            for serial in list(self.made[me]):
                pair.broke(serial, "Cut.", self.now)
        self.obey()

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        for pair in self.pairs:
            pair.handle_timer(self.now)
        self.obey()

    def is_up(self) -> bool:
        return self.is_matched and all(pair.phase is Phase.UP for pair in self.pairs)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("deliver"), st.sampled_from([0, 1])),
        st.tuples(st.just("pass"), st.sampled_from([0.1, 1.0, 5.0, 9.0, 16.0])),
        st.tuples(st.sampled_from(["down", "up", "cut", "link"]), st.just(0)),
    ),
    max_size=60,
)


@settings(max_examples=300, deadline=None)
@given(STEPS)
def test_whatever_happens_the_two_find_each_other_again(steps: list[tuple[str, float]]) -> None:
    """Offers that cross, signals that are lost with the server, cuts in between: then peace, and they are connected.

    Rows: X10 (partly).
    """
    world = World()
    for step, value in steps:
        match step:
            case "deliver":
                world.deliver(int(value))
            case "pass":
                world.pass_time(value)
            case "down":
                world.is_down = True
                for wire in world.wires:
                    wire.clear()
            case "up":
                world.is_down = False
            case "cut":
                world.cut()
            case _:
                world.link()
    world.is_down = False
    for _ in range(400):
        if world.is_up() and not any(world.wires):
            break
        for to in (0, 1):
            while world.wires[to]:
                world.deliver(to)
        world.link()
        world.pass_time(0.5)
    assert world.is_up(), [(pair.phase, pair.serial) for pair in world.pairs]
