"""What crosses the wire of a classic server: the thin terminal's packets, and ordinary clients beside it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from tests.support.server import ServerProcess
from tests.support.wire import ANY, Wire
from veche.packets.classic import Response

WELCOME = "Welcome to the greatest messaging application ever!"


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    path = tmp_path / "credentials.txt"
    path.write_text("hans falcon*solo\nyoda wise@!man\nYoda Wise@!man\nluke light==saber\n")
    return path


@pytest.fixture
def classic(tmp_path: Path, credentials: Path) -> Iterator[ServerProcess]:
    server = ServerProcess(tmp_path / "data", "--profile", "classic", "--credentials", str(credentials)).start()
    yield server
    assert server.stop() == 0
    assert "Traceback" not in server.logged(), server.logged()


def enter(server: ServerProcess, name: str, password: str) -> Wire:
    """The log-in of a terminal."""
    wire = Wire(server.port, tls=False)
    wire.send("CLASSIC")
    wire.expect("RESPONSE", message="Username: ", from_server=True, prompt=True)
    wire.send("INPUT", text=name)
    wire.expect("RESPONSE", message="Password: ", from_server=True, prompt=True)
    wire.send("INPUT", text=password)
    wire.expect("RESPONSE", message=WELCOME, from_server=True)
    return wire


def test_every_line_that_a_terminal_prints_is_a_response(classic: ServerProcess) -> None:
    """Rows: T59, T63, T58 (partly)."""
    hans, yoda = enter(classic, "hans", "falcon*solo"), enter(classic, "yoda", "wise@!man")
    hans.send("INPUT", text="message yoda Hey Dude")
    line = yoda.line()
    assert line is not None
    assert msgspec.json.decode(line, type=Response) == Response(message="hans: Hey Dude", from_="hans")
    assert json.loads(line) == {"type": "RESPONSE", "message": "hans: Hey Dude", "from": "hans"}
    hans.expect("RESPONSE", message="yoda logged in", from_server=True)
    hans.send("INPUT", text="logout")
    hans.expect("RESPONSE", message="", exit=0)
    assert hans.line() is None
    yoda.expect("RESPONSE", message="hans logged out", from_server=True)
    yoda.expect_nothing()


def test_commands_that_come_at_once_are_obeyed_in_their_order(classic: ServerProcess) -> None:
    """In one piece, and byte by byte.  Rows: T58 (partly)."""
    hans, yoda = enter(classic, "hans", "falcon*solo"), enter(classic, "yoda", "wise@!man")
    lines = [f"message yoda {number}" if number % 2 else f"broadcast {number}" for number in range(20)]
    data = b"".join(json.dumps({"type": "INPUT", "text": line}).encode() + b"\r\n" for line in [*lines, "logout"])
    hans.write(data[:-100])
    for number in range(len(data) - 100, len(data)):
        hans.write(data[number : number + 1])
    for number in range(20):
        yoda.expect("RESPONSE", message=f"hans: {number}", from_="hans")
    yoda.expect("RESPONSE", message="hans logged out")


def test_what_is_no_packet_is_answered_in_words_and_the_session_lives(classic: ServerProcess) -> None:
    hans = enter(classic, "hans", "falcon*solo")
    for line in (b"{", b"[]", b'{"type":"INPUT"}', b'{"type":"NO-SUCH"}', b'{"type":"INPUT","text":5}'):
        hans.write(line + b"\r\n")
        assert hans.expect("RESPONSE", from_server=True)["message"].startswith("Error. ")
    hans.send("CLASSIC")
    hans.expect("RESPONSE", message="Error. This link is logged in already")
    hans.send("PASSWORD-CHANGE", old_password="falcon*solo", password="x")
    hans.expect("RESPONSE", message="Error. Invalid command")


def test_two_hundred_people_at_once(tmp_path: Path) -> None:
    """All of them log in at once, and each hears a broadcast.  Rows: T19."""
    credentials = tmp_path / "credentials.txt"
    credentials.write_text("".join(f"pupil{number} secret{number}\n" for number in range(200)))
    server = ServerProcess(tmp_path / "data", "--profile", "classic", "--credentials", str(credentials)).start()

    async def pupil(number: int, is_last: asyncio.Barrier) -> list[str]:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        packets = [{"type": "CLASSIC"}, *({"type": "INPUT", "text": f"{what}{number}"} for what in ("pupil", "secret"))]
        writer.write(b"".join(json.dumps(packet).encode() + b"\r\n" for packet in packets))
        seen: list[str] = []
        while WELCOME not in seen:
            seen.append(json.loads(await reader.readline())["message"])
        await is_last.wait()
        if number == 0:
            writer.write(b'{"type":"INPUT","text":"broadcast All here?"}\r\n{"type":"INPUT","text":"whoelse"}\r\n')
        while (number and "pupil0: All here?" not in seen) or (not number and not everybody <= set(seen)):
            seen.append(json.loads(await reader.readline())["message"])
        await is_last.wait()
        writer.close()
        return seen

    async def play() -> None:
        async with asyncio.timeout(60):
            is_last = asyncio.Barrier(200)
            await asyncio.gather(*(pupil(number, is_last) for number in range(200)))

    everybody = {f"pupil{number}" for number in range(1, 200)}
    asyncio.run(play())
    assert server.stop() == 0


def test_a_file_of_a_hundred_thousand_accounts_is_ready_for_the_last_of_them(tmp_path: Path) -> None:
    """Rows: T02 (partly)."""
    credentials = tmp_path / "credentials.txt"
    credentials.write_text("".join(f"pupil{number} secret{number}\n" for number in range(100_000)))
    server = ServerProcess(tmp_path / "data", "--profile", "classic", "--credentials", str(credentials)).start()
    last = enter(server, "pupil99999", "secret99999")
    last.send("INPUT", text="block pupil0")
    last.expect("RESPONSE", message="pupil0 is blocked")
    assert server.stop() == 0


# -- ordinary clients


def test_an_ordinary_client_talks_to_a_terminal(classic: ServerProcess) -> None:
    """The password of the file logs in by SCRAM.  Rows: X03 (partly), X04, X05 (partly)."""
    yoda = enter(classic, "yoda", "wise@!man")
    wire = Wire(classic.port)
    wire.send("HELLO")
    assert wire.expect("HELLO", profile="classic")["registration"] == "open"
    assert wire.scram("hans", "falcon")["type"] == "CONNECT-FAILED"
    assert wire.scram("Yoda", "wise@!man")["type"] == "CONNECT-FAILED"
    hans = Wire(classic.port).connect("hans", "falcon*solo", device="laptop")
    yoda.expect("RESPONSE", message="hans logged in")
    hans.say("yoda", "Hey Dude")
    yoda.expect("RESPONSE", message="hans: Hey Dude", from_="hans")
    hans.expect("MESSAGE-DELIVERED", peer=hans.address)
    yoda.send("INPUT", text="message hans Hm")
    assert hans.until("MESSAGE")[-1]["text"] == "Hm"
    yoda.send("INPUT", text="block hans")
    yoda.expect("RESPONSE", message="hans is blocked")
    hans.send("MESSAGE", to="yoda", text="Why?", cookie="c")
    hans.expect("MESSAGE-SEND-FAILED", code="blocked", cookie="c")


def test_an_account_that_a_client_makes_stands_in_the_file(classic: ServerProcess, credentials: Path) -> None:
    """Rows: T07 (partly), M24 (partly)."""
    wire = Wire(classic.port)
    assert wire.register("jaba", "longtongue")["type"] == "REGISTER-OK"
    assert credentials.read_text().splitlines()[-1] == "jaba longtongue"
    assert wire.register("jaba", "other")["code"] == "login-taken"
    assert wire.register("leia", "two words")["code"] == "bad-request"
    wire.connect("jaba", "longtongue")
    wire.send("PASSWORD-CHANGE", old_password="longtongue", password="x")
    wire.expect("ERROR-NOT-IMPLEMENTED", request_type="PASSWORD-CHANGE")
    wire.send("ACCOUNT-DELETE", password="longtongue")
    wire.expect("ERROR-NOT-IMPLEMENTED", request_type="ACCOUNT-DELETE")
    assert len(credentials.read_text().splitlines()) == 5


def test_an_ordinary_client_is_no_second_login_either_but_may_come_back(classic: ServerProcess) -> None:
    """Rows: X05 (partly), T14 (partly)."""
    first = Wire(classic.port).connect("hans", "falcon*solo", device="laptop")
    refused = Wire(classic.port).scram("hans", "falcon*solo", device="phone")
    assert (refused["type"], refused["code"]) == ("CONNECT-FAILED", "already-logged-in")
    terminal = Wire(classic.port, tls=False)
    terminal.send("CLASSIC")
    terminal.expect("RESPONSE", message="Username: ")
    terminal.send("INPUT", text="hans")
    terminal.expect("RESPONSE", message="Error. hans is already logged in")
    terminal.expect("RESPONSE", message="Username: ", prompt=True)
    again = Wire(classic.port).connect("hans", "falcon*solo", device="laptop")  # as after a lost network
    first.expect("GOODBYE", code="replaced")
    again.expect_nothing()


def test_a_server_of_the_community_has_no_classic_terminals(server: ServerProcess) -> None:
    """Rows: X04 (partly)."""
    wire = Wire(server.port)
    for packet in ("CLASSIC", "INPUT"):
        wire.send(packet, text="hans")
        wire.expect("ERROR-NOT-IMPLEMENTED", request_type=packet)
    wire.send("HELLO")
    assert wire.expect("HELLO", version=ANY).get("profile", "community") == "community"


def test_a_classic_server_wants_a_file(tmp_path: Path) -> None:
    """Rows: T02 (partly)."""
    words = ["serve", "--profile", "classic", "--data", str(tmp_path)]
    done = subprocess.run([sys.executable, "-m", "veche.cli.main", *words], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--profile classic needs --credentials FILE" in done.stderr
