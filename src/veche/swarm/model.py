"""What the rules of a conversation speak of: commits as they were read, the state that they make, and refusals.

`veche.peer` reads Git and gives a `Commit` with the files that it changes; `rules.judge` says what state follows, or
why the commit is refused.  A `State` is immutable; commits that change no file share it.

Source: repository facts §2-§5; rows B07-B55.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from . import paths
from .bans import Ban, Outcome, last, outcome
from .certificates import BadCertificate, Certificate, first_certificate, is_issued, revoked_serials
from .paths import Target


class Mode(IntEnum):
    """Who may come into a conversation; it never changes (row B12)."""

    ONE_TO_ONE = 0
    ADMIN_INVITES_ONLY = 1
    INVITES_ONLY = 2
    PUBLIC = 3


class Change(NamedTuple):
    """A file that differs from the first parent, or from nothing."""

    path: str
    old: bytes | None
    new: bytes | None
    """Contents; None: there is no such file."""
    mode: int = paths.PLAIN_FILE


class MergedPath(NamedTuple):
    """A file that a merge has otherwise than one of its parents.  Blob ids; None: there is no such file."""

    path: str
    result: str | None
    ours: str | None
    theirs: str | None
    bases: tuple[str | None, ...]
    """In each merge base."""


class Commit(NamedTuple):
    """One commit as it was read."""

    id: str
    parents: tuple[str, ...]
    author_name: str
    device: str
    """What stands for the author's mail: the device's long id."""
    time: int
    """Seconds since 1970; whoever wrote it chose it, so nothing is decided by it (rows B45, B130)."""
    message: bytes
    signature: bytes
    """The content of the header `signature`; empty: there is none."""
    signed: bytes
    """The commit object without that header."""
    changes: tuple[Change, ...] = ()
    merged: tuple[MergedPath, ...] = ()
    """Of a merge: every path that differs from either parent."""


class Rejected(NamedTuple):
    """Why a commit is refused."""

    commit: str
    rule: str
    """A name that stays: see docs/swarm-rules.md."""
    reason: str
    """For people."""


class Signer(NamedTuple):
    """Whom a device speaks for, in a tree."""

    uri: str
    key: RSAPublicKey
    expires: int
    """The earlier end of the two certificates, seconds since 1970."""


class Told(NamedTuple):
    """What later commits may ask of an earlier one."""

    author: str
    type: str


class NotAuthorised(Exception):
    """A device may not speak in a tree: the name of the rule, and why."""

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(reason)
        self.rule, self.reason = rule, reason


class State:
    """What a tree says: who belongs to the conversation, by which devices.  Immutable."""

    __slots__ = ("_signers", "bans", "conversation", "files", "initial", "last_bans", "mode")

    def __init__(
        self,
        conversation: str,
        mode: Mode,
        initial: tuple[str, ...],
        files: Mapping[str, bytes],
        bans: frozenset[Ban] = frozenset(),
        last_bans: frozenset[str] | None = None,
    ) -> None:
        self.conversation = conversation
        self.mode = mode
        self.initial = initial
        """Who was there from the start: the creator, and in a conversation of two whom they invited."""
        self.files = files
        """All files of the tree, by path."""
        self.bans = bans
        """All bans, their ends, and leaves of admins, in the history of this tree."""
        self.last_bans = last(bans) if last_bans is None else last_bans
        """The commits of those that are in the past of no other."""
        self._signers: dict[str, Signer] = {}

    def has(self, path: str) -> bool:
        return path in self.files

    def after(self, commit: Commit) -> State:
        """The state with the files of a commit."""
        if not commit.changes:
            return self
        files = dict(self.files)
        for change in commit.changes:
            if change.new is None:
                files.pop(change.path, None)
            else:
                files[change.path] = change.new
        return State(self.conversation, self.mode, self.initial, files, self.bans, self.last_bans)

    def after_ban(self, commit: Commit, ban: Ban) -> State:
        """The state with the files of a commit that bans, ends a ban, or by which an admin leaves."""
        files = self.after(commit).files
        return State(self.conversation, self.mode, self.initial, files, self.bans | {ban}, frozenset((ban.commit,)))

    def after_merge(self, commit: Commit, theirs: State) -> State:
        """The state with the files of a merge with `theirs`."""
        after = self.after(commit)
        if theirs.bans <= self.bans:
            return after
        bans, last_bans = self.bans | theirs.bans, self.last_bans | theirs.last_bans
        return State(self.conversation, self.mode, self.initial, after.files, bans, last_bans)

    def signer(self, device: str) -> Signer:
        """Whom a device speaks for.  Raises NotAuthorised (row B32)."""
        found = self._signers.get(device)
        if found is None:
            found = self._signers[device] = self._find_signer(device)
        return found

    def owner(self, device: str) -> str:
        """The uri that the certificate of a device names, empty when it has none here."""
        certificate = self._certificate(paths.device(device))
        return certificate.issuer_uid if certificate else ""

    def is_admin(self, uri: str) -> bool:
        return paths.admin(uri) in self.files

    def is_member(self, uri: str) -> bool:
        """Whether they belong to it, as an admin or not."""
        return paths.member(uri) in self.files or paths.admin(uri) in self.files

    def account(self, uri: str) -> Certificate | None:
        """The certificate of one who belongs to it."""
        return self._certificate(paths.member(uri)) or self._certificate(paths.admin(uri))

    # -- for people: the tree, but for bans that met stronger ones when others merged (row B46)

    @property
    def admins(self) -> list[str]:
        """Sorted."""
        return sorted(
            {paths.name_of(path) for path in self.files if path.startswith("admins/")} | self._saved(Target.ADMINS)
        )

    @property
    def members(self) -> list[str]:
        """Those who are no admins, sorted."""
        return sorted(
            {paths.name_of(path) for path in self.files if path.startswith("members/")} | self._saved(Target.MEMBERS)
        )

    @property
    def people(self) -> list[str]:
        """Everybody who belongs to it, sorted."""
        return sorted({*self.admins, *self.members})

    @property
    def invited(self) -> list[str]:
        """All who have an invitation in the tree, sorted."""
        return sorted(
            {paths.name_of(path) for path in self.files if path.startswith("invited/")} | self._saved(Target.INVITED)
        )

    @property
    def banned(self) -> list[str]:
        """People and devices, sorted."""
        found = (paths.parse_banned(path) for path in self.files if path.startswith("banned/"))
        saved = self.outcome.saved
        return sorted({one[1] for one in found if one is not None and one not in saved})

    @property
    def devices(self) -> list[str]:
        """Sorted; those of people who left may be among them."""
        return sorted(paths.name_of(path) for path in self.files if path.startswith("devices/"))

    @property
    def card(self) -> bytes:
        """profile.vcf, empty when there is none."""
        return self.files.get(paths.PROFILE, b"")

    @property
    def outcome(self) -> Outcome:
        """What the bans of the history come to."""
        return outcome(self.bans)

    def _saved(self, where: Target) -> set[str]:
        """Whom the tree bans, although the ban fell: other clients merge so (see `writing.merge`)."""
        return {
            target
            for place, target in self.outcome.saved - self.outcome.left
            if place is where and self.has(paths.banned(where, target))
        }

    def _certificate(self, path: str) -> Certificate | None:
        data = self.files.get(path)
        if data is None:
            return None
        try:
            return first_certificate(data)
        except BadCertificate:
            return None

    def _find_signer(self, id: str) -> Signer:
        if paths.banned(Target.DEVICES, id) in self.files:
            raise NotAuthorised("device-banned", f"The device {id} is banned here.")
        if not paths.is_device(id) or paths.device(id) not in self.files:
            raise NotAuthorised("device", f"The device {id[:64]} may not write here: it is not in devices/.")
        device = self._certificate(paths.device(id))
        if device is None or device.long_id != id:
            raise NotAuthorised("device-certificate", f"The certificate in devices/ is not that of {id}.")
        uri = device.issuer_uid
        if not paths.is_uri(uri):
            raise NotAuthorised("device-certificate", f"The certificate of the device {id} names no account.")
        if not self.is_member(uri):
            banned = any(paths.banned(where, uri) in self.files for where in (Target.ADMINS, Target.MEMBERS))
            why = "is banned" if banned else "is neither among members nor among admins"
            raise NotAuthorised("member", f"{uri} {why}.")
        account = self.account(uri)
        if account is None or account.key_id != uri:
            raise NotAuthorised("account-certificate", f"The certificate of {uri} is not theirs.")
        account_path = paths.member(uri) if paths.member(uri) in self.files else paths.admin(uri)
        if not is_issued(self.files[paths.device(id)], self.files[account_path]):
            raise NotAuthorised("device-certificate", f"{uri} did not sign the certificate of the device {id}.")
        if device.serial in self._revoked(uri, account):
            raise NotAuthorised("device-revoked", f"{uri} has revoked the device {id}.")
        return Signer(uri, device.key, min(device.not_after, account.not_after))

    def _revoked(self, uri: str, account: Certificate) -> frozenset[int]:
        """Serials that the account's own list in the tree names (row B48: no other list counts)."""
        data = self.files.get(paths.crl(uri))
        try:
            return revoked_serials(data, account.key) if data else frozenset()
        except BadCertificate:
            return frozenset()
