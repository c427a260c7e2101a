"""The way in: reach the server, decide whether to trust it, be a device; then log_in.py.

The same for the screen and the plain mode; they differ in whether there is a person to ask (`Asker`), and in whether
a device that is known may go in before its server can be reached (row M37).  Whatever fails becomes one `Leave`: an
exit code, and a sentence that says what happened and what to do next.

Source: rows A07-A09, A11, M04-M12, M24-M26, M37, M38, X03.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import NamedTuple

from veche.client import CannotConnect, CertificateChanged, Client, Place, UntrustedCertificate
from veche.client.people import CLASSIC, People
from veche.client.slots import AUTHORITIES, Busy, Slot, StateError, slot_without_memory
from veche.core.names import BadLogin, split_address
from veche.net.dial import system_authorities
from veche.net.tls import readable

from .channels import Channels
from .log_in import NameTaken, log_in
from .wish import EXIT_NOT_TRUSTED, EXIT_REFUSED, EXIT_USAGE, Asker, Leave, Wish, why

NO_TLS = "no TLS"
"""In the place of a server's fingerprint."""


class Entered(NamedTuple):
    """Logged in; or, with `people`, on the way in.

    server: the fingerprint of its certificate, or AUTHORITIES.  people: whom this device knew when it was here last.
    notes: sentences that matter beyond the way in.  is_new: the account was made just now.
    """

    client: Client
    slot: Slot
    server: str
    notes: tuple[str, ...] = ()
    people: People | None = None
    is_new: bool = False


async def enter(
    wish: Wish,
    asker: Asker | None,
    say: Callable[[str], None],
    started: Callable[[Client], None] | None = None,
    *,
    everything: bool = True,
    waits: bool = False,
) -> Entered:
    """Return a client that is logged in, or raise Leave.

    asker: None when there is nobody to ask.  say: tells a sentence on standard error.
    started: is given the client as soon as it is connected, before it logs in.
    waits: a known device whose server cannot be reached goes in, and on trying.
    """
    client: Client | None = None
    slot: Slot | None = None
    notes: list[str] = []

    def note(sentence: str) -> None:
        notes.append(sentence)
        say(sentence)

    try:
        if wish.login is None and wish.token is None:
            if asker is None:
                raise Leave(EXIT_USAGE, f"Who are you? Write LOGIN@{wish.where}.")
            question = "Choose a name: " if wish.is_invited else "Login: "
            wish = wish._replace(login=(await asker.ask(question)).strip())
        try:
            client = await reach(wish, asker, say, everything)
        except CannotConnect as error:
            entered = wait_for_server(wish, str(error), note, everything) if waits else None
            if entered is None:
                raise
            return entered._replace(notes=tuple(notes))
        server = AUTHORITIES if client.is_vouched else client.fingerprint or NO_TLS
        if started is not None:
            started(client)
        while True:
            wish = wish._replace(login=spelled(wish.login, client))
            slot = take_slot(wish, note)
            place = settle(client, slot, wish, server)
            try:
                is_new = await log_in(client, wish, place, asker, say, note)
                return Entered(client, slot, server, tuple(notes), is_new=is_new)
            except NameTaken as taken:
                assert asker is not None
                slot.release()
                mine = f"veche chat {wish.login}@{wish.where}"
                say(f"The name {wish.login} is taken. If it is yours, leave with Ctrl-C, and log in: {mine}")
                name = await asker.ask("Choose another name: ")
                wish = wish._replace(login=name.strip(), password=taken.password)
    except BaseException as error:
        if client is not None:
            await client.close(handled=False)
        if slot is not None:
            slot.release()
        leave = why(error, wish)
        if leave is None:
            raise
        raise leave from None


def wait_for_server(wish: Wish, reason: str, note: Callable[[str], None], everything: bool) -> Entered | None:
    """Go in with what a known device remembers, and go on trying; None when this is no known device."""
    known = wish.state.trusted(wish.host, wish.port)
    server = wish.fingerprint or known or (None if wish.tls else NO_TLS)
    logins = [login for login in dict.fromkeys([wish.login, normal(wish.login, keeps_case=False)]) if login is not None]
    login = next((one for one in logins if wish.state.has_slot(wish.host, wish.port, one)), None)
    if server is None or login is None or wish.insecure or wish.register:
        return None
    wish = wish._replace(login=login)
    slot = take_slot(wish, note)
    people = slot.people(server)
    if people is None or (slot.place(server).resume is None and wish.password is None and wish.token is None):
        slot.release()
        return None
    client = client_of(wish, wish.fingerprint or (known if known != AUTHORITIES else None), everything)
    settle(client, slot, wish, server)
    client.persist(reason)
    return Entered(client, slot, server, people=people)


def settle(client: Client, slot: Slot, wish: Wish, server: str) -> Place:
    """Make the client the device of the slot."""
    place = slot.place(server)
    if wish.password is not None or wish.token is not None or wish.insecure:
        place = place._replace(resume=None)  # what was given explicitly is what logs in, or does not

    def keep(place: Place) -> None:
        slot.keep(place, server)

    client.move_to(place, None if wish.insecure else keep)
    return place


def spelled(login: str | None, client: Client) -> str | None:
    """The login as this server spells it, so that one person does not become two devices here."""
    assert client.hello is not None
    return normal(login, keeps_case=client.hello.profile == CLASSIC)


def normal(login: str | None, *, keeps_case: bool) -> str | None:
    """The login in its one spelling; what is none stays as it is: the server will say so."""
    try:
        name, domain = split_address(login or "", keeps_case=keeps_case)
    except BadLogin:
        return login
    return name if domain is None else f"{name}@{domain}"


def take_slot(wish: Wish, note: Callable[[str], None]) -> Slot:
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
        note(f"{error} So nothing is remembered when you leave; --state-dir names another directory.")
        return slot_without_memory(name)


# -- trust


async def reach(wish: Wish, asker: Asker | None, say: Callable[[str], None], everything: bool) -> Client:
    """Return a client with a link to a server that is trusted.  Raises one of the DialErrors, Leave."""
    known = wish.state.trusted(wish.host, wish.port)
    pinned = wish.fingerprint or (known if known != AUTHORITIES else None)
    if wish.insecure and wish.tls:
        say("--insecure: the certificate is not checked; whoever stands between can read along.")
    client = client_of(wish, pinned, everything)
    try:
        await client.connect()
    except UntrustedCertificate as error:
        await client.close()
        if known == AUTHORITIES:
            raise CertificateChanged(wish.where, "", error.found) from None
        await decide(wish, error, asker, say)
        client = client_of(wish, error.found, everything)
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


def client_of(wish: Wish, pinned: str | None, everything: bool) -> Client:
    """A client for what was wished, that trusts the certificate with this fingerprint."""
    client = Client(
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
    client.private.bearer = Channels(client)
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
