"""The plain mode: commands on standard input, one a line; what happens on standard output, one event a line.

With `as_json` every line is one packet, exactly as it came over the wire; what is refused here, before it is sent, is
an ERROR packet.  What goes on beside the wire has lines of types of its own: TRANSFER, SOUND.  Reading stops while too
much is on its way (`HELLO.limits.unacknowledged`), so a script may write as fast as it likes.  What is printed has been
handled: only then is it acknowledged to the server.

At the end of the input the answers to what was sent are waited for, and the files that are on their way.  Ctrl-C stops
the newest of these; when there is none, it ends the program.

Source: rows A12-A29, T20-T57, M13-M23, M28-M58; acceptance runs this mode.
"""

from __future__ import annotations

import asyncio
import codecs
import contextlib
import getpass
import signal
import sys
import threading
from collections.abc import AsyncIterator, Callable, Generator
from types import FrameType
from typing import BinaryIO, Protocol

from msgspec.structs import replace

from veche.client import Arrived, Client, ClientEnded, ClientError, DialError, Offline, Online, RequestFailed
from veche.client.conferences import fold_conferences, resumptions
from veche.client.errors import UNANSWERED
from veche.client.events import Unanswered
from veche.client.inbox import Item
from veche.client.private import PrivateError, PrivateEvent
from veche.packets import MAX_LINE_BYTES, ErrorCode, Packet, type_name
from veche.packets.account import AccountExport, AccountExportOk, ConnectOk, RegisterFailed
from veche.packets.codec import JsonCodec
from veche.packets.conference import SignalFailed
from veche.packets.contacts import ContactsGet, ContactsGetResponse, Relation
from veche.packets.link import Error
from veche.packets.message import HistoryGetOk, Message, MessageSend, MessageSent, ReplayEnd, SearchOk
from veche.packets.presence import PresenceSet
from veche.packets.profile import ProfileGet

from . import conference_words, plain_private, sentences
from .conference_commands import AnswerCall, CallPeople, OfConference, SetCalls, SetMicrophone
from .entrance import Entered, enter
from .people_commands import ProfileChange, Wrong
from .plain_commands import (
    Command,
    Contacts,
    Help,
    Logout,
    OfFiles,
    PrivateAnswer,
    PrivateSay,
    PrivateStart,
    PrivateStop,
    Read,
    Reply,
    help_of,
    parse,
)
from .plain_conferences import PlainConferences
from .plain_files import PlainFiles
from .sound import Devices
from .text import harmless
from .transfer import is_told_as_transfer
from .wish import EXIT_NO_LINK, EXIT_OK, EXIT_REFUSED, Asker, Leave, Wish, why

PATIENCE_S = 10.0
"""At the end, how long no answer may come before the rest is given up."""
CHUNK_BYTES = 64 * 1024
MAX_INPUT_LINE = 4 * MAX_LINE_BYTES
KNOWN_PEERS = 10_000
"""At least so many messages are remembered by their conversation, for `reply`."""

_encode = JsonCodec().encode


class RawInput(Protocol):
    """An unbuffered stream of bytes, such as `sys.stdin.buffer.raw`."""

    def read(self, size: int, /) -> bytes | None:
        """What is there, at most `size` bytes; waits for the first.  Empty at the end."""
        ...


class InputLines:
    """Lines of a stream, read by a thread of its own: the one way that works for files, pipes and terminals, on
    Windows too.  The thread waits when nobody takes what it has read.
    """

    def __init__(self, source: RawInput) -> None:
        self._source = source
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()
        self._room = threading.Semaphore(4)
        self._loop = asyncio.get_running_loop()
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def _read(self) -> None:
        chunk = b"."
        while chunk:
            self._room.acquire()
            try:
                chunk = self._source.read(CHUNK_BYTES) or b""
            except (OSError, ValueError):
                chunk = b""
            try:
                self._loop.call_soon_threadsafe(self._chunks.put_nowait, chunk)
            except RuntimeError:  # the loop is closed: nobody waits any more
                return

    async def batches(self) -> AsyncIterator[list[str]]:
        """Whole lines without their ends, as many as have arrived."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        rest = ""
        while chunk := await self._chunks.get():
            self._room.release()
            *complete, rest = (rest + decoder.decode(chunk)).split("\n")
            if complete:
                yield [line.removesuffix("\r") for line in complete]
            if len(rest) > MAX_INPUT_LINE:
                yield [rest]  # too long for any packet: refused as a whole
                rest = ""
        rest += decoder.decode(b"", final=True)
        if rest:
            yield [rest.removesuffix("\r")]


class TerminalAsker:
    """Asks on the terminal, without touching standard output."""

    def __init__(self, source: RawInput) -> None:
        self._source = source

    async def ask(self, question: str) -> str:
        print(question, end="", file=sys.stderr, flush=True)
        line = await asyncio.to_thread(self._source.read, 4096)
        if not line:
            raise EOFError
        return line.decode(errors="replace").rstrip("\r\n")

    async def ask_secret(self, question: str) -> str:
        return await asyncio.to_thread(getpass.getpass, question, sys.stderr)


@contextlib.contextmanager
def interrupting(interrupt: Callable[[], bool]) -> Generator[None]:
    """Ctrl-C calls `interrupt` in the loop, and ends the program only when that returns False."""
    loop, before = asyncio.get_running_loop(), signal.getsignal(signal.SIGINT)

    def pressed(number: int, frame: FrameType | None) -> None:
        def obey() -> None:
            if not interrupt() and callable(before):
                before(number, frame)

        loop.call_soon_threadsafe(obey)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, pressed)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class Plain:
    """One run of the plain mode."""

    def __init__(
        self, out: BinaryIO, say: Callable[[str], None], *, as_json: bool, devices: Devices | None = None
    ) -> None:
        self._out, self._say, self._as_json, self._devices = out, say, as_json, devices or Devices()
        self._reader = sentences.Reader()
        self._peers: dict[int, str] = {}
        self._lists: dict[str, tuple[Relation, ...]] = {}
        """key of a CONTACTS-GET -> which of the contacts are to be printed"""
        self._held = b""
        """A REGISTER-FAILED that does not matter if the login goes well."""
        self._printing: asyncio.Task[Exception | None] | None = None
        self._files: PlainFiles | None = None
        self._put: asyncio.Queue[bytes] = asyncio.Queue()
        """What is to be printed of the files"""
        self._caught_up = asyncio.Event()
        self._is_leaving = False
        self._conferences: PlainConferences | None = None
        self._is_near = False
        """The server is on this machine."""

    async def run(self, wish: Wish, asker: Asker | None, source: RawInput) -> int:
        """Returns the exit code; raises Leave."""
        self._is_near = wish.is_local
        try:
            entered = await enter(wish, asker, self._say, self._start_printing)
        except Leave as leave:
            await self._finish_printing()
            await self._print(self._held)
            raise leave from None
        try:
            return await self._converse(entered, source, wish)
        finally:
            entered.slot.release()

    async def _converse(self, entered: Entered, source: RawInput, wish: Wish) -> int:
        client = entered.client
        printing = self._printing
        assert printing is not None
        assert self._files is not None
        assert self._conferences is not None
        transfers = self._files.transfers
        reading = asyncio.create_task(self._read(client, InputLines(source)))
        try:
            with interrupting(transfers.interrupt):
                return await self._until_over(client, wish, reading, printing)
        finally:
            reading.cancel()
            self._is_leaving = True
            await transfers.close()
            await self._conferences.sound.close()
            await client.close(handled=False)
            await asyncio.gather(reading, printing, return_exceptions=True)

    async def _until_over(
        self, client: Client, wish: Wish, reading: asyncio.Task[None], printing: asyncio.Task[Exception | None]
    ) -> int:
        await asyncio.wait({reading, printing}, return_when=asyncio.FIRST_COMPLETED)
        if printing.done():  # the client ended for good, or nobody reads what we print
            return self._ended(printing.result(), wish)
        reading.result()
        finishing = asyncio.create_task(self._finish_files())
        await asyncio.wait({finishing, printing}, return_when=asyncio.FIRST_COMPLETED)
        finishing.cancel()
        is_settled = await self._settle(client)
        if printing.done():
            return self._ended(printing.result(), wish)
        self._is_leaving = True
        if self._conferences is not None:
            await self._conferences.sound.close()
        left = client.unfinished
        await client.close()
        error = await printing
        if isinstance(error, BrokenPipeError):
            return EXIT_REFUSED
        if not is_settled:
            self._say(f"{left} of the requests were not answered; whether they were done is not known.")
            return EXIT_NO_LINK
        return EXIT_OK

    async def _finish_files(self) -> None:
        """Wait until the files that this side sends and fetches are there."""
        assert self._files is not None
        await self._files.transfers.settled()
        await self._put.join()

    async def _settle(self, client: Client) -> bool:
        """Wait until what was missed has come, and what was asked is answered, and all of it is printed."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await self._caught_up.wait()
        while True:
            is_settled = await client.settled(PATIENCE_S)
            await client.handled_all()
            if not is_settled or not client.unfinished:  # what was printed may have asked for more
                return is_settled

    def _ended(self, error: Exception | None, wish: Wish) -> int:
        if error is None or (isinstance(error, ClientEnded) and error.code == ErrorCode.LOGGED_OUT):
            return EXIT_OK
        if isinstance(error, BrokenPipeError):
            return EXIT_REFUSED
        leave = why(error, wish)
        if leave is None:
            raise error
        raise leave

    # -- in

    async def _read(self, client: Client, source: InputLines) -> None:
        async for lines in source.batches():
            for line in lines:
                try:
                    command = parse(line)
                    if isinstance(command, Logout):
                        return
                    if isinstance(command, Read | Reply | OfConference | CallPeople | AnswerCall | SetMicrophone):
                        await self._settle(client)  # what they mean depends on what the lines before have brought
                    await self._obey(client, command)
                except Wrong as wrong:
                    await self._refuse(ErrorCode.BAD_REQUEST, str(wrong))
                except RequestFailed as failed:
                    await self._refuse(failed.code, failed.reason)
                except (ClientEnded, DialError):
                    return  # the printing end knows why
                except PrivateError as error:
                    await client.handled_all()  # why it is refused may still have to be printed
                    await self._refuse(ErrorCode.BAD_REQUEST, str(error))
                except ClientError as error:
                    await self._refuse(ErrorCode.TRY_AGAIN_LATER, str(error))
                if not client.has_room:
                    await client.room()

    async def _obey(self, client: Client, command: Command | None) -> None:
        """Do what a line asks for.  Raises Wrong, RequestFailed."""
        match command:
            case ProfileGet(login=""):
                client.post(ProfileGet(login=self._reader.address))
            case PresenceSet(away=away):
                client.set_away(away)
                await self._tell("you are away" if away else "you are back")
            case Packet():
                client.post(command)
            case Contacts(relations):
                self._lists[client.post(ContactsGet())] = relations
            case ProfileChange():
                client.post(command.request())
            case Reply(message_id, text):
                peer = self._peers.get(message_id)
                if peer is None:
                    raise Wrong(f"Message {message_id} was not shown here; history shows older ones.")
                client.post(MessageSend(to=peer, text=text, reply_to=message_id))
            case Read(login):
                if not client.read(login):
                    raise RequestFailed(ErrorCode.UNKNOWN_MESSAGE, f"There is nothing to read from {login}.")
            case PrivateStart() | PrivateSay() | PrivateStop() | PrivateAnswer():
                await plain_private.obey(client, command)
            case _ if isinstance(command, OfFiles):
                assert self._files is not None
                self._files.obey(command)
                await self._put.join()  # what it says stands before what the next line says
            case AnswerCall(accepted) if not self._reader.people.calls and client.private.requests:
                await plain_private.obey(client, PrivateAnswer(None, accepted))
            case OfConference() | CallPeople() | AnswerCall() | SetCalls() | SetMicrophone():
                assert self._conferences is not None
                await self._conferences.obey(command)
                await self._put.join()
            case Help(name) if self._as_json:
                self._say(help_of(name))
            case Help(name):
                await self._tell(help_of(name))
            case _:
                pass

    async def _tell(self, sentence: str) -> None:
        """Say what no packet says, to people."""
        if not self._as_json:
            await self._print((sentence + "\n").encode())

    async def _refuse(self, code: ErrorCode, reason: str) -> None:
        await self._print(self._line(Error(code=code, reason=reason)))

    # -- out

    def _start_printing(self, client: Client) -> None:
        self._files = PlainFiles(client, self._reader, self._put.put_nowait, as_json=self._as_json)
        self._conferences = PlainConferences(
            client,
            self._reader,
            self._devices,
            put=self._put.put_nowait,
            say=self._say,
            as_json=self._as_json,
            is_near=self._is_near,
        )
        self._printing = asyncio.create_task(self._print_both(client))

    async def _finish_printing(self) -> None:
        if self._printing is not None:
            await self._printing

    async def _print_both(self, client: Client) -> Exception | None:
        """As `_print_all`; what is put is printed too."""
        putting = asyncio.create_task(self._print_put())
        try:
            return await self._print_all(client)
        finally:
            putting.cancel()
            await asyncio.gather(putting, return_exceptions=True)

    async def _print_put(self) -> None:
        while True:
            data = await self._put.get()
            with contextlib.suppress(BrokenPipeError):  # the next packet will tell
                await self._print(data)
            self._put.task_done()

    async def _print_all(self, client: Client) -> Exception | None:
        """Print until the client ends; returns why it did, None for no reason but ours."""
        try:
            async for batch in client.batches():
                await self._print(b"".join([self._event(client, item) for item in batch]))
        except (ClientEnded, DialError, BrokenPipeError) as error:
            return error
        return None

    async def _print(self, data: bytes) -> None:
        if data:
            await asyncio.get_running_loop().run_in_executor(None, self._write, data)

    def _write(self, data: bytes) -> None:
        self._out.write(data)
        self._out.flush()

    def _event(self, client: Client, item: Item) -> bytes:
        """The lines of one event."""
        if isinstance(item, Online):
            self._say(f"connected as {item.address}, device {item.device}")
            for request in resumptions(self._reader.people):
                client.post(request)
            return b""
        if isinstance(item, Offline):
            if not self._is_leaving and item.retry_in_s is not None:
                self._say(f"reconnecting in {item.retry_in_s:.1f} s: {harmless(item.reason)}")
            return b""
        if isinstance(item, PrivateEvent):
            if self._as_json:
                return plain_private.line(item)
            return (plain_private.sentence(item, self._reader) + "\n").encode(errors="replace")
        assert self._conferences is not None
        if isinstance(item, Unanswered):
            self._conferences.sound.answered(item.key)
            return self._line(Error(code=ErrorCode.TRY_AGAIN_LATER, reason=f"{type_name(item.request)}: {UNANSWERED}"))
        lines = self._lines_of(client, item)
        if item.packet is not None:
            self._reader.people = fold_conferences(self._reader.people, item.packet, item.request)
        return lines + self._conferences.arrived(item)

    def _lines_of(self, client: Client, item: Arrived) -> bytes:
        packet, request = item.packet, item.request
        self._remember(packet, request)
        assert self._files is not None
        instead = self._files.arrived(packet, item.key)
        if instead is not None:
            return instead
        if isinstance(packet, RegisterFailed):
            self._held = item.line.rstrip() + b"\n" if self._as_json else b""
            return b""
        if isinstance(packet, AccountExportOk) and packet.next is not None:
            client.post(AccountExport(after=packet.next))
        relations = self._lists.pop(item.key, None) if item.key is not None else None
        if relations is not None and isinstance(packet, ContactsGetResponse):
            return self._contacts(packet, relations)
        if self._as_json:
            return item.line.rstrip() + b"\n"
        if plain_private.is_told_as_event(packet) or is_told_as_transfer(packet) or isinstance(packet, SignalFailed):
            return b""  # the last: who left does not answer
        return self._line(packet, request) if packet is not None else b""

    def _remember(self, packet: Packet | None, request: Packet | None) -> None:
        """What `reply` and the end of the input need to know."""
        match packet:
            case MessageSent() if isinstance(request, MessageSend):
                self._peers[packet.id] = request.to
            case Message():
                self._peers[packet.id] = packet.to if packet.from_ == self._reader.address else packet.from_
            case HistoryGetOk() | SearchOk():
                self._peers.update((one.id, packet.peer) for one in packet.messages)
            case ConnectOk():
                self._caught_up.clear()
            case ReplayEnd():
                self._caught_up.set()
            case _:
                return
        if len(self._peers) > 2 * KNOWN_PEERS:
            self._peers = dict(list(self._peers.items())[-KNOWN_PEERS:])

    def _contacts(self, packet: ContactsGetResponse, relations: tuple[Relation, ...]) -> bytes:
        """Those contacts that are one of these to me."""
        found = [one for one in packet.contacts if one.relation in relations]
        return self._line(replace(packet, contacts=found))

    def _line(self, packet: Packet, request: Packet | None = None) -> bytes:
        if self._as_json:
            return _encode(packet).rstrip() + b"\n"
        marks = conference_words.NO_MARKS if self._conferences is None else self._conferences.marks(packet)
        said = (
            sentences.lines(packet, request, self._reader),
            conference_words.said(packet, self._reader.people, self._reader, marks),
        )
        text = "\n".join(part for part in said if part)
        return (text + "\n").encode(errors="replace") if text else b""
