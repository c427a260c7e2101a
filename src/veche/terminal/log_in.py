"""Registering and logging in, once there is a link to a server that is trusted.

Source: rows A09, A11, M04-M12, M24-M26, X03.
"""

from __future__ import annotations

from collections.abc import Callable

from veche.client import Client, LoginRefused, Place, RequestFailed
from veche.packets import ErrorCode

from .text import harmless
from .wish import EXIT_REFUSED, EXIT_USAGE, Asker, Leave, Wish, sentence

TRIES = 3
"""So often may a person mistype the password."""


class NameTaken(Exception):
    """Somebody else has the name that was chosen; the password that was chosen is kept for the next one."""

    def __init__(self, password: str) -> None:
        super().__init__()
        self.password = password


async def log_in(
    client: Client,
    wish: Wish,
    place: Place,
    asker: Asker | None,
    say: Callable[[str], None],
    note: Callable[[str], None],
) -> bool:
    """Log in; returns whether the account was made for that.

    say: tells a sentence; note: one that matters later too.  Raises RequestFailed, one of the DialErrors, NameTaken,
    Leave.
    """
    if wish.register and not (wish.is_invited and place.resume is not None):
        return await register_first(client, wish, asker, say, note)
    if wish.password is not None or wish.token is not None:
        await client.login()
        return False
    if place.resume is not None:
        try:
            await client.login(login=wish.login)
            if wish.is_invited:
                note("You have an account here already, so this link was not needed.")
            return False
        except LoginRefused as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS:
                raise
            say("The session of this device has ended.")
    if asker is None:
        raise Leave(EXIT_USAGE, "No password: set VECHE_PASSWORD, or give --password-file FILE.")
    may_register = wish.code is not None or (client.hello is not None and client.hello.registration != "closed")
    question = f"Password of {wish.login}{' (Enter alone: make this account)' if may_register else ''}: "
    left = TRIES
    while True:
        password = await asker.ask_secret(question)
        if not password:
            if may_register:
                return await register_first(client, wish, asker, say, note)
            continue
        left -= 1
        try:
            await client.login(login=wish.login, password=password)
            return False
        except LoginRefused as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS or not left:
                raise
            say(sentence(error))


async def register_first(
    client: Client, wish: Wish, asker: Asker | None, say: Callable[[str], None], note: Callable[[str], None]
) -> bool:
    """Make the account and log in.  An account that exists will do if the password is its own.  As log_in."""
    password, code = wish.password, wish.code
    if password is None:
        if asker is None:
            raise Leave(EXIT_USAGE, "No password: set VECHE_PASSWORD, or give --password-file FILE.")
        code = code or await ask_code(client, asker, say)
        password = await choose_password(asker, say)
    try:
        await client.register(password, code, login=wish.login)
    except RequestFailed as refused:
        if refused.code not in (ErrorCode.LOGIN_TAKEN, ErrorCode.REGISTRATION_CLOSED, ErrorCode.BAD_INVITE):
            raise
        if refused.code == ErrorCode.LOGIN_TAKEN and wish.is_invited and asker is not None:
            raise NameTaken(password) from None
        try:
            await client.login(login=wish.login, password=password)
        except LoginRefused as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS:
                raise
            raise refused from None
        if wish.is_invited:
            note("This link has been used up; you are logged in to the account that you have here.")
        return False
    await client.login(login=wish.login, password=password)
    return True


async def ask_code(client: Client, asker: Asker, say: Callable[[str], None]) -> str | None:
    """The code that this server wants before it makes an account, if it wants one."""
    assert client.hello is not None
    text = harmless(client.hello.registration_text)
    match client.hello.registration:
        case "closed":
            say(text or "Accounts are made by the administrator of this server.")
            return (await asker.ask("Invite or set-up code: ")).strip()
        case "invite":
            say(text or "This server asks for an invite.")
            return (await asker.ask("Invite code: ")).strip()
        case _:
            return None


async def choose_password(asker: Asker, say: Callable[[str], None]) -> str:
    """Ask for a new password twice, until both are the same."""
    while True:
        password = await asker.ask_secret("Choose a password: ")
        if not password:
            raise Leave(EXIT_REFUSED, "No password, no account.")
        if await asker.ask_secret("Once more: ") == password:
            return password
        say("These were two different passwords.")
