"""One device's place in the delivery.

The log is the queue: the server keeps no messages for a device, only its place.  Rules:

1. A device is *live* when everything announced to its account has been put on its link; then each further entry is put
   there as it is announced.
2. A device that is not live is *replaying*: pages of the log after `sent_id` are read and put, one at a time.
3. A link whose buffer is full (`pause`) ends liveness: from then on nothing is put until it drains (`resume`), and what
   was announced meanwhile comes from the log.
4. A page that is not full is the end of the log as it was when it was read.  If nothing was announced to the account
   after that, the device is live; otherwise one more page is read.
5. The cursor moves by the device's acknowledgement alone, never backwards and never beyond what it was sent.

Source: rows T29, M13, X15; XEP-0198 §5 for the idea that only an acknowledgement lets an item go.
"""

from __future__ import annotations


class DeviceFeed:
    """The state of one link's delivery.  `now` is in seconds on any monotonic clock."""

    __slots__ = ("cursor_id", "full_since", "is_live", "is_reading", "is_settling", "missed_marks", "sent_id")

    def __init__(self, cursor_id: int) -> None:
        self.cursor_id = cursor_id
        """Acknowledged up to here."""
        self.sent_id = cursor_id
        """Put on the link up to here; while live it stands still, see `pause`."""
        self.is_live = False
        self.is_reading = False
        """A page is being read."""
        self.full_since: float | None = None
        """Since when the link's buffer is full."""
        self.is_settling = False
        """A snapshot is being read: what happens meanwhile must be in it, or it is read again."""
        self.missed_marks = False
        """Events that are not in the log (read marks and the like) were left out; a fresh snapshot must make up."""

    @property
    def takes_marks(self) -> bool:
        """Events that are not in the log may be put on the link now."""
        return self.full_since is None and not self.is_settling

    @property
    def wants_page(self) -> bool:
        """The next page should be read now."""
        return not self.is_live and not self.is_reading and self.full_since is None

    def page_started(self) -> int:
        """A page is being read; returns the id after which it begins."""
        self.is_reading = True
        return self.sent_id

    def page_put(self, last_id: int | None, was_full: bool, announced_id: int) -> bool:
        """A page was put on the link.  Returns whether this made the device live.

        last_id: of the page's last entry, None for an empty page.  was_full: more may follow.
        announced_id: the last id announced to the account by now.
        """
        self.is_reading = False
        if last_id is not None and last_id > self.sent_id:
            self.sent_id = last_id
        if was_full or self.full_since is not None or announced_id > self.sent_id:
            return False
        self.is_live = True
        return True

    def pause(self, announced_id: int, now: float) -> None:
        """The link's buffer is full.  announced_id: the last id that was announced to the account."""
        if self.is_live:
            self.sent_id = max(self.sent_id, announced_id)
            self.is_live = False
        if self.full_since is None:
            self.full_since = now

    def resume(self) -> None:
        """The link's buffer has drained."""
        self.full_since = None

    def acknowledge(self, upto: int, announced_id: int) -> bool:
        """The device has everything up to `upto`.  Returns whether the cursor moved."""
        sent = max(self.sent_id, announced_id) if self.is_live else self.sent_id
        upto = min(upto, sent)
        if upto <= self.cursor_id:
            return False
        self.cursor_id = upto
        return True
