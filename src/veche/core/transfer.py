"""The course of a direct transfer: asked, answered, bytes, done.

Rules: nobody sends a byte before the receiver has said yes; only the receiver answers; either side may end it while it
is not over; what is not answered for `ACCEPT_S`, and what does not move for `STALL_S`, is cancelled.  A state that is
over takes no step.

Source: rows M49-M54, M57.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from veche.packets.files import ACCEPT_S, STALL_S


class State(StrEnum):
    """Where a transfer stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    TRANSFERRING = "transferring"
    COMPLETED = "completed"
    DECLINED = "declined"
    CANCELLED = "cancelled"


class Step(StrEnum):
    """What may happen to it."""

    ACCEPT = "accept"
    DECLINE = "decline"
    MOVE = "move"
    """Some bytes came in, or went out."""
    COMPLETE = "complete"
    """The last byte was fetched."""
    CANCEL = "cancel"


TABLE = {
    (State.PENDING, Step.ACCEPT): State.ACCEPTED,
    (State.PENDING, Step.DECLINE): State.DECLINED,
    (State.PENDING, Step.CANCEL): State.CANCELLED,
    (State.ACCEPTED, Step.MOVE): State.TRANSFERRING,
    (State.ACCEPTED, Step.CANCEL): State.CANCELLED,
    (State.TRANSFERRING, Step.MOVE): State.TRANSFERRING,
    (State.TRANSFERRING, Step.COMPLETE): State.COMPLETED,
    (State.TRANSFERRING, Step.CANCEL): State.CANCELLED,
}
PATIENCE_S = {State.PENDING: ACCEPT_S, State.ACCEPTED: STALL_S, State.TRANSFERRING: STALL_S}


class WrongStep(Exception):
    """This cannot happen now.  Nothing changes."""


class Course(NamedTuple):
    """A transfer's state, and until when the next step must come, in seconds on one monotonic clock."""

    state: State
    deadline: float

    @property
    def is_over(self) -> bool:
        return self.state not in PATIENCE_S


def begun(now: float) -> Course:
    """The receiver is asked."""
    return Course(State.PENDING, now + PATIENCE_S[State.PENDING])


def after(course: Course, step: Step, now: float) -> Course:
    """The course after a step; one that has run out of time takes none but CANCEL.  Raises WrongStep."""
    state = TABLE.get((course.state, step))
    if state is None or (now >= course.deadline and step is not Step.CANCEL):
        raise WrongStep(f"{course.state}, {step}")
    return Course(state, now + PATIENCE_S.get(state, 0.0))
