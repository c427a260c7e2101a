"""Whoever gives no command for `timeout` seconds is logged out.

What counts is what the person asks for: `Session.active_at`.  Neither what arrives, nor what a client sends by itself,
nor a line that is no command moves it.

Source: document 002; rows T16-T18, T56, X21.
"""

from __future__ import annotations

from veche.packets import ErrorCode

from ..session import Session

FORGET_S = 60.0
"""A session that is gone is held no longer than this."""


def watch(session: Session) -> None:
    """Log the session out when its time has come; until then look again whenever it would have."""
    if not session.is_alive or session.is_closing:
        return
    app = session.app
    left_s = session.active_at + app.config.timeout - app.monotonic()
    if left_s > 0:
        app.call_later(min(left_s, FORGET_S), lambda: watch(session))
    else:
        session.goodbye(ErrorCode.INACTIVE)
