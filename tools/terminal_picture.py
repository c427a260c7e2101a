"""docs/terminal.svg and docs/terminal-call.svg: the screen of `veche chat`, as it stands.

    python3 -m tools.terminal_picture

A real server, real pseudo-terminals, and friends who talk, send and offer files, and call each other.
"""

from __future__ import annotations

import io
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from rich.ansi import AnsiDecoder
from rich.console import Console

from tests.support.files import http_request
from tests.support.server import ServerProcess
from tests.support.sound_devices import devices
from tests.support.terminal import Emulator, Terminal, Terminals
from tests.support.wire import Wire, home

ROOT = Path(__file__).parents[1]
PICTURE, CALL = ROOT / "docs/terminal.svg", ROOT / "docs/terminal-call.svg"
COLUMNS, ROWS = 104, 24
DOMAIN = "talk.example.org"
NOTES = {"bob": "in the harbour", "carol": "", "dmitri": "back on Monday"}


class Cell(str):
    """A character of the screen.  style: the escape sequence that colours it."""

    __slots__ = ("style",)
    style: str


class Colours(Emulator):
    """The emulator of the tests, with colours."""

    style = ""

    def _put(self, char: str) -> None:
        super()._put(char)
        if char >= " ":
            cell = Cell(char)
            cell.style = self.style
            self.cells[self.y][self.x - 1] = cell

    def _obey(self, arguments: str, final: str) -> None:
        if final == "m":
            is_whole = arguments.startswith("0") or not arguments
            self.style = f"\x1b[{arguments}m" if is_whole else f"{self.style}\x1b[{arguments}m"
        else:
            super()._obey(arguments, final)

    def svg(self, title: str) -> str:
        """The screen as a picture."""
        console = Console(
            record=True, width=self.columns, file=io.StringIO(), color_system="truecolor", legacy_windows=False
        )
        for row in self.cells:
            text = "".join(f"\x1b[0m{getattr(cell, 'style', '')}{cell}" for cell in row)
            console.print(*AnsiDecoder().decode(text), no_wrap=True, highlight=False)
        picture = console.export_svg(title=title, unique_id="veche")
        picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)  # nothing is fetched from elsewhere
        return "\n".join(line.rstrip() for line in picture.splitlines()) + "\n"


def talk(server: ServerProcess, terminals: Terminals, folder: Path) -> str:
    """An evening of four people; returns the screen of alice."""
    wires = {name: Wire(server.port) for name in ("alice", *NOTES)}
    for name, wire in wires.items():
        wire.register(name)
        wire.connect(name)
        if NOTES.get(name):
            wire.ask("PROFILE-UPDATE", note=NOTES[name])
    alice = wires.pop("alice")
    for name, wire in wires.items():
        wire.ask("FRIEND-REQUEST", login="alice")
        alice.ask("FRIEND-ANSWER", login=name, accepted=True)
    alice.close()
    wires["dmitri"].close()
    bob, carol = wires["bob"], wires["carol"]
    (folder / "tide.pdf").write_bytes(b"%PDF-" + os.urandom(340_000))
    screen = terminals(
        *(f"alice@127.0.0.1:{server.port}", "--fingerprint", server.fingerprint),
        VECHE_PASSWORD="a password",
        columns=COLUMNS,
        rows=ROWS,
    )
    screen.screen = Colours(COLUMNS, ROWS)
    screen.until_shown("Friends")
    screen.enter("/to bob Is the boat back yet?")
    first = bob.until("MESSAGE")[-1]["id"]
    bob.say("alice", "Since noon. Look how calm it was:", files=[upload(bob, server.port, "harbour.jpg", 2_143_000)])
    screen.until_shown("harbour.jpg")
    screen.enter("/react 🌊")
    screen.until_shown("🌊")
    screen.enter("/send tide.pdf -- Then we can go on Sunday, the tide is with us.")
    bob.send("MESSAGE-READ", id=bob.until("MESSAGE")[-1]["id"])
    screen.until_shown(" read")
    bob.say("alice", "I have the film of it too. It is large, take it straight from me.", reply_to=first)
    carol.say("alice", "Are you coming tonight?")
    screen.until_shown("unread: carol 1")
    offered = bob.ask("SEND-FILE-PROXY", to="alice", filename="harbour.mkv", size=6_400_000)
    assert offered["type"] == "SEND-FILE-PROXY-ASKED"
    screen.until_shown("offers harbour.mkv")
    screen.enter("/accept-file")
    url = bob.until("SEND-FILE-PROXY-OK")[-1]["url"]
    picture: list[str] = []

    def parts() -> Iterator[bytes]:
        for _ in range(4):
            yield os.urandom(1_000_000)
            rest(screen)
        bob.send("TYPING-STARTED", to="alice")
        screen.until_shown("is typing")
        screen.type("Sunday it is, then. I bring the co")
        screen.until_shown("I bring the co")
        picture.append(screen.screen.svg(f"veche chat alice@{DOMAIN}"))  # type: ignore[attr-defined]
        raise ConnectionAbortedError

    with suppress(ConnectionAbortedError):
        http_request(server.port, "PUT", url, parts(), Upload_Offset="0", Content_Length="6400000")
    for wire in (bob, carol):
        wire.close()
    return picture[0]


def call(server: ServerProcess, terminals: Terminals, folder: Path) -> str:
    """The same people call each other; returns the screen of alice, whose microphone hears nothing now."""

    def opened(name: str, tone_hz: int) -> Terminal:
        place = folder / name
        place.mkdir()
        environ = {
            "VECHE_AUDIO": "on",
            "VECHE_MICROPHONE": "microphone",
            "VECHE_LOUDSPEAKER": "loudspeaker",
            "ALSA_CONFIG_PATH": devices(place, tone_hz)["ALSA_CONFIG_PATH"],
        }
        flags = ("--fingerprint", server.fingerprint)
        target = f"{name}@127.0.0.1:{server.port}"
        screen = terminals(target, *flags, VECHE_PASSWORD="a password", columns=COLUMNS, rows=ROWS, **environ)
        screen.screen = Colours(COLUMNS, ROWS)
        screen.until_shown("Friends")
        return screen

    screen, bob = opened("alice", 0), opened("bob", 440)
    carol, dmitri = Wire(server.port), Wire(server.port)
    for wire, name in ((carol, "carol"), (dmitri, "dmitri")):
        wire.connect(name)
    screen.enter("/calls wait")
    screen.enter("/conference create Sunday")
    screen.until_shown("you (owner)")
    screen.enter("/conference invite bob")
    bob.until_shown("/accept")
    bob.enter("/accept")
    screen.until_shown("bob has taken the call")
    sunday = carol.until("CONFERENCE-SEEN")[-1]["conference"]["id"]
    assert carol.ask("CONFERENCE-JOIN", id=sunday, media="text")["type"] == "CONFERENCE-JOIN-OK"
    screen.until_shown("carol has come into Sunday")
    carol.ask("CONFERENCE-MESSAGE", id=sunday, text="No microphone on the bus. When do we sail?")
    screen.until_shown("When do we sail")
    screen.enter("At nine, before the wind turns. Bob knows the tide.")
    carol.until("CONFERENCE-MESSAGE")
    carol.ask("CONFERENCE-MESSAGE", id=sunday, text="Then I come by eight, with coffee.")
    screen.until_shown("with coffee")
    dmitri.ask("CALL", status="initiate", users=["alice"], media="text")
    screen.until_shown("dmitri calls you")
    screen.until(lambda lines: any("bob (speaks), carol (text)" in line for line in lines))
    screen.type("We are on our way, d")
    screen.until_shown("on our way, d")
    assert isinstance(screen.screen, Colours)
    picture = screen.screen.svg(f"veche chat alice@{DOMAIN}")
    for wire in (carol, dmitri):
        wire.close()
    return picture


def rest(screen: Terminal) -> None:
    """Take what is written for a while."""
    for _ in range(6):
        screen.pump()


def upload(wire: Wire, port: int, name: str, size: int) -> str:
    """Put a file on the server; returns its id."""
    asked = wire.ask("FILE-UPLOAD", name=name, bytes=size)
    http_request(port, "PUT", asked["url"], os.urandom(size), Upload_Offset="0")
    return asked["id"]


def main() -> None:
    home.move()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = ServerProcess(folder / "data", "--registration", "open", "--domain", DOMAIN).start()
        terminals = Terminals(folder / "state")
        os.chdir(folder)
        try:
            PICTURE.write_text(talk(server, terminals, folder), "utf-8")
            CALL.write_text(call(server, terminals, folder), "utf-8")
        finally:
            terminals.close()
            server.stop()
            home.leave()
            os.chdir(ROOT)


if __name__ == "__main__":
    main()
