"""credentials.txt: one account a line, its name, one space, its password, as it is.

The server alone reads and writes it, and only ever appends.  Nothing else of a classic server outlives it (row T41).

Source: document 002, "Files"; rows T02, T03, T07, T41.
"""

from __future__ import annotations

import errno
import hmac
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from veche.core.names import BadLogin, normal_login

MAX_PASSWORD = 1024
_BOM = b"\xef\xbb\xbf"


class BadCredentials(Exception):
    """The file cannot be used.  Its message is a sentence that names the file and the line."""


class BadPassword(ValueError):
    """The file cannot hold this password.  Its message is a sentence for the person who typed it."""


class NameTaken(Exception):
    """There is an account of that name."""


class Credentials:
    """The accounts of one file.

    Reading is done in any thread.  `add` writes: it is for one thread at a time, and not for an event loop's.
    """

    def __init__(self, path: Path) -> None:
        """Read the file.  Raises BadCredentials."""
        self._path = path
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise BadCredentials(
                f"There is no {path}. It holds one account a line: a name, one space, a password; it may be empty."
            ) from None
        except OSError as error:
            raise BadCredentials(f"{path} cannot be read: {error.strerror}.") from None
        self._passwords = dict(self._pairs(data.removeprefix(_BOM)))
        self._line_end = b"\r\n" if b"\r\n" in data else b"\n"

    def _pairs(self, data: bytes) -> Iterator[tuple[str, str]]:
        names: set[str] = set()
        for number, line in enumerate(lines_of(data), 1):
            if not line.strip():
                continue  # row T02 has none, but one that slipped in harms nobody
            try:
                name, password = parse(line)
                if name in names:
                    raise ValueError(f"{name} has an account in a line before.")
            except ValueError as error:
                raise BadCredentials(f"{self._path}, line {number}: {error}") from None
            names.add(name)
            yield name, password

    def __contains__(self, name: str) -> bool:
        return name in self._passwords

    def __iter__(self) -> Iterator[str]:
        """The names, in the order of the file."""
        return iter(list(self._passwords))

    def __len__(self) -> int:
        return len(self._passwords)

    def password(self, name: str) -> str | None:
        """The password of an account, None when there is no such account."""
        return self._passwords.get(name)

    def is_right(self, name: str, password: str) -> bool:
        """Whether this is the account's password; case counts (row T03)."""
        known = self._passwords.get(name)
        return known is not None and hmac.compare_digest(known.encode(), password.encode(errors="surrogatepass"))

    def add(self, name: str, password: str) -> None:
        """Make an account: it is the file's last line, on the disk, before this returns (row T07).

        name: normal (names.py).  Raises BadPassword, NameTaken; OSError when it cannot be written: then the file is as
        it was, and there is no account.
        """
        check_password(password)
        if name in self._passwords:
            raise NameTaken(name)
        line = f"{name} {password}".encode() + self._line_end
        with self._path.open("r+b", buffering=0) as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":
                    line = self._line_end + line
            file.seek(end)
            try:
                if file.write(line) != len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(file.fileno())
            except OSError:
                with suppress(OSError):
                    file.truncate(end)
                raise
        self._passwords[name] = password


def lines_of(data: bytes) -> Iterable[bytes]:
    """The lines of the file without their ends; the last one may lack its own."""
    lines = data.split(b"\n")
    if not lines[-1]:
        lines.pop()
    return (line.removesuffix(b"\r") for line in lines)


def parse(line: bytes) -> tuple[str, str]:
    """Name and password of a line.  Raises ValueError with a sentence."""
    try:
        name, space, password = line.decode().partition(" ")
    except UnicodeDecodeError:
        raise ValueError("This is not UTF-8.") from None
    if not (name and space and password):
        raise ValueError("A line is a name, one space and a password.")
    check_password(password)
    return normal_login(name, keeps_case=True), password


def check_password(password: str) -> None:
    """Whether a line can hold it: any signs, but no spaces.  Raises BadPassword."""
    if not 1 <= len(password) <= MAX_PASSWORD:
        raise BadPassword(f"A password has 1 to {MAX_PASSWORD} characters.")
    if not password.isprintable() or any(map(str.isspace, password)):
        raise BadPassword("A password has no spaces and no invisible characters.")


__all__ = ["BadCredentials", "BadLogin", "BadPassword", "Credentials", "NameTaken"]
