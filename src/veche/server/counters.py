"""What the server counts.  Plain integers, so that counting costs nothing; /metrics shows them."""

from __future__ import annotations

import msgspec


class Counters(msgspec.Struct):
    """Totals since the start."""

    links: int = 0
    logins: int = 0
    logins_refused: int = 0
    registrations: int = 0
    messages_stored: int = 0
    messages_refused: int = 0
    commits: int = 0
    deliveries: int = 0
    replayed: int = 0
    slow_consumers: int = 0
    file_bytes_in: int = 0
    file_bytes_out: int = 0
