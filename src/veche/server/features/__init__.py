"""What the server can do, one file a feature.

Each file has `HANDLERS`: packet type -> handler(session, packet), which is a plain call or returns a coroutine.
A handler goes in three steps: `check_*` (what input can break; raises Refused), the change (one transaction), and
`announce` (events, after the commit only).
"""

from __future__ import annotations

from veche.packets import Packet

from ..session import Handler
from . import (
    account,
    admin,
    blocking,
    broadcast,
    call,
    conference,
    contacts,
    files,
    greeting,
    history,
    login,
    message,
    presence,
    private,
    profile,
    signal,
    typing,
)

PUBLIC: dict[type[Packet], Handler] = {**greeting.HANDLERS, **login.HANDLERS, **account.PUBLIC_HANDLERS}
"""What a connection may ask before login."""

CONFERENCES: dict[type[Packet], Handler] = {**conference.HANDLERS, **call.HANDLERS, **signal.HANDLERS}

ALL: dict[type[Packet], Handler] = {
    **PUBLIC,
    **account.HANDLERS,
    **admin.HANDLERS,
    **blocking.HANDLERS,
    **broadcast.HANDLERS,
    **CONFERENCES,
    **contacts.HANDLERS,
    **files.HANDLERS,
    **history.HANDLERS,
    **message.HANDLERS,
    **presence.HANDLERS,
    **private.HANDLERS,
    **profile.HANDLERS,
    **typing.HANDLERS,
}
"""What a logged-in connection may ask."""
