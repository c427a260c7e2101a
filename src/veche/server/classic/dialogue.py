"""The dialogue with a classic terminal: who are you, your password, then one command a line.

It is a form of the line like JSON and text: what is typed becomes the packet that any client could have sent, and
what the server tells that client becomes lines to print.  So every rule of the server holds here as anywhere; only
the log-in is its own, since the terminal sends no packets of that kind.

    username --known--> password --right--> commands
       |  ^               |   ^
       |  +-- empty, bad, |   +-- wrong, empty
       |      logged in   +-- third failure in a row, or locked: the end
       +--unknown--> new password --> commands

Source: document 002; rows T05-T17, T29, T38, T63.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog

from veche.core.names import BadLogin, normal_login
from veche.packets import ClientPacket, ErrorCode, Packet, ServerPacket, account, link, message, type_name
from veche.packets.classic import ClassicStart, Input, Response
from veche.storage import accounts
from veche.storage.database import StorageError

from ..features.login import Wanted, open_session
from ..features.message import delivered, message_send
from ..session import JSON, Handler, Refused, Session, refused_by_storage
from .accounts import account_of, register
from .commands import parse
from .credentials import BadPassword, Credentials, check_password
from .rendering import error, rendered, told

log: structlog.stdlib.BoundLogger = structlog.get_logger()

USERNAME = "Username: "
PASSWORD = "Password: "
NEW_PASSWORD = "This is a new user. Enter a password: "
WRONG = "Invalid Password. Please try again"
NOW_LOCKED = "Invalid Password. Your account has been blocked. Please try again later"
LOCKED = "Your account is blocked due to multiple login failures. Please try again later"
ENTRIES = (message.Message, message.Edited, message.Retracted, message.Reacted)


class Dialogue:
    """The server's side of one classic terminal.  It is the codec of its session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._app = session.app
        self._name = ""
        self._answered: Callable[[str], Awaitable[None]] = self._username
        self._put_id = 0
        """The last entry of the log that was put on the link and is not yet acknowledged."""

    # -- a form of the line

    def encode(self, packet: Packet) -> bytes:
        """The RESPONSE lines of a packet.  A terminal acknowledges nothing, so what is put on its link it has."""
        if isinstance(packet, ENTRIES):
            self._acknowledge(packet.id)
        elif isinstance(packet, message.ReplayEnd):
            self._acknowledge(packet.upto)
        me = "" if self._session.account is None else self._session.account.address
        return b"".join(map(JSON.encode, rendered(packet, me)))

    def decode_client(self, line: bytes) -> ClientPacket:
        """A typed command is decoded as the packet that it means; INPUT stays what is none, or answers a question."""
        packet = JSON.decode_client(line)
        if isinstance(packet, Input) and self._session.account is not None:
            command = parse(packet.text)
            if not isinstance(command, str):
                return command  # type: ignore[return-value]
        return packet

    def decode_server(self, line: bytes) -> ServerPacket:
        return JSON.decode_server(line)

    def _acknowledge(self, id: int) -> None:
        if not self._put_id:
            self._app.call_later(0, self._acknowledge_all)  # the author hears of the sending first
        self._put_id = max(self._put_id, id)

    def _acknowledge_all(self) -> None:
        id, self._put_id = self._put_id, 0
        if self._session.is_alive and self._session.account is not None:
            delivered(self._session, message.MessageDeliveredUpTo(id=id))

    # -- questions and answers

    def start(self) -> None:
        """Ask who is there."""
        self._ask(USERNAME, self._username)

    async def answer(self, text: str) -> None:
        """What was typed at the last question.  What cannot be done is said, and the dialogue starts anew."""
        try:
            await self._answered(text)
        except Refused as refused:
            self._start_anew(refused)
        except StorageError as failure:
            self._start_anew(refused_by_storage(failure))
        except Exception:  # the session logs it, and says so
            self.start()
            raise

    def _start_anew(self, refused: Refused) -> None:
        self._say(error(refused.reason))
        self.start()

    def _ask(self, question: str, answered: Callable[[str], Awaitable[None]]) -> None:
        self._answered = answered
        self._session.send(Response(message=question, from_server=True, prompt=True))

    def _say(self, text: str) -> None:
        self._session.send(told(text))

    async def _username(self, text: str) -> None:
        name = text.strip()
        if not name:  # row T15
            return self.start()
        try:
            self._name = normal_login(name, keeps_case=True)
        except BadLogin as problem:
            raise Refused(ErrorCode.BAD_LOGIN, str(problem)) from None
        if self._name not in self._credentials:
            self._ask(NEW_PASSWORD, self._new_password)
            return None
        row = await account_of(self._app, self._name)
        if row.id in self._app.online:  # seen again by `open_session`
            raise Refused(ErrorCode.ALREADY_LOGGED_IN, f"{self._name} is already logged in.")
        self._ask(PASSWORD, self._password)

    async def _password(self, text: str) -> None:
        if not text:
            return self._ask(PASSWORD, self._password)
        app, name = self._app, self._name
        lockout, now = app.lockout, app.monotonic()
        here = f"classic {name}"  # rows T10, T11: a class behind one address must not lock it
        if lockout.wait_s(name, here, now) > 0:
            return self._lock(LOCKED)
        if not self._credentials.is_right(name, text):
            app.counters.logins_refused += 1
            log.info("login.refused", address=self._session.link.address)
            if lockout.failed(name, here, now) > 0:
                return self._lock(NOW_LOCKED)
            self._say(WRONG)
            return self._ask(PASSWORD, self._password)
        lockout.succeeded(name, here, now)
        await self._enter()

    def _lock(self, text: str) -> None:
        self._say(text)
        self._session.goodbye(ErrorCode.LOCKED)

    async def _new_password(self, text: str) -> None:
        try:
            if text:
                check_password(text)
        except BadPassword as problem:
            self._say(error(str(problem)))
            text = ""
        if not text:
            return self._ask(NEW_PASSWORD, self._new_password)
        wait_s = self._app.registration_wait_s(self._session.link.address)
        if wait_s > 0:
            raise Refused(ErrorCode.TRY_AGAIN_LATER, f"Too many new users. Wait {wait_s:.0f} seconds.")
        await register(self._app, self._name, text)
        await self._enter()

    async def _enter(self) -> None:
        row = await account_of(self._app, self._name)
        await open_session(self._session, row, Wanted(None, "classic", row.delivered_id))

    @property
    def _credentials(self) -> Credentials:
        credentials = self._app.credentials
        assert credentials is not None
        return credentials


# -- what a session is asked


def start(session: Session, packet: ClassicStart) -> None:
    if session.dialogue is not None or session.account is not None:
        raise Refused(ErrorCode.ALREADY_LOGGED_IN)
    session.dialogue = dialogue = Dialogue(session)
    session.speak(dialogue)
    dialogue.start()


def typed(session: Session, packet: Input) -> Coroutine[Any, Any, None] | None:
    if session.dialogue is None:
        raise Refused(ErrorCode.BAD_REQUEST, "CLASSIC comes before INPUT.")
    if session.account is None:
        return session.dialogue.answer(packet.text)
    problem = parse(packet.text)
    if problem:
        session.send(told(str(problem)))
    return None


async def send_in_order(session: Session, packet: message.MessageSend) -> None:
    """A message is told when it is stored, and only then is the next line of the terminal obeyed.

    So a message, a broadcast and a logout are seen in the order in which they were typed.
    """
    waiting = message_send(session, packet)
    if waiting is not None:
        await waiting
    if session.dialogue is not None:
        await session.app.database.write(accounts.any_exists())  # done after all that was queued before it


def not_in_this_profile(session: Session, packet: Packet) -> None:
    session.send(link.ErrorNotImplemented(request_type=type_name(packet), tag=getattr(packet, "tag", None)))


def handlers(*, is_classic: bool) -> dict[type[Packet], Handler]:
    """What a server of either profile does that one of the other does not."""
    if is_classic:  # the file is only ever appended to
        return {
            ClassicStart: start,
            Input: typed,
            message.MessageSend: send_in_order,
            account.PasswordChange: not_in_this_profile,
            account.AccountDelete: not_in_this_profile,
        }
    return {ClassicStart: not_in_this_profile, Input: not_in_this_profile}
