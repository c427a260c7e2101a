"""One connection between two legs: what to do on which signal, failure and deadline.  No I/O, no clock.

    idle --offer--> making --made--> offered --their answer--> linking --up--> up
    idle --their offer--> answering --made--> linking --up--> up
    whatever --it broke, BYE, a deadline--> idle, and again after a pause

Rules:

1. The caller offers at once, and is the impolite one: while its own offer waits for an answer it passes over the
   other's.  The polite one lets its own offer go when the other's arrives (W3C WebRTC 1.0 §10.7, Perfect Negotiation).
2. The polite one waits for the offer, but not for ever: after `OFFER_S` it offers itself.
3. A signal of another epoch than the pair's is passed over; a new epoch is a new Pair (row X10).
4. An offer whose ICE username fragment is the one of the standing connection changes that connection; any other offer
   replaces it.  So a restart is a fresh offer, and needs no BYE before it.
5. What breaks is told to the other by BYE, and tried again after a pause that doubles, up to `LONGEST_PAUSE_S`.  BYE is
   passed over while an offer is on its way: it means the connection before.
6. A connection from which nothing comes is weak; one that stays so for `WEAK_S` is broken.
7. The shell makes connections; each has a number.  What it reports of an old number is passed over.

Source: document 004; rows V05-V11, V26, V31, X10; RFC 8839 §5.4 (ufrag), RFC 7675 (consent).
"""

from __future__ import annotations

import re
from collections import deque
from enum import Enum, StrEnum
from typing import NamedTuple

from msgspec import Struct

from veche.packets.conference import SignalKind

OFFER_S = 8.0
"""So long the polite one waits for an offer (rule 2)."""
MAKE_S = 12.0
"""So long a description may take: gathering waits for servers that do not answer."""
ANSWER_S = 15.0
CONNECT_S = 15.0
"""From both descriptions to a connection."""
WEAK_S = 12.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0

MAX_CANDIDATES = 100
"""Of one connection of the other's, beside those in its description."""

UFRAG = re.compile(r"^a=ice-ufrag:(\S{1,256})\s*$", re.MULTILINE)
CANDIDATE_UFRAG = re.compile(r"\bufrag (\S{1,256})")


class LinkState(StrEnum):
    """How it stands with another leg."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    WEAK = "weak"
    """Nothing comes from it at the moment."""
    FAILED = "failed"


class Proof(NamedTuple):
    """What goes with a description (identity.py); both are empty where the device has no identity."""

    identity: str = ""
    signature: str = ""


NO_PROOF = Proof()

# -- what the shell is told to do, in this order


class Offer(Struct, frozen=True):
    """Make connection `serial`, and report its offer by `made`."""

    serial: int


class Answer(Struct, frozen=True):
    """Make connection `serial` for this offer, or, with `renews`, give it to the one that is there; report `made`."""

    serial: int
    sdp: str
    renews: bool
    proof: Proof = NO_PROOF


class Accept(Struct, frozen=True):
    """The answer to the offer of connection `serial`."""

    serial: int
    sdp: str
    proof: Proof = NO_PROOF


class Candidate(Struct, frozen=True):
    """A way to the other, for connection `serial`.  candidate: empty: there are no more."""

    serial: int
    candidate: str
    mid: str
    mline: int


class Drop(Struct, frozen=True):
    """Close connection `serial`."""

    serial: int


class Tell(Struct, frozen=True):
    """Send a SIGNAL of the pair's epoch."""

    kind: SignalKind
    sdp: str = ""


class Changed(Struct, frozen=True):
    """The state is new.  retry_in_s: of a failed one, when it is tried again."""

    state: LinkState
    reason: str = ""
    retry_in_s: float | None = None


Command = Offer | Answer | Accept | Candidate | Drop | Tell | Changed


class Phase(Enum):
    """Where a pair stands."""

    IDLE = "idle"
    MAKING = "making"
    OFFERED = "offered"
    ANSWERING = "answering"
    LINKING = "linking"
    UP = "up"


class Pair:
    """This leg and another one, within one epoch.  `now`, everywhere: seconds on one monotonic clock."""

    def __init__(self, epoch: int, *, is_caller: bool) -> None:
        self.epoch, self.is_caller = epoch, is_caller
        self.phase = Phase.IDLE
        self.serial = 0
        """Of the newest connection."""
        self.state = LinkState.CONNECTING
        self._ufrag: str = ""
        self._failures = self._candidates = 0
        self._weak_since: float | None = None
        self._deadline: float | None = None
        self._out: deque[Command] = deque()

    def commands(self) -> list[Command]:
        """What is to be done, oldest first; each is given out once."""
        out = list(self._out)
        self._out.clear()
        return out

    # -- beginning and end

    def begin(self, now: float) -> None:
        """The pair exists (rules 1 and 2)."""
        if self.is_caller:
            self._offer(now)
        else:
            self._deadline = now + OFFER_S

    def end(self) -> None:
        """One of the two is no leg any more, or begins anew."""
        self._drop()
        self._deadline = None

    def signalling_is_back(self, now: float) -> None:
        """The link to the server was lost and is there again: what was said meanwhile may be lost with it."""
        if self.phase in (Phase.UP, Phase.LINKING):
            return
        self._failures = 0
        if self.is_caller:
            self._offer(now)
        elif self.phase is Phase.IDLE:
            self._deadline = now + OFFER_S
        else:
            self._drop()
            self._deadline = now + OFFER_S

    # -- what the other says

    def receive(
        self,
        kind: SignalKind,
        epoch: int,
        now: float,
        *,
        sdp: str = "",
        candidate: str = "",
        mid: str = "",
        mline: int = 0,
        proof: Proof = NO_PROOF,
    ) -> None:
        """A SIGNAL of the other leg.  proof: goes to the shell with the description."""
        if epoch != self.epoch:
            return  # rule 3
        match kind:
            case SignalKind.OFFER:
                self._take_offer(sdp, proof, now)
            case SignalKind.ANSWER:
                if self.phase is Phase.OFFERED:
                    self.phase, self._ufrag = Phase.LINKING, ufrag_of(sdp)
                    self._deadline = now + CONNECT_S
                    self._out.append(Accept(self.serial, sdp, proof))
            case SignalKind.CANDIDATE:
                is_there = self.phase in (Phase.ANSWERING, Phase.LINKING, Phase.UP)
                if is_there and self._is_mine(candidate) and self._candidates < MAX_CANDIDATES:
                    self._candidates += 1
                    self._out.append(Candidate(self.serial, candidate, mid, mline))
            case SignalKind.BYE:
                if self.phase not in (Phase.MAKING, Phase.OFFERED, Phase.IDLE):  # rule 5
                    self._fail("The other side gave the connection up.", now)

    def _take_offer(self, sdp: str, proof: Proof, now: float) -> None:
        ufrag = ufrag_of(sdp)
        if not ufrag:
            return  # nonsense: whoever sends it gets no answer, and tries again
        if self.phase in (Phase.MAKING, Phase.OFFERED) and self.is_caller:
            return  # rule 1
        if self.phase in (Phase.LINKING, Phase.UP) and ufrag == self._ufrag:
            self._out.append(Answer(self.serial, sdp, True, proof))
            return
        self._drop()
        self.serial += 1
        self.phase, self._ufrag = Phase.ANSWERING, ufrag
        self._deadline = now + MAKE_S
        self._out.append(Answer(self.serial, sdp, False, proof))
        self._change(LinkState.CONNECTING)

    def _is_mine(self, candidate: str) -> bool:
        """Whether it belongs to the connection that stands; those that do not say are taken to."""
        said = CANDIDATE_UFRAG.search(candidate)
        return said is None or str(said[1]) == self._ufrag

    # -- what the shell reports

    def made(self, serial: int, sdp: str, now: float) -> None:
        """The offer or answer that was asked for."""
        if serial != self.serial:
            return
        match self.phase:
            case Phase.MAKING:
                self.phase = Phase.OFFERED
                self._deadline = now + ANSWER_S
                self._out.append(Tell(SignalKind.OFFER, sdp))
            case Phase.ANSWERING:
                self.phase = Phase.LINKING
                self._deadline = now + CONNECT_S
                self._out.append(Tell(SignalKind.ANSWER, sdp))
            case Phase.LINKING | Phase.UP:
                self._out.append(Tell(SignalKind.ANSWER, sdp))
            case _:
                pass

    def up(self, serial: int, now: float) -> None:
        """Media can flow."""
        if serial == self.serial and self.phase in (Phase.LINKING, Phase.ANSWERING):
            self.phase, self._deadline = Phase.UP, None
            self._failures = 0
            self._change(LinkState.CONNECTED)

    def broke(self, serial: int, reason: str, now: float) -> None:
        """The connection cannot be made, or is gone."""
        if serial == self.serial and self.phase is not Phase.IDLE:
            self._out.append(Tell(SignalKind.BYE))
            self._fail(reason, now)

    def silent(self, serial: int, now: float) -> None:
        """Nothing has come for a while (rule 6)."""
        if serial == self.serial and self.phase is Phase.UP and self._weak_since is None:
            self._weak_since, self._deadline = now, now + WEAK_S
            self._change(LinkState.WEAK, "Nothing comes from there at the moment.")

    def heard(self, serial: int) -> None:
        """Something came again."""
        if serial == self.serial and self._weak_since is not None and self.phase is Phase.UP:
            self._weak_since = self._deadline = None
            self._change(LinkState.CONNECTED)

    # -- time

    def next_deadline(self) -> float | None:
        """When `handle_timer` wants to be called, if nothing happens before."""
        return self._deadline

    def handle_timer(self, now: float) -> None:
        """The deadline may have passed."""
        if self._deadline is None or now < self._deadline:
            return
        match self.phase:
            case Phase.IDLE:
                self._offer(now)
            case Phase.MAKING | Phase.ANSWERING:
                self.broke(self.serial, "The connection took too long to prepare.", now)
            case Phase.OFFERED:
                self.broke(self.serial, "The other side did not answer.", now)
            case Phase.LINKING:
                self.broke(self.serial, "No path to the other side was found: a firewall may be between.", now)
            case Phase.UP:
                self.broke(self.serial, "Nothing has come from the other side for a while.", now)

    # -- inside

    def _offer(self, now: float) -> None:
        self._drop()
        self.serial += 1
        self.phase, self._ufrag = Phase.MAKING, ""
        self._deadline = now + MAKE_S
        self._out.append(Offer(self.serial))
        self._change(LinkState.CONNECTING)

    def _fail(self, reason: str, now: float) -> None:
        self._drop()
        pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** min(self._failures, 16))
        self._failures += 1
        if not self.is_caller:
            pause += OFFER_S
        self._deadline = now + pause
        self._change(LinkState.FAILED, reason, pause)

    def _drop(self) -> None:
        if self.phase is not Phase.IDLE:
            self._out.append(Drop(self.serial))
        self.phase, self._ufrag, self._weak_since = Phase.IDLE, "", None
        self._candidates = 0

    def _change(self, state: LinkState, reason: str = "", retry_in_s: float | None = None) -> None:
        if state != self.state or state is LinkState.FAILED:
            self.state = state
            self._out.append(Changed(state, reason, retry_in_s))


def ufrag_of(sdp: str) -> str:
    """The first ICE username fragment of a description; empty: it has none, so it is no description."""
    found = UFRAG.search(sdp)
    return str(found[1]) if found else ""
