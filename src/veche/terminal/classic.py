"""The terminal of the classic profile.  It is thin: typed lines go to the server, and what the server says is printed.

Only private sessions are its own matter (classic_private.py), since no server may read them.

On a terminal of POSIX a line editor (line_editor.py) keeps what is typed and what arrives apart.  Elsewhere, and where
input or output is a file or a pipe, whole lines are read and written.

Source: document 002; rows T04-T06, T13, T37, T39, T40, T47, T63.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from ipaddress import ip_address
from itertools import count
from typing import Any, Protocol, TextIO, cast

from msgspec.structs import replace

from veche.net.dial import DialError, dial
from veche.net.lines import Link
from veche.packets import MAX_LINE_BYTES, MAX_TEXT, Packet
from veche.packets.classic import ClassicStart, Input, Response
from veche.packets.codec import BadPacket, JsonCodec, UnknownPacket
from veche.packets.link import ClientHello, Error, Goodbye, Ping, Pong, ServerHello

from .classic_private import PrivateCommands
from .line_editor import Key, LineEditor
from .plain import InputLines, RawInput
from .text import harmless

EXIT_OK, EXIT_NO_LINK, EXIT_INTERRUPTED = 0, 3, 130
FAREWELL_S = 2.0
"""How long a leaving terminal waits for the server's goodbye."""

_codec = JsonCodec()


# -- keyboard and screen


class Console(Protocol):
    """Where lines are typed and shown."""

    def start(self, typed: Callable[[str | Key], None]) -> None:
        """Hand on each line that is typed, and the keys that ask to leave; the end of the input is one."""
        ...

    def say(self, line: str) -> None:
        """Show a line."""
        ...

    def prompt(self, text: str) -> None:
        """The line that is typed answers this."""
        ...

    def ask(self, question: str) -> None:
        """The next line answers this; what is typed already waits."""
        ...

    def resume(self) -> None:
        """The question is over."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...


class Keyboard:
    """A terminal, key by key."""

    def __init__(self, source: int, out: TextIO) -> None:
        self._source, self._out = source, out
        self._editor = LineEditor()
        self._modes: list[Any] = []

    def start(self, typed: Callable[[str | Key], None]) -> None:
        import termios

        self._typed = typed
        self._modes = termios.tcgetattr(self._source)
        self._take_over()
        loop = asyncio.get_running_loop()
        loop.add_reader(self._source, self._read)
        loop.add_signal_handler(signal.SIGCONT, self._take_over)  # after Ctrl-Z and `fg`

    def _take_over(self) -> None:
        import tty

        tty.setcbreak(self._source)
        self._editor.redraw()
        self._show()

    def _read(self) -> None:
        try:
            data = os.read(self._source, 64 * 1024)
        except OSError:  # the terminal is gone
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._source)
            self._typed(Key.END)
            return
        for event in self._editor.feed(data):
            self._typed(event)
        self._show()

    def _show(self) -> None:
        with suppress(OSError):
            self._editor.columns = os.get_terminal_size(self._out.fileno()).columns or 80
            self._out.write(self._editor.take())
            self._out.flush()

    def say(self, line: str) -> None:
        self._editor.say(line)
        self._show()

    def prompt(self, text: str) -> None:
        self._editor.prompt(text)
        self._show()

    def ask(self, question: str) -> None:
        self._editor.ask(question)
        self._show()

    def resume(self) -> None:
        self._editor.resume()
        self._show()

    def close(self) -> None:
        import termios

        with suppress(OSError, termios.error):
            termios.tcsetattr(self._source, termios.TCSADRAIN, self._modes)
        self._editor.leave()
        self._show()


class Lines:
    """Files, pipes and consoles that are read line by line."""

    def __init__(self, source: RawInput, out: TextIO, *, echoes: bool) -> None:
        self._source, self._out, self._echoes = source, out, echoes
        self._is_open = False
        """The last line of the output is a question, and what is typed does not end it."""
        self._reading: asyncio.Task[None] | None = None

    def start(self, typed: Callable[[str | Key], None]) -> None:
        self._reading = asyncio.create_task(self._read(typed))

    async def _read(self, typed: Callable[[str | Key], None]) -> None:
        async for lines in InputLines(self._source).batches():
            for line in lines:
                self._is_open = self._is_open and not self._echoes
                typed(line)
        typed(Key.END)

    def _write(self, text: str, *, is_open: bool) -> None:
        with suppress(OSError):
            self._out.write(f"\n{text}" if self._is_open else text)
            self._out.flush()
        self._is_open = is_open

    def say(self, line: str) -> None:
        self._write(f"{line}\n", is_open=False)

    def prompt(self, text: str) -> None:
        self._write(text, is_open=True)

    def ask(self, question: str) -> None:
        self.prompt(question)

    def resume(self) -> None:
        pass

    def close(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        self._write("", is_open=False)


def open_console() -> Console:
    """The one that fits where this program runs."""
    if os.name == "posix" and sys.stdin.isatty() and sys.stdout.isatty():
        return Keyboard(sys.stdin.fileno(), sys.stdout)
    raw: RawInput = cast("Any", sys.stdin.buffer).raw  # on Windows too what it gives is UTF-8
    return Lines(raw, sys.stdout, echoes=sys.stdin.isatty())


# -- the terminal


class _State(Enum):
    """Whose turn it is."""

    SERVERS = "the server's: it has something to say before the next line is sent"
    ANSWER = "the person's, to answer the server"
    COMMAND = "the person's"


class Terminal:
    """One run of the program.  What is typed too early waits."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._state = _State.SERVERS
        self._typed: deque[str | Key] = deque()
        self._link: Link | None = None
        self._leaves_with: int | None = None
        """The exit code of a terminal whose person is leaving."""
        self._private = PrivateCommands(self, self.send)
        self._numbers = count(1)
        self._ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def run(self, host: str, port: int) -> int:
        """Talk until either side leaves; returns the exit code.  Raises DialError."""
        dialled = await dial(host, port, self, tls=not is_loopback(host), insecure=True)
        self._link = dialled.link
        loop = asyncio.get_running_loop()
        try:
            self._console.start(self._take)
            for name in ("SIGINT", "SIGTERM", "SIGHUP"):
                with suppress(NotImplementedError, AttributeError):
                    loop.add_signal_handler(getattr(signal, name), self._take, Key.INTERRUPT)
            self.send(ClientHello(client="veche classic"))
            self.send(ClassicStart())
            return await self._ended
        finally:
            self._console.close()
            await self._private.close()
            self._link.close()

    # -- what is typed

    def _take(self, typed: str | Key) -> None:
        if typed is Key.INTERRUPT:
            self._leave(EXIT_INTERRUPTED)
            return
        self._typed.append(typed)
        self._go_on()

    def _go_on(self) -> None:
        while self._typed and self._state is not _State.SERVERS:
            typed = self._typed.popleft()
            if isinstance(typed, str):
                self._obey(typed)
            else:
                self._leave(EXIT_OK)

    def _obey(self, line: str) -> None:
        packet = Input(text=line)
        if len(line) > MAX_TEXT or len(_codec.encode(packet)) > MAX_LINE_BYTES:
            self.say("Error. The line is too long")
        elif self._state is _State.ANSWER:
            self._state = _State.SERVERS
            self.send(packet)
        elif self._private.is_asking:
            self._private.answer(line)
        elif not self._private.obey(line):
            self.send(packet)

    def _leave(self, code: int) -> None:
        """Say goodbye, and go when the server has."""
        if self._leaves_with is None:
            self._leaves_with = code
            self.send(Goodbye())
            asyncio.get_running_loop().call_later(FAREWELL_S, self._end, code)

    def _end(self, code: int) -> None:
        if not self._ended.done():
            self._ended.set_result(code if self._leaves_with is None else self._leaves_with)

    # -- the link

    def send(self, packet: Packet) -> str:
        """Send a packet to the server; returns the tag of its answer."""
        tag = f"t{next(self._numbers)}"
        if hasattr(packet, "tag"):
            packet = replace(packet, tag=tag)
        assert self._link is not None
        self._link.put(_codec.encode(packet))
        return tag

    def receive_line(self, line: bytes) -> None:
        try:
            packet = _codec.decode_server(line)
        except UnknownPacket:  # a newer server may say more than we know
            return
        except BadPacket:
            self._give_up("What answers there does not speak as Veche does.")
            return
        match packet:
            case Response():
                self._respond(packet)
            case Ping():
                self.send(Pong(tag=packet.tag))
            case ServerHello():
                self._private.domain = packet.server
                if packet.profile != "classic":
                    self._give_up("This server is not of the classic profile. Use: veche chat")
            case Error():
                self.say(packet.reason)
            case _:
                self._private.handle(packet)

    def _respond(self, response: Response) -> None:
        if response.prompt:
            self._console.prompt(one_line(response.message))
            self._state = _State.ANSWER
        elif response.message:
            self.say(response.message)
        if response.exit is not None:
            self._end(response.exit)
        elif self._state is _State.SERVERS:
            self._state = _State.COMMAND
        asyncio.get_running_loop().call_soon(self._go_on)  # when all that has come is shown

    def line_too_long(self) -> None:
        self._give_up("What answers there does not speak as Veche does.")

    def pause_sending(self) -> None:
        """What a person types is little; the lines of a pipe wait in memory."""

    def resume_sending(self) -> None:
        pass

    def link_lost(self, error: Exception | None) -> None:
        self._give_up("The server has closed the connection.")

    def _give_up(self, why: str) -> None:
        if not self._ended.done():
            self.say(why)
            self._end(EXIT_NO_LINK)

    # -- the screen

    def say(self, line: str) -> None:
        """Show a line."""
        self._console.say(one_line(line))

    def ask(self, question: str) -> None:
        """The next line answers this; what is typed already waits."""
        self._console.ask(one_line(question))

    def resume(self) -> None:
        """There is no question any more."""
        self._console.resume()


def one_line(text: str) -> str:
    """A text of other people on one line, with nothing in it that the terminal would obey."""
    return harmless(text).replace("\n", " ↵ ")


def is_loopback(host: str) -> bool:
    """Whether this is this machine's own address, which needs no TLS."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def run(host: str, port: int) -> int:
    """The terminal of a classic server; returns the exit code."""
    try:
        return await Terminal(open_console()).run(host, port)
    except DialError as error:
        print(error, file=sys.stderr)
        return EXIT_NO_LINK
