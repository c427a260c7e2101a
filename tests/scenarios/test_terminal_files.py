"""Files in the terminal, on a real server: plain mode, screen, `veche send`; and what an administrator tells."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.test_admin import setup_code
from tests.support.chat import Chat, Chats
from tests.support.files import http_request
from tests.support.line import Line
from tests.support.server import ServerProcess
from tests.support.terminal import Terminals
from tests.support.wire import Wire, newcomer, unique

KEYS = (
    *("type", "number", "way", "stage", "name", "peer", "id", "bytes", "done", "speed", "left_s", "path", "warning"),
    *("trouble", "code", "reason"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the terminals run: with a picture, a program and a folder in it."""
    here = tmp_path / "here"
    (here / "out").mkdir(parents=True)
    (here / "two words.txt").write_text("two words")
    (here / "harbour.bin").write_bytes(os.urandom(700_000))
    (here / "setup.exe").write_bytes(b"MZ" + os.urandom(1000))
    (here / "empty").touch()
    monkeypatch.chdir(here)
    return here


@pytest.fixture
def chat(tmp_path: Path, folder: Path) -> Iterator[Chats]:
    chats = Chats(tmp_path / "state")
    yield chats
    chats.close()


def two(server: ServerProcess, chat: Chats, *flags: str) -> tuple[Chat, str, Chat, str]:
    """Alice, with these flags, and bob, both signed in."""
    alice, bob = unique("alice"), unique("bob")
    one, other = chat(server, alice, "--register", *flags), chat(server, bob, "--register")
    return one.connected(), alice, other.connected(), bob


def transfer(chat: Chat, **fields: Any) -> dict[str, Any]:
    """The next TRANSFER line that has these fields."""
    while True:
        found = chat.packet("TRANSFER")
        assert tuple(found) == KEYS
        if fields.items() <= found.items():
            return found


def test_files_are_sent_in_a_message_and_saved_over_nothing(server: ServerProcess, chat: Chats, folder: Path) -> None:
    """Rows: M48 (partly), M58 (partly), X18 (partly)."""
    alice, _, bob, bob_login = two(server, chat)
    bob.until("the account")
    alice.write(f'send {bob_login} harbour.bin setup.exe "two words.txt" empty -- look at this')
    assert alice.until_text("sent ").endswith("with harbour.bin, setup.exe, two words.txt, empty")
    bob.until_text(": look at this")
    ids = [bob.line().partition(": download ")[2].partition("]")[0] for _ in range(4)]
    bob.write("files")
    listed = [bob.line() for _ in range(4)]
    assert [line.split("  ")[0] for line in listed] == ids
    assert "700.0 kB" in listed[0]
    assert listed[1].endswith("setup.exe  (a program)")
    bob.write(f"download {ids[0]}", 'download "two words.txt" out/', "download setup.exe", "download empty out/none")
    saved = sorted(bob.until_text(" is saved as ") for _ in range(4))
    assert saved[0] == f"empty (0 bytes) is saved as {folder / 'out/none'}."
    assert saved[2].startswith(f"setup.exe (1.0 kB) is saved as {folder / 'setup (1).exe'}. It is a program")
    assert (folder / "harbour (1).bin").read_bytes() == (folder / "harbour.bin").read_bytes()
    assert (folder / "out/two words.txt").read_text() == "two words"
    assert (folder / "setup (1).exe").read_bytes() == (folder / "setup.exe").read_bytes()
    assert (folder / "out/none").read_bytes() == b""
    alice.write(f"send {bob_login} two words.txt", f"history {bob_login} 1", f"files {bob_login}")
    assert alice.end() == 0, "the end of the input waits for what is on its way"
    assert any(line.endswith("with two words.txt") for line in alice.rest())
    bob.until_text("[two words.txt, 9 bytes: download ")
    assert not list(folder.rglob("*.part"))


def test_what_cannot_be_sent_or_saved_is_a_sentence(server: ServerProcess, chat: Chats, folder: Path) -> None:
    os.mkfifo(folder / "pipe")
    alice, _, bob, bob_login = two(server, chat)
    bob.until("the account")
    alice.until("the account")
    alice.write(*(f"send {bob_login} {what}" for what in ("nothing", "out", "pipe", '"open', "a\0b", "")), "send")
    for sentence in (
        "There is no file nothing.",
        "out is a folder; pack it first, with zip or tar.",
        "pipe is no file that could be sent.",
        "A quote is not closed; a path that holds ' stands in double quotes.",
        "a\0b is no path.".replace("\0", "␀"),
        "Write: send LOGIN PATH... [-- TEXT]",
        "Write: send LOGIN PATH... [-- TEXT]",
    ):
        assert alice.line() == f"Error. {sentence}"
    alice.write(f"send {bob_login}" + " empty" * 9 + " setup.exe harbour.bin")
    assert alice.until("sent")[-1].endswith("with empty, setup.exe, harbour.bin"), "each file once"
    alice.write("send nobody-of-this-name empty")
    assert "There is no such user." in alice.until_text("Error")
    alice.write("download nothing", "download empty out/none/", "download empty harbour.bin", "download empty a\0b")
    refused = [alice.line() for _ in range(4)]
    assert "Error. There is no folder out/none." in refused
    assert "Error. harbour.bin exists already; choose another name." in refused
    assert "Error. a␀b is no path." in refused
    assert any("It is no longer on the server, or not for you." in line for line in refused)
    alice.write("accept-file", "accept-file 99", "offers", f"offer {bob_login} nothing", "offer nobody-here empty")
    assert alice.line() == "Error. No file is offered to you."
    assert alice.line() == "Error. No file of the number 99 is offered to you."
    assert alice.line() == "no file is on its way"
    assert alice.line() == "Error. There is no file nothing."
    assert "There is no such user." in alice.line()
    alice.write(f"message {bob_login} still here")
    bob.until_text("still here")


def test_a_file_is_offered_and_taken_or_not(server: ServerProcess, chat: Chats, folder: Path) -> None:
    """Rows: M49, M50, M51, M52, M54, M57 (partly), M58 (partly), X18 (partly)."""
    alice, alice_login, bob, bob_login = two(server, chat)
    bob.until("the account")
    alice.write(f"offer {bob_login} setup.exe")
    assert (
        alice.until_text("is asked") == f"{bob_login} is asked to take setup.exe (1.0 kB); cancel-file 1 takes it back."
    )
    offered = bob.until_text("offers you")
    assert offered.startswith(
        f"{alice_login} offers you setup.exe (1.0 kB): accept-file 1, or refuse-file 1. It is a pro"
    )
    bob.write("accept-file 1 out/")
    assert f"is saved as {folder / 'out/setup.exe'}." in bob.until_text("saved")
    alice.until_text(f"{bob_login} has setup.exe (1.0 kB) now.")
    assert (folder / "out/setup.exe").read_bytes() == (folder / "setup.exe").read_bytes()
    alice.write(f"offer {bob_login} harbour.bin")
    bob.until_text("offers you")
    bob.write("refuse-file")
    bob.until("harbour.bin (700.0 kB) is refused.")
    alice.until(f"{bob_login} does not want harbour.bin")
    alice.write(f"offer {bob_login} empty")
    bob.until_text("offers you empty")
    alice.write("offers", "cancel-file")
    bob.until(f"{alice_login} has stopped empty (0 bytes).")
    alice.until(f"Stopped: empty (0 bytes). {bob_login} is told.")
    alice.write(f"offer {bob_login} empty")
    bob.until_text("offers you empty")
    bob.write("accept-file out/other")
    bob.until("Error. No file of the number out/other is offered to you.")
    alice.process.kill()
    assert bob.end() == 0


def test_with_json_a_transfer_is_an_object_of_constant_keys(server: ServerProcess, chat: Chats, folder: Path) -> None:
    """Rows: M50 (partly), M55 (partly), M57 (partly)."""
    alice, _, _, bob_login = two(server, chat, "--json")
    alice.write(f"send {bob_login} harbour.bin")
    found = transfer(alice, stage="moving")
    assert (found["way"], found["name"], found["bytes"], found["done"]) == ("upload", "harbour.bin", 700_000, 0)
    found = transfer(alice, stage="done")
    assert alice.packet("MESSAGE-SENT")["files"][0]["id"] == found["id"]
    alice.write(f"files {bob_login}")
    (message,) = alice.packet("HISTORY-GET-OK")["messages"]
    assert message["files"][0]["bytes"] == 700_000
    assert message["files"][0].keys() >= {"id", "name", "bytes", "sha256"}
    alice.write("files", f"download {found['id']} out/x")
    assert alice.packet("FILE")["file"] == message["files"][0]
    assert transfer(alice, way="download", stage="done")["path"] == str(folder / "out/x")
    with newcomer(server.port, "carol") as carol:
        asked = carol.ask("SEND-FILE-PROXY", to=alice_of(alice), filename="../a\u202egnp.exe", size=5)
        offered = transfer(alice, stage="asked")
        assert (offered["name"], offered["warning"], offered["id"]) == ("agnp.exe", "program", asked["transfer-id"])
        alice.write(f"accept-file {offered['id']}")
        url = carol.expect("SEND-FILE-PROXY-OK")["url"]
        assert transfer(alice, stage="moving")["path"] == str(folder / "agnp.exe")
        assert http_request(server.port, "PUT", url, b"hello", Upload_Offset="0").status == 200
        assert transfer(alice, stage="done")["done"] == 5
        assert (folder / "agnp.exe").read_text() == "hello", "its sender has said no SHA-256, the server has"
        carol.ask("SEND-FILE-PROXY", to=alice_of(alice), filename="late", size=5)
        offered = transfer(alice, stage="asked")
        alice.write("offers", f"accept-file {offered['number']}")
        assert transfer(alice, stage="asked") == offered
        transfer(alice, stage="moving")
        carol.send("SEND-FILE-PROXY-CANCEL", **{"transfer-id": offered["id"]})
        assert transfer(alice, stage="cancelled")["code"] == "withdrawn"
    alice.write(f"offer {bob_login} nothing")
    assert alice.packet("ERROR")["reason"] == "There is no file nothing."
    assert alice.end() == 0


def alice_of(chat: Chat) -> str:
    """The login of a terminal."""
    return str(chat.process.args[-1]).partition("@")[0]  # type: ignore[index]


def test_ctrl_c_stops_what_is_on_its_way_and_then_the_terminal(
    server: ServerProcess, chat: Chats, folder: Path
) -> None:
    with (folder / "huge").open("wb") as file:
        file.truncate(1_500_000_000)
    alice, _, bob, bob_login = two(server, chat)
    alice.until("the account")
    bob.until("the account")
    alice.write(f"send {bob_login} huge -- never seen")
    alice.until("1: Sending huge")
    alice.process.send_signal(signal.SIGINT)
    assert alice.line().startswith("Stopped: huge (1.5 GB). Nothing was sent;")
    alice.write(f"message {bob_login} and on it goes")
    assert bob.until_text("").endswith(": and on it goes")
    alice.process.send_signal(signal.SIGINT)
    assert alice.wait() == 130


def test_a_line_that_breaks_is_told_and_gone_on_with(server: ServerProcess, chat: Chats, folder: Path) -> None:
    """Rows: X18 (partly)."""

    async def scenario() -> None:
        async with Line(server.port) as line:
            alice = Chat(chat.state, line.port, unique("alice"), "--register", "--json")
            try:
                with newcomer(server.port, "bob") as bob:
                    await asyncio.to_thread(alice.packet, "REPLAY-END")
                    line.breaks = [400_000]
                    alice.write(f"send {bob.login} harbour.bin")
                    while not (await asyncio.to_thread(transfer, alice, stage="moving"))["trouble"]:
                        pass
                    await asyncio.to_thread(transfer, alice, stage="done")
                    assert (await asyncio.to_thread(bob.expect, "MESSAGE"))["files"][0]["bytes"] == 700_000
            finally:
                alice.close()

    asyncio.run(scenario())


def send(server: ServerProcess, state: Path, login: str, *arguments: str | bytes) -> subprocess.CompletedProcess[str]:
    """One `veche send`."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "veche.cli.main", "send", "--state-dir", str(state)),
            *("--fingerprint", server.fingerprint, f"{login}@127.0.0.1:{server.port}", *arguments),
        ],
        env={**os.environ, "VECHE_PASSWORD": "a password"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_one_command_sends_files(server: ServerProcess, tmp_path: Path, folder: Path, alice: Wire, bob: Wire) -> None:
    """Rows: M48 (partly), M58 (partly)."""
    Path(os.fsdecode(b"caf\xe9.txt")).write_text("not UTF-8")
    done = send(server, tmp_path / "s", alice.login, bob.login, "harbour.bin", b"caf\xe9.txt", "--text", "both")
    assert (done.returncode, done.stderr) == (0, "")
    message = bob.expect("MESSAGE")
    assert done.stdout == f"sent {message['id']}\n"
    assert message["text"] == "both"
    assert [(one["name"], one["bytes"]) for one in message["files"]] == [("harbour.bin", 700_000), ("caf.txt", 9)]
    for arguments, code, sentence in (
        (("nobody-of-this-name", "empty"), 1, "There is no such user."),
        ((bob.login, "out"), 1, "out is a folder; pack it first, with zip or tar. Nothing was sent."),
    ):
        done = send(server, tmp_path / "s", alice.login, *arguments)
        assert done.returncode == code
        assert f"veche send: {sentence}" in done.stderr


@pytest.fixture
def terminal(tmp_path: Path, folder: Path) -> Iterator[Terminals]:
    terminals = Terminals(tmp_path / "state")
    yield terminals
    terminals.close()


def test_files_on_the_screen(server: ServerProcess, terminal: Terminals, bob: Wire, folder: Path) -> None:
    """Rows: M48 (partly), M50 (partly), M52 (partly), M54 (partly), M58 (partly), T39 (partly)."""
    screen, login = terminal.registered(server)
    screen.enter("/send empty")
    screen.until_shown("Open a conversation first")
    screen.type(f"\x03/to {bob.login}\r")
    screen.until_shown(f"{bob.login}>")
    screen.type("/send har\t")
    screen.until_shown("/send harbour.bin")
    screen.enter(" setup.exe -- look at this")
    lines = screen.until_shown("[2] setup.exe  1.0 kB  /download 2")
    assert any("[1] harbour.bin  700.0 kB  /download 1" in line for line in lines)
    assert any("It is a program, which could harm this computer." in line for line in lines)
    sent = bob.expect("MESSAGE")
    bob.say(login, "", files=[upload(bob, server.port, "nothing but\u202egnp.exe\x1b[2J", b"x" * 2_100_000)])
    lines = screen.until_shown("[3]")
    assert any(f"{bob.login} " in line and "[3] nothing butgnp.exe[2J  2.1 MB" in line for line in lines)
    screen.enter("/download 2 out/")
    screen.until_shown("setup.exe (1.0 kB) is saved as")
    assert (folder / "out/setup.exe").stat().st_size == sent["files"][1]["bytes"]
    screen.enter("/files")
    screen.until_shown("[1]  20")
    screen.enter("/download 9")
    screen.until_shown("There is no file 9 here")
    screen.until_shown("> /download 9")
    screen.type("\x03/offer setup.exe\r")
    screen.until_shown(f"{bob.login} is asked to take setup.exe  1.0 kB")
    asked = bob.until("SEND-FILE-PROXY-REQUEST")[-1]
    bob.ask("SEND-FILE-PROXY-REJECT", **{"transfer-id": asked["transfer-id"]})
    screen.until_shown(f"{bob.login} does not want setup.exe")
    screen.until_gone("is asked to take")


def test_what_is_on_its_way_has_a_line_of_the_screen(server: ServerProcess, terminal: Terminals, folder: Path) -> None:
    """Rows: M50 (partly), M51 (partly), M57 (partly)."""
    with newcomer(server.port, "bob") as bob:
        screen, login = terminal.registered(server)
        bells = screen.screen.bells
        asked = bob.ask("SEND-FILE-PROXY", to=login, filename="film.mkv", size=3_000_000)
        screen.until_shown(f"↓ {bob.login} offers film.mkv  3.0 MB")
        assert screen.screen.bells > bells
        screen.enter("/accept-file 1 out")
        url = bob.expect("SEND-FILE-PROXY-OK")["url"]
        part = os.urandom(1_500_000)

        def half() -> Iterator[bytes]:
            yield part
            screen.until_shown(" %")
            screen.until_shown("Ctrl-C stops film.mkv")
            screen.type("\x03")
            screen.until_shown("Stopped: film.mkv (3.0 MB).")

        with suppress(OSError):  # the server hangs up on what nobody takes
            http_request(server.port, "PUT", url, half(), Upload_Offset="0", Content_Length="3000000")
        assert bob.until("SEND-FILE-PROXY-CANCELLED")[-1]["transfer-id"] == asked["transfer-id"]
        screen.until_gone(" %")
        assert list((folder / "out").iterdir()) == []
        screen.enter("/quit")
        assert screen.wait() == 0


def upload(wire: Wire, port: int, name: str, data: bytes) -> str:
    """Put a file on the server; returns its id."""
    asked = wire.ask("FILE-UPLOAD", name=name, bytes=len(data))
    assert http_request(port, "PUT", asked["url"], data, Upload_Offset="0").status == 200
    return asked["id"]


def test_what_an_administrator_tells_everyone_is_shown_and_stays(
    own_server: ServerProcess, terminal: Terminals, chat: Chats
) -> None:
    with Wire(own_server.port) as root:
        root.register("root", code=setup_code(own_server))
        root.connect("root")
        plain = chat(own_server, "bob", "--register")
        plain.until("the account")
        screen, _ = terminal.registered(own_server)
        root.ask("ADMIN-ANNOUNCE", text="Tea at\x1b[2J five.")
        assert plain.line().startswith("announcement of root, 20")
        screen.until_shown("root tells everyone: Tea at␛[2J five.")
        screen.enter("/to bob")
        screen.until_shown("bob>")
        root.ask("ADMIN-ANNOUNCE", text="Tea at six.")
        screen.until_shown("Tea at six.")
        assert plain.until("announcement")[-1].endswith(": Tea at six.")
        screen.enter("/home")
        screen.until_shown("root tells everyone: Tea at six.")
        plain.end()
        later = chat(own_server, "bob", "--json")
        assert later.packet("SNAPSHOT")["announcement"]["text"] == "Tea at six."
        root.ask("ADMIN-ANNOUNCE", text="")
        assert later.packet("ANNOUNCEMENT")["text"] == ""
        screen.until_gone("Tea at six.")
