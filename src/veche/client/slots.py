"""What a device keeps on this machine between two runs: its name, resumption token, cursor, and whom it trusts.

    <directory>/known_servers.json                 host:port -> fingerprint, or "authorities"
    <directory>/known_identities.json              host:port login@domain -> the account that they sign calls with
    <directory>/devices/<host:port login>/1.json   one file a device ("slot"), beside the lock of the process that is it

A process takes the first slot that no other process holds, so two terminals of one person on one machine are two
devices, and one that is started again is the device that it was.  Files are written whole or not at all and can be read
by their owner only, since a resumption token logs in.

A cursor means something only to the server that made it, so a slot remembers the certificate's fingerprint and starts
anew when another server answers at its address.  A directory that cannot be written costs only the memory: what is
there is used, and what is new is forgotten at the end (row M38).

Source: rows M37, M38, X05, A02 (locks on Windows and elsewhere).
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO
from urllib.parse import quote

import msgspec

from veche.packets.contacts import Contact
from veche.packets.profile import Profile

from .events import Place
from .people import People, unseen

MAX_SLOTS = 64
AUTHORITIES = "authorities"
"""Trusted since an authority vouches for it; no fingerprint is pinned."""


class StateError(Exception):
    """The directory cannot be used; the text says why."""


class Busy(Exception):
    """Another process is this device now."""


class _Kept(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A slot's file."""

    device: str
    server: str = ""
    """fingerprint of the server that the rest is of"""
    resume: str | None = None
    cursor: int = 0


class _KeptPeople(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The file of the people of a slot."""

    server: str
    me: str
    keeps_case: bool = False
    contacts: list[Contact] = []
    profile: Profile = Profile()
    blocked: frozenset[str] = frozenset()


class Slot:
    """One device of one account on this machine, held by this process until `release`.

    path, lock: None when nothing can be kept.
    """

    def __init__(self, path: Path | None, lock: IO[bytes] | None, kept: _Kept) -> None:
        self._path, self._lock, self._kept = path, lock, kept

    @property
    def device(self) -> str:
        return self._kept.device

    def place(self, server: str) -> Place:
        """What is known of this device on the server with this fingerprint (or AUTHORITIES)."""
        kept = self._kept
        if kept.server not in ("", server):
            return Place(kept.device, None, 0)
        return Place(kept.device, kept.resume, kept.cursor)

    def keep(self, place: Place, server: str) -> None:
        """Write the place down.  A full disk costs a repetition later, not the conversation now."""
        self._kept = _Kept(
            device=place.device or self._kept.device, server=server, resume=place.resume, cursor=place.cursor
        )
        if self._path is not None:
            with contextlib.suppress(OSError):
                write_whole(self._path, msgspec.json.encode(self._kept))

    def people(self, server: str) -> People | None:
        """Whom this device knew last on the server with this fingerprint (or AUTHORITIES); nobody is there for sure."""
        if self._path is None:
            return None
        try:
            kept = msgspec.json.decode(self._path.with_suffix(".contacts").read_bytes(), type=_KeptPeople)
        except (OSError, msgspec.DecodeError):
            return None
        if kept.server != server:
            return None
        contacts = {one.id: one for one in kept.contacts}
        return People(
            me=kept.me, keeps_case=kept.keeps_case, contacts=contacts, profile=kept.profile, blocked=kept.blocked
        )

    def keep_people(self, people: People, server: str, at: str) -> None:
        """Write the people down, as they are at an instant of RFC 3339: those who are there were last seen then."""
        if self._path is None:
            return
        people = unseen(people, at)
        kept = _KeptPeople(
            server=server,
            me=people.me,
            keeps_case=people.keeps_case,
            contacts=list(people.contacts.values()),
            profile=people.profile,
            blocked=people.blocked,
        )
        with contextlib.suppress(OSError):
            write_whole(self._path.with_suffix(".contacts"), msgspec.json.encode(kept))

    def forget_people(self) -> None:
        """The account is no longer this device's business."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.with_suffix(".contacts").unlink(missing_ok=True)

    def release(self) -> None:
        """Let another process be this device."""
        if self._lock is not None:
            self._lock.close()


class StateDirectory:
    """The directory of all that this person's terminals keep."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def take_slot(self, host: str, port: int, login: str, *, device: str, is_chosen: bool = False) -> Slot:
        """Take a device that is free, or make one.

        device: the name of a new device; is_chosen: this device and no other.  Raises Busy; StateError when nothing
        can be kept here, see `slot_without_memory`.
        """
        folder = self._folder(host, port, login)
        try:
            for directory in (self._path, folder.parent, folder):
                make_private(directory)
            if is_chosen:
                return self._take(folder, "named " + quote(device, safe=""), device)
            for number in range(1, MAX_SLOTS + 1):
                try:
                    return self._take(folder, str(number), device if number == 1 else f"{device[:60]} {number}")
                except Busy:
                    continue
        except OSError as error:
            raise StateError(f"{error.filename or folder} cannot be used: {error.strerror or error}.") from None
        raise Busy

    def has_slot(self, host: str, port: int, login: str) -> bool:
        """Some device of this account has been here."""
        return self._folder(host, port, login).is_dir()

    def _folder(self, host: str, port: int, login: str) -> Path:
        return self._path / "devices" / quote(f"{host}:{port} {login}", safe="")

    @staticmethod
    def _take(folder: Path, stem: str, device: str) -> Slot:
        lock = open_lock(folder / f"{stem}.lock")
        try:
            lock_or_busy(lock)
        except BaseException:
            lock.close()
            raise
        path = folder / f"{stem}.json"
        try:
            kept = msgspec.json.decode(path.read_bytes(), type=_Kept)
        except (OSError, msgspec.DecodeError):
            kept = _Kept(device=device)
        return Slot(path, lock, kept)

    def trusted(self, host: str, port: int) -> str | None:
        """The fingerprint that is pinned for a server, AUTHORITIES, or None when it is not known."""
        return self._known().get(f"{host}:{port}")

    def trust(self, host: str, port: int, fingerprint: str) -> None:
        """Pin a server's fingerprint (or AUTHORITIES).  Raises StateError."""
        try:
            make_private(self._path)
            write_whole(
                self._path / "known_servers.json",
                msgspec.json.format(msgspec.json.encode({**self._known(), f"{host}:{port}": fingerprint}), indent=2),
            )
        except OSError as error:
            raise StateError(f"{error.filename or self._path} cannot be written: {error.strerror or error}.") from None

    def _known(self) -> dict[str, str]:
        try:
            return msgspec.json.decode((self._path / "known_servers.json").read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self._path

    @property
    def known_servers(self) -> Path:
        """The file of pinned fingerprints, for sentences that name it."""
        return self._path / "known_servers.json"

    def preferences(self) -> dict[str, bool]:
        """The remembered choices of the person, by name."""
        try:
            return msgspec.json.decode((self._path / "preferences.json").read_bytes(), type=dict[str, bool])
        except (OSError, msgspec.DecodeError):
            return {}

    def prefer(self, name: str, value: bool) -> None:
        """Remember a choice; it is only a convenience, so failing to is no matter."""
        with contextlib.suppress(OSError):
            make_private(self._path)
            write_whole(self._path / "preferences.json", msgspec.json.encode({**self.preferences(), name: value}))

    def known_identities(self, host: str, port: int) -> KnownIdentities:
        """Who has signed what as whom, on this server."""
        return KnownIdentities(self._path / "known_identities.json", f"{host}:{port}")


class KnownIdentities:
    """Which account somebody has shown first, on one server (trust on first use).  Kept where it can be kept."""

    def __init__(self, path: Path, server: str) -> None:
        self._path, self._server = path, server
        self._met: dict[str, str] = {}

    def of(self, address: str) -> str | None:
        """The account of `login@domain`, 40 hexadecimal digits; None: nobody has signed under that name yet."""
        return self._kept().get(f"{self._server} {address}") or self._met.get(address)

    def pin(self, address: str, uri: str) -> None:
        """Remember the account of somebody."""
        kept = {**self._kept(), f"{self._server} {address}": uri}
        try:
            make_private(self._path.parent)
            write_whole(self._path, msgspec.json.format(msgspec.json.encode(kept), indent=2))
        except OSError:
            self._met[address] = uri  # for as long as this program runs

    @property
    def where(self) -> str:
        """The file, for sentences that name it."""
        return str(self._path)

    def _kept(self) -> dict[str, str]:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=dict[str, str])
        except (OSError, msgspec.DecodeError):
            return {}


def slot_without_memory(device: str) -> Slot:
    """A device that is forgotten at the end (row M38)."""
    return Slot(None, None, _Kept(device=device))


def open_lock(path: Path) -> IO[bytes]:
    """The file to lock; where nothing can be written, as it was left."""
    try:
        return path.open("ab")
    except OSError:
        return path.open("rb")


def make_private(path: Path) -> None:
    """Make a directory that its owner alone can read."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or the one before; its owner alone can read it."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    temporary.replace(path)


def lock_or_busy(file: IO[bytes]) -> None:
    """Lock a file for as long as this process has it open.  Raises Busy."""
    if sys.platform == "win32":
        import msvcrt

        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            raise Busy from None
    else:
        import fcntl

        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Busy from None


def state_directory(environ: Mapping[str, str], home: Path) -> Path:
    """Where this system keeps what programs remember.  environ: of the process, read by cli alone."""
    if sys.platform == "win32":
        base = environ.get("LOCALAPPDATA")
        return Path(base) / "veche" if base else home / "AppData" / "Local" / "veche"
    base = environ.get("XDG_STATE_HOME")
    return Path(base) / "veche" if base and os.path.isabs(base) else home / ".local" / "state" / "veche"
