"""What the command line asked for, whom to ask, and how it ends: an exit code, and a sentence of what to do next.

Source: rows A07, A08, M25; X25.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple, Protocol

from veche.client import CertificateChanged, ClientEnded, DialError, RequestFailed, UntrustedCertificate
from veche.client.slots import StateDirectory
from veche.net.tls import readable
from veche.packets import ErrorCode

from .text import harmless, seconds

EXIT_OK, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_LINK, EXIT_NOT_TRUSTED = 0, 1, 2, 3, 4


class Leave(Exception):
    """The end of the program: an exit code and a sentence for standard error."""

    def __init__(self, code: int, sentence: str = "") -> None:
        super().__init__(sentence)
        self.code = code


class Asker(Protocol):
    """A person at a terminal."""

    async def ask(self, question: str) -> str:
        """One line.  Raises EOFError when the person goes away."""
        ...

    async def ask_secret(self, question: str) -> str:
        """One line that is not shown while it is typed.  Raises EOFError."""
        ...


class Wish(NamedTuple):
    """What the command line asked for.

    password, token: given by environment or file; None: ask, or resume.  fingerprint: 64 hexadecimal digits.
    """

    host: str
    port: int
    login: str | None
    state: StateDirectory
    new_device: str
    """name of a device that is made now"""
    device: str | None = None
    """this device and no other"""
    password: str | None = None
    token: str | None = None
    register: bool = False
    code: str | None = None
    is_invited: bool = False
    """by an invite link, which holds the code and, mostly, the fingerprint"""
    fingerprint: str | None = None
    insecure: bool = False
    tls: bool = True

    @property
    def where(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_local(self) -> bool:
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def sentence(error: RequestFailed | ClientEnded) -> str:
    """What happened, and when to try again."""
    text = harmless(error.reason)
    if isinstance(error, RequestFailed) and error.retry_after_s:
        text = f"{text.removesuffix(' Try again later.')} Try again in {seconds(error.retry_after_s)}."
    return text


NEXT = {
    ErrorCode.WRONG_CREDENTIALS: "Check both, or make the account with --register.",
    ErrorCode.LOGIN_TAKEN: "If it is yours, check the password; if not, choose another name.",
    ErrorCode.REGISTRATION_CLOSED: "Ask the administrator for a code and give it with --code CODE.",
    ErrorCode.BAD_INVITE: "Ask for another and give it with --code CODE.",
    ErrorCode.WRONG_HASH: "The file has changed while it was sent; send it again.",
    ErrorCode.REVOKED: "Log in with the password.",
    ErrorCode.REPLACED: "Leave one of the two, or give this one another --device.",
}


def why(error: BaseException, wish: Wish) -> Leave | None:
    """The way out for an error; None for those that are not expected."""
    match error:
        case Leave():
            return error
        case CertificateChanged():
            return Leave(
                EXIT_NOT_TRUSTED,
                f"{error} If you know why it has changed, take {wish.host}:{wish.port} out of "
                f"{wish.state.known_servers}"
                + (", or give the new fingerprint." if wish.fingerprint else ", or add: ")
                + ("" if wish.fingerprint else f"--fingerprint {readable(error.found)}"),
            )
        case UntrustedCertificate():
            return Leave(EXIT_NOT_TRUSTED, str(error))
        case DialError():
            return Leave(EXIT_NO_LINK, harmless(str(error)))
        case RequestFailed() | ClientEnded():
            if error.code in (ErrorCode.TRY_AGAIN_LATER, ErrorCode.SHUTTING_DOWN, ErrorCode.IDLE):
                return Leave(EXIT_NO_LINK, sentence(error))
            if error.code == ErrorCode.BAD_INVITE and wish.is_invited:
                return Leave(
                    EXIT_REFUSED,
                    "This invite link is used up or too old. Ask for another; or if you have an account here, log in: "
                    f"veche chat {wish.login or 'LOGIN'}@{wish.where}",
                )
            return Leave(EXIT_REFUSED, f"{sentence(error)} {NEXT.get(error.code, '')}".rstrip())
        case EOFError():
            return Leave(EXIT_USAGE, "Nobody answered.")
        case _:
            return None
