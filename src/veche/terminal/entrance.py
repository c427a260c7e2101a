"""The way in: reach the server, decide whether to trust it, register or log in.

The same for the screen and the plain mode; they differ in whether there is a person to ask (`Asker`).  Whatever fails
becomes one `Leave`: an exit code, and a sentence that says what happened and what to do next.

Source: rows A07-A09, A11, M04-M12, M24-M26, X03.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable
from typing import NamedTuple, Protocol

from veche.client import (
    CertificateChanged,
    Client,
    ClientEnded,
    DialError,
    LoginRefused,
    Place,
    RequestFailed,
    UntrustedCertificate,
)
from veche.client.slots import AUTHORITIES, Busy, Slot, StateDirectory, StateError
from veche.net.dial import system_authorities
from veche.net.tls import readable
from veche.packets import ErrorCode

from .text import harmless, seconds

EXIT_OK, EXIT_REFUSED, EXIT_USAGE, EXIT_NO_LINK, EXIT_NOT_TRUSTED = 0, 1, 2, 3, 4
TRIES = 3
"""So often may a person mistype the password."""


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


class Entered(NamedTuple):
    """Logged in."""

    client: Client
    slot: Slot


async def enter(
    wish: Wish,
    asker: Asker | None,
    say: Callable[[str], None],
    started: Callable[[Client], None] | None = None,
    *,
    everything: bool = True,
) -> Entered:
    """Return a client that is logged in, or raise Leave.

    asker: None when there is nobody to ask.  say: tells a sentence on standard error.
    started: is given the client as soon as it is connected, before it logs in.
    """
    client: Client | None = None
    slot: Slot | None = None
    try:
        if wish.login is None and wish.token is None:
            if asker is None:
                raise Leave(EXIT_USAGE, f"Who are you? Write LOGIN@{wish.where}.")
            wish = wish._replace(login=(await asker.ask("Login: ")).strip())
        slot = take_slot(wish)
        client = await reach(wish, asker, say, everything)
        server = AUTHORITIES if client.is_vouched else client.fingerprint or "no TLS"
        place = slot.place(server)
        if wish.password is not None or wish.token is not None or wish.insecure:
            place = place._replace(resume=None)  # what was given explicitly is what logs in, or does not
        held = slot

        def keep(place: Place) -> None:
            held.keep(place, server)

        client.move_to(place, None if wish.insecure else keep)
        if started is not None:
            started(client)
        await log_in(client, wish, place, asker, say)
    except BaseException as error:
        if client is not None:
            await client.close(handled=False)
        if slot is not None:
            slot.release()
        leave = why(error, wish)
        if leave is None:
            raise
        raise leave from None
    return Entered(client, slot)


def take_slot(wish: Wish) -> Slot:
    """The device that this process is."""
    who = wish.login or f"token {hashlib.sha256((wish.token or '').encode()).hexdigest()[:12]}"
    name = wish.device or wish.new_device
    try:
        return wish.state.take_slot(wish.host, wish.port, who, device=name, is_chosen=wish.device is not None)
    except Busy:
        raise Leave(
            EXIT_REFUSED, f"Another terminal of yours is the device {name!r} now. Leave it, or choose another --device."
        ) from None
    except StateError as error:
        raise Leave(EXIT_USAGE, f"{error} Choose another directory with --state-dir.") from None


# -- trust


async def reach(wish: Wish, asker: Asker | None, say: Callable[[str], None], everything: bool) -> Client:
    """Return a client with a link to a server that is trusted.  Raises one of the DialErrors, Leave."""
    known = wish.state.trusted(wish.host, wish.port)
    pinned = wish.fingerprint or (known if known != AUTHORITIES else None)

    def make(pinned: str | None) -> Client:
        return Client(
            wish.host,
            wish.port,
            wish.login,
            password=wish.password,
            token=wish.token,
            tls=wish.tls,
            fingerprint=pinned,
            authorities=None if wish.fingerprint else system_authorities,
            insecure=wish.insecure,
            everything=everything,
        )

    if wish.insecure and wish.tls:
        say("--insecure: the certificate is not checked; whoever stands between can read along.")
    client = make(pinned)
    try:
        await client.connect()
    except UntrustedCertificate as error:
        await client.close()
        if known == AUTHORITIES:
            raise CertificateChanged(wish.where, "", error.found) from None
        await decide(wish, error, asker, say)
        client = make(error.found)
        await client.connect()
    except BaseException:
        await client.close()
        raise
    shown = AUTHORITIES if client.is_vouched else client.fingerprint
    if shown is not None and shown != known and not wish.insecure:
        try:
            wish.state.trust(wish.host, wish.port, shown)
        except StateError as error:
            say(f"The certificate is not remembered: {error}")
    return client


async def decide(wish: Wish, error: UntrustedCertificate, asker: Asker | None, say: Callable[[str], None]) -> None:
    """Trust a certificate that is seen for the first time, or raise Leave."""
    fingerprint = readable(error.found)
    if asker is not None:
        say(
            f"This is the first time that you connect to {wish.where}, and nobody vouches for its certificate.\n"
            f"Its fingerprint is\n  {fingerprint[:48]}\n  {fingerprint[48:]}\n"
            "Compare it with the one that the server printed when it started."
        )
        answer = (await asker.ask("Trust it from now on? [y/N] ")).strip().lower()
        if answer in ("y", "yes"):
            return
        raise Leave(EXIT_NOT_TRUSTED, "Not trusted, so nothing was sent.")
    if wish.is_local:
        say(f"The certificate of {wish.where} is trusted from now on. Its fingerprint is {fingerprint}")
        return
    raise Leave(
        EXIT_NOT_TRUSTED,
        f"Nobody vouches for the certificate of {wish.where}. Compare its fingerprint with the one that the server "
        f"printed, and if they are the same, add: --fingerprint {fingerprint}",
    )


# -- registering and logging in


async def log_in(client: Client, wish: Wish, place: Place, asker: Asker | None, say: Callable[[str], None]) -> None:
    """Raises RequestFailed, one of the DialErrors, Leave."""
    if wish.register:
        await register_first(client, wish, asker, say)
        return
    if wish.password is not None or wish.token is not None:
        await client.login()
        return
    if place.resume is not None:
        try:
            await client.login()
            return
        except LoginRefused as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS:
                raise
            say("The session of this device has ended.")
    if asker is None:
        raise Leave(EXIT_USAGE, "No password: set VECHE_PASSWORD, or give --password-file FILE.")
    may_register = client.hello is not None and client.hello.registration != "closed"
    question = f"Password of {wish.login}{' (Enter alone: make this account)' if may_register else ''}: "
    for left in range(TRIES - 1, -1, -1):
        password = await asker.ask_secret(question)
        if not password:
            if may_register:
                await register_first(client, wish, asker, say)
                return
            continue
        try:
            await client.login(password=password)
            return
        except LoginRefused as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS or not left:
                raise
            say(sentence(error))


async def register_first(client: Client, wish: Wish, asker: Asker | None, say: Callable[[str], None]) -> None:
    """Make the account and log in.  An account that exists will do if the password is its own."""
    hello = client.hello
    assert hello is not None
    password, code = wish.password, wish.code
    if password is None:
        if asker is None:
            raise Leave(EXIT_USAGE, "No password: set VECHE_PASSWORD, or give --password-file FILE.")
        if hello.registration == "closed" and code is None:
            say(harmless(hello.registration_text) or "Accounts are made by the administrator of this server.")
            code = (await asker.ask("Invite or set-up code: ")).strip()
        elif hello.registration == "invite" and code is None:
            say(harmless(hello.registration_text) or "This server asks for an invite.")
            code = (await asker.ask("Invite code: ")).strip()
        password = await choose_password(asker, say)
    try:
        await client.register(password, code)
    except RequestFailed as refused:
        if refused.code not in (ErrorCode.LOGIN_TAKEN, ErrorCode.REGISTRATION_CLOSED, ErrorCode.BAD_INVITE):
            raise
        try:
            await client.login(password=password)
        except LoginRefused as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS:
                raise
            raise refused from None
        return
    await client.login(password=password)


async def choose_password(asker: Asker, say: Callable[[str], None]) -> str:
    """Ask for a new password twice, until both are the same."""
    while True:
        password = await asker.ask_secret("Choose a password: ")
        if not password:
            raise Leave(EXIT_REFUSED, "No password, no account.")
        if await asker.ask_secret("Once more: ") == password:
            return password
        say("These were two different passwords.")


# -- what went wrong


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
            return Leave(EXIT_REFUSED, f"{sentence(error)} {NEXT.get(error.code, '')}".rstrip())
        case EOFError():
            return Leave(EXIT_USAGE, "Nobody answered.")
        case _:
            return None
