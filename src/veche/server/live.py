"""What the server keeps in memory of accounts that are in use: their links, and what they were last told."""

from __future__ import annotations

from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from veche.core.budget import Bucket
from veche.packets.presence import Status

if TYPE_CHECKING:
    from .session import Session


class Unsaved:
    """A device's place that is not yet stored."""

    __slots__ = ("delivered", "upto")

    def __init__(self) -> None:
        self.upto = 0
        self.delivered: dict[int, int] = {}
        """By conversation: the last message of the other person that is now delivered."""


class LiveAccount:
    """An account that has a session, or that a session writes to.  One object per account while anyone holds it."""

    __slots__ = (
        "__weakref__",
        "address",
        "announced_id",
        "blocked",
        "budget",
        "call_budget",
        "conference_budget",
        "contact_budget",
        "delivered",
        "friends",
        "id",
        "login",
        "seen_at",
        "sessions",
        "told_status",
        "unblocked_at",
        "unsaved",
    )

    def __init__(self, id: int, login: str, address: str) -> None:
        self.id = id
        self.login = login
        self.address = address
        self.sessions: list[Session] = []
        """Logged in, each a device of its own."""
        self.announced_id = 0
        """The last entry of any of its conversations that was announced."""
        self.blocked: set[str] = set()
        """Logins of those whom it has blocked; known while it has a session."""
        self.delivered: dict[int, int] = {}
        """By author's account id: what some device of this account has acknowledged and may not be stored yet."""
        self.unsaved: dict[int, Unsaved] = {}
        """By device: its place, acknowledged and not yet stored."""
        self.budget: Bucket | None = None
        self.contact_budget: Bucket | None = None
        """How many people it may still ask."""
        self.call_budget: Bucket | None = None
        """How often it may still call."""
        self.conference_budget: Bucket | None = None
        """How much it may still change of conferences."""
        self.friends: set[int] = set()
        """Accounts that may know whether this one is there; known while it has a session or is in a conference."""
        self.seen_at = 0
        """When it last came or went, microseconds since 1970; 0: not since this object is here."""
        self.told_status = Status.OFFLINE
        """What its friends were told last."""
        self.unblocked_at: dict[int, int] = {}
        """By account: it was unblocked then, so what it is told of this one must not be older."""

    @property
    def status(self) -> Status:
        """The union of its devices."""
        if not self.sessions:
            return Status.OFFLINE
        return Status.AWAY if all(session.is_away for session in self.sessions) else Status.ONLINE


class Route:
    """Where messages of one account to another go.  Kept by each session for the people it writes to."""

    __slots__ = ("conversation", "is_hidden", "peer")

    def __init__(self, conversation: int, peer: LiveAccount, is_hidden: bool) -> None:
        self.conversation = conversation
        self.peer = peer
        self.is_hidden = is_hidden
        """The peer has blocked this account: what is sent is stored for its author alone."""


class Directory:
    """The live accounts, by id."""

    def __init__(self, domain: str) -> None:
        self.domain = domain
        self._by_id: WeakValueDictionary[int, LiveAccount] = WeakValueDictionary()

    def address(self, login: str) -> str:
        """The full address of a local login."""
        return f"{login}@{self.domain}"

    def live(self, id: int, login: str) -> LiveAccount:
        """The one object of this account."""
        account = self._by_id.get(id)
        if account is None:
            account = self._by_id[id] = LiveAccount(id, login, self.address(login))
        return account

    def find(self, id: int) -> LiveAccount | None:
        """The account, when anyone holds it."""
        return self._by_id.get(id)
