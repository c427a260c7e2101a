"""The classic profile at real terminals: server.py and client.py, started by their paths from other folders."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are POSIX", allow_module_level=True)

from tests.support.classic import ENVIRONMENT, ROOT, SAMPLE, SYSTEM_PYTHON, WELCOME, Classroom, room

__all__ = ["room"]

LOGGED_OUT = "You were logged out: no command came for too long."


def run(script: str, *words: str, folder: Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run one of the two programs without a terminal."""
    return subprocess.run(
        [SYSTEM_PYTHON, ROOT / script, *words],
        cwd=folder,
        env=ENVIRONMENT,
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
    )


# -- starting


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["4000"],
        ["4000", "60"],
        ["4000", "60", "120", "5"],
        ["4000", "60", "two"],
        ["4000", "60", "-1"],
        ["4000", "60", "0"],
        ["4000", "60.5", "120"],
        ["0", "60", "120"],
        ["65536", "60", "120"],
        ["4000", "60", "9" * 30],
    ],
)
def test_the_server_wants_three_numbers(words: list[str], room: Classroom) -> None:
    """And does with them, in every other test.  Rows: T01."""
    done = run("server.py", *words, folder=room.folder)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("usage: server.py <server_port> <block_duration> <timeout> [-d]")


@pytest.mark.parametrize("words", [[], ["x"], ["127.0.0.1", "x"], ["127.0.0.1", "4000", "5"], ["0"], ["70000"]])
def test_the_terminal_wants_a_port(words: list[str], tmp_path: Path) -> None:
    """Rows: T04 (partly)."""
    done = run("client.py", *words, folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "usage: client.py [<server_ip>] <server_port>\n"


def test_with_d_the_server_says_what_happens_and_else_nothing(room: Classroom) -> None:
    """Rows: T01 (partly), T40, T61 (partly)."""
    room.start(60, 120)
    yoda = room.enter("yoda")
    yoda.type("whatsthetime").sees("Error. Invalid command").type("logout")
    assert yoda.leaves() == 0
    assert yoda.rows == [
        *("Username: yoda", "Password: wise@!man", WELCOME),
        *("whatsthetime", "Error. Invalid command", "logout"),
    ]
    assert room.stop() == (0, "", "")
    room.start(60, 120, "-d")
    room.sit().log_in("yoda", "wrong").sees("Invalid Password. Please try again")
    code, out, err = room.stop()
    assert (code, out) == (0, "")
    assert f":{room.port} " in err
    assert "login.refused" in err


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "There is no credentials.txt"), ("hans falcon*solo\nyoda\n", "credentials.txt, line 2: ")],
)
def test_a_server_without_good_credentials_says_so_in_one_sentence(
    room: Classroom, content: str | None, why: str
) -> None:
    """Rows: T02 (partly)."""
    room.credentials.unlink()
    if content is not None:
        room.credentials.write_text(content)
    done = run("server.py", "4000", "60", "120", folder=room.folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert why in done.stderr
    assert done.stderr.count("\n") == 1
    assert room.credentials.exists() == (content is not None)


def test_a_port_that_is_in_use_is_said(room: Classroom) -> None:
    """Rows: T01 (partly)."""
    room.start()
    done = run("server.py", str(room.port), "60", "120", folder=room.folder)
    assert done.returncode == 1
    assert "is in use" in done.stderr


def test_without_the_libraries_one_line_says_what_to_do(tmp_path: Path) -> None:
    for script in ("server.py", "client.py"):
        (tmp_path / script).write_text((ROOT / script).read_text())
    for script in ("server.py", "client.py"):
        done = subprocess.run([SYSTEM_PYTHON, tmp_path / script, "4000"], capture_output=True, text=True, cwd="/")
        assert done.returncode == 1
        assert done.stderr == f"Veche is not set up yet. Run once: python3 {tmp_path / 'dev.py'} setup\n"


def test_everybody_of_the_sample_logs_in(room: Classroom) -> None:
    """And somebody with every sign in the password; with the server's address and without.  Rows: T02, T04."""
    everybody = {**SAMPLE, "jaba": "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/aZ09"}
    with room.credentials.open("a") as file:
        file.write(f"jaba {everybody['jaba']}\n")
    room.start()
    for number, (name, password) in enumerate(everybody.items()):
        seat = room.sit(words=["127.0.0.1", str(room.port)] if number % 2 else [str(room.port)])
        seat.log_in(name, password).sees(WELCOME)
    assert {*room.seats[-1].answers("whoelse"), "jaba"} == set(everybody)


def test_an_address_that_is_not_of_this_machine_is_spoken_to_by_tls(room: Classroom) -> None:
    """127.1 is this machine, but the terminal does not know it.  Rows: T04 (partly)."""
    yoda = room.start().sit(words=["127.1", str(room.port)])
    yoda.log_in("yoda", SAMPLE["yoda"]).sees(WELCOME)


def test_a_terminal_without_a_server_says_so(tmp_path: Path) -> None:
    done = run("client.py", "1", folder=tmp_path)
    assert done.returncode == 3
    assert done.stderr == "Nobody listens at 127.0.0.1:1. Is the server running?\n"


# -- logging in


def test_names_are_told_apart_by_case(room: Classroom) -> None:
    """And passwords.  Rows: T03."""
    yoda = room.start().enter("yoda")
    other = room.sit()
    other.asks("Username: ").type("Yoda")
    other.asks("This is a new user. Enter a password: ").type("Wise@!man")
    other.sees(WELCOME).type("message yoda Are you me?")
    yoda.sees("Yoda logged in", "Yoda: Are you me?").type("message Yoda No")
    other.sees("yoda: No").type("logout").leaves()
    room.sit().log_in("Yoda", "wise@!man").sees("Invalid Password. Please try again")
    room.enter("Yoda", "Wise@!man")


def test_nobody_is_logged_in_twice(room: Classroom) -> None:
    """Rows: T14, X05 (partly)."""
    yoda = room.start().enter("yoda")
    early = room.sit()
    early.asks("Username: ").type("hans")
    early.asks("Password: ")
    second = room.sit()
    second.asks("Username: ").type("yoda")
    second.sees("Error. yoda is already logged in")
    second.log_in("hans", SAMPLE["hans"]).sees(WELCOME)
    yoda.sees("hans logged in")
    early.type(SAMPLE["hans"]).sees("Error. hans is already logged in")  # who was asked for the password before
    early.asks("Username: ").type("luke")
    yoda.type("logout").leaves()
    early.asks("Password: ").type(SAMPLE["luke"])
    early.sees(WELCOME)
    room.enter("yoda")


def test_empty_answers_are_asked_again(room: Classroom) -> None:
    """Rows: T15."""
    seat = room.start().sit()
    seat.asks("Username: ").type("")
    seat.sees("Username: ").asks("Username: ").type("   ")
    seat.sees("Username:    ").asks("Username: ").type("yoda")
    seat.asks("Password: ").type("")
    seat.sees("Password: ").asks("Password: ").type("wise@!man")
    seat.sees(WELCOME)
    new = room.sit()
    new.asks("Username: ").type("jaba")
    question = "This is a new user. Enter a password: "
    new.asks(question).type("")
    new.sees(question).asks(question).type("long tongue")
    new.sees("Error. A password has no spaces and no invisible characters").asks(question).type("longtongue")
    new.sees(WELCOME)


def test_a_name_that_cannot_be_is_refused_and_asked_again(room: Classroom) -> None:
    seat = room.start().sit()
    seat.asks("Username: ").type("ja ba")
    seat.wait_for(lambda: any("A name" in row for row in seat.rows)).asks("Username: ").type("yoda")
    seat.asks("Password: ")
    assert room.credentials.read_text().count("\n") == 10


def test_a_new_user_stays_when_the_server_is_started_again_and_messages_do_not(room: Classroom) -> None:
    """Rows: T07 (partly), T41 (partly)."""
    room.credentials.write_text(room.credentials.read_text().removesuffix("\n"))
    room.start()
    jaba = room.sit()
    jaba.asks("Username: ").type("jaba")
    jaba.asks("This is a new user. Enter a password: ").type("longtongue")
    jaba.sees(WELCOME)
    assert jaba.answers("message yoda Here I am") == []
    assert jaba.answers("block hans") == ["hans is blocked"]
    assert room.credentials.read_text().splitlines()[-2:] == ["palpatine darkside_%$run", "jaba longtongue"]
    room.stop()
    assert jaba.sees("The server is stopping.").leaves() == 1
    room.start()
    yoda = room.enter("yoda")
    hans = room.enter("hans")
    room.enter("jaba", "longtongue")
    yoda.sees("hans logged in").does_not_see("jaba: Here I am")
    hans.sees("jaba logged in")


def test_an_account_that_cannot_be_saved_is_none(room: Classroom) -> None:
    """Rows: T07 (partly)."""
    room.start()
    before = room.credentials.read_text()
    room.credentials.unlink()
    jaba = room.sit()
    jaba.asks("Username: ").type("jaba")
    jaba.asks("This is a new user. Enter a password: ").type("longtongue")
    jaba.sees("Error. The account could not be saved: No such file or directory. There is none")
    room.credentials.write_text(before)
    jaba.asks("Username: ").type("jaba")
    jaba.asks("This is a new user. Enter a password: ").type("longtongue")
    jaba.sees(WELCOME)
    assert room.credentials.read_text() == before + "jaba longtongue\n"


# -- activity


def test_whoever_is_idle_is_logged_out_and_the_others_are_told(room: Classroom) -> None:
    """Rows: T16, T18."""
    room.start(timeout=4)
    yoda = room.enter("yoda")
    hans = room.enter("hans")
    yoda.sees("hans logged in")
    while not yoda.has_left:
        hans.answers("message yoda Wake up")
        time.sleep(0.2)  # for him nothing but time passes
    assert yoda.leaves() == 0
    yoda.sees("hans: Wake up", LOGGED_OUT)
    hans.wait_for(lambda: "yoda logged out" in hans.rows)


# -- who is there


def test_presence_is_told_but_not_to_whom_one_blocks(room: Classroom) -> None:
    """Rows: T20, T21, T34 (partly)."""
    hans, yoda, luke = room.start().enter_all("hans", "yoda", "luke")
    assert yoda.answers("block hans") == ["hans is blocked"]
    yoda.type("logout").leaves()
    luke.sees("yoda logged out")
    hans.does_not_see("yoda logged out")
    yoda = room.enter("yoda")  # the block has outlived the logout
    luke.sees("yoda logged in")
    assert hans.answers("whoelse") == ["luke"]
    assert hans.rows.count("yoda logged in") == 1
    hans.type("logout").leaves()
    yoda.sees("hans logged out")  # a block goes one way


def test_a_terminal_that_vanishes_has_logged_out(room: Classroom) -> None:
    """Rows: T20 (partly)."""
    hans, yoda = room.start().enter_all("hans", "yoda")
    yoda.process.kill()
    hans.sees("yoda logged out")


# -- messages


def test_a_message_keeps_the_spaces_in_it(room: Classroom) -> None:
    """Rows: T26."""
    hans, yoda = room.start().enter_all("hans", "yoda")
    hans.type("message yoda Hey   Dude,  what's {up}?  \\o/ вече 日本")
    yoda.sees("hans: Hey   Dude,  what's {up}?  \\o/ вече 日本")


def test_a_message_to_nobody_to_oneself_and_of_nothing(room: Classroom) -> None:
    """Rows: T27."""
    hans = room.start().enter("hans")
    assert hans.answers("message bob party time") == ["Error. Invalid user"]
    assert hans.answers("message hans party time") == ["Error. Cannot message self"]
    for wrong in ("message", "message yoda", "message yoda  "):
        assert hans.answers(wrong) == ["Error. Usage: message <user> <message>"]


def test_messages_wait_for_who_is_away_in_their_order(room: Classroom) -> None:
    """And a block outlives a logout.  Rows: T29, T60."""
    hans, yoda = room.start().enter_all("hans", "yoda")
    for number in range(5):
        assert hans.answers(f"message luke {number} of hans") == []
        assert yoda.answers(f"message luke {number} of yoda") == []
    luke = room.enter("luke")
    waited = [f"{name}: {number} of {name}" for number in range(5) for name in ("hans", "yoda")]
    luke.sees(*waited)
    assert luke.since(WELCOME)[:10] == waited
    assert hans.answers("message luke And one that comes at once") == []
    luke.sees("hans: And one that comes at once")
    assert luke.answers("block yoda") == ["yoda is blocked"]
    luke.type("logout").leaves()
    hans.sees("luke logged out")
    assert hans.answers("message luke And another") == []
    assert yoda.answers("message luke Hm?") == ["Your message could not be delivered as the recipient has blocked you"]
    luke = room.enter("luke")
    luke.sees("hans: And another").marker()
    assert luke.since(WELCOME)[0] == "hans: And another"  # what was delivered does not come again


def test_a_broadcast_goes_to_who_is_there_and_waits_for_nobody(room: Classroom) -> None:
    """Rows: T30, T32 (partly)."""
    hans, yoda, luke = room.start().enter_all("hans", "yoda", "luke")
    assert hans.answers("block yoda") == ["yoda is blocked"]
    assert hans.answers("broadcast  vader is  evil") == []  # who blocks somebody speaks to them all the same
    yoda.sees("hans: vader is  evil")
    luke.sees("hans: vader is  evil")
    assert hans.answers("broadcast") == ["Error. Usage: broadcast <message>"]
    vader = room.enter("vader")
    vader.does_not_see("hans: vader is  evil")


# -- the blacklist


def test_a_block_stops_everything_that_goes_to_the_blocked_one(room: Classroom) -> None:
    """The blocked one is not told, and who is away may be blocked as well as many.

    Rows: T33, T34, T31 (partly), T28 (partly), T22, X06 (partly).
    """
    hans, yoda, luke = room.start().enter_all("hans", "yoda", "luke")
    for name in ("hans", "vader", "r2d2"):
        assert luke.answers(f"block {name}") == [f"{name} is blocked"]
    assert luke.answers("block hans") == ["hans is blocked"]
    assert hans.answers("whoelse") == ["yoda"]
    assert hans.answers("whoelsesince 1000") == ["yoda"]
    assert hans.answers("message luke Hm?") == ["Your message could not be delivered as the recipient has blocked you"]
    assert hans.answers("broadcast Hm?") == ["Your message could not be delivered to some recipients"]
    yoda.sees("hans: Hm?")
    assert luke.answers("message hans I can") == []
    hans.sees("luke: I can")
    luke.type("logout").leaves()
    yoda.sees("luke logged out")
    hans.does_not_see("luke logged out")
    assert "hans: Hm?" not in luke.rows
    luke = room.enter("luke")
    assert hans.answers("broadcast Hm?") == ["Your message could not be delivered to some recipients"]
    assert luke.answers("unblock hans") == ["hans is unblocked"]
    assert hans.answers("broadcast Hm!") == []
    luke.sees("hans: Hm!")
    assert sorted(hans.answers("whoelse")) == ["luke", "yoda"]
    assert hans.answers("message luke Hm!!") == []
    luke.sees("hans: Hm!!").type("logout").leaves()
    hans.sees("luke logged out")


def test_what_cannot_be_blocked_and_unblocked(room: Classroom) -> None:
    """Rows: T35, T36."""
    luke = room.start().enter("luke")
    assert luke.answers("block luke") == ["Error. Cannot block self"]
    assert luke.answers("block bob") == ["Error. Invalid user"]
    assert luke.answers("unblock luke") == ["Error. Cannot unblock self"]
    assert luke.answers("unblock bob") == ["Error. Invalid user"]
    assert luke.answers("unblock yoda") == ["Error. yoda was not blocked"]
    assert luke.answers("block yoda") == ["yoda is blocked"]
    assert luke.answers("unblock yoda") == ["yoda is unblocked"]
    assert luke.answers("unblock yoda") == ["Error. yoda was not blocked"]
    for word in ("block", "unblock"):
        for wrong in (word, f"{word} yoda hans"):
            assert luke.answers(wrong) == [f"Error. Usage: {word} <user>"]


# -- leaving, and what is no command


@pytest.mark.parametrize("word", ["logout", "quit"])
def test_who_logs_out_is_gone_and_the_others_are_told(room: Classroom, word: str) -> None:
    """Rows: T37, T13."""
    hans, yoda = room.start().enter_all("hans", "yoda")
    yoda.type(word)
    assert yoda.leaves() == 0
    hans.sees("yoda logged out")
    assert hans.answers("whoelse") == []


def test_what_is_no_command(room: Classroom) -> None:
    """Rows: T38."""
    hans = room.start().enter("hans")
    for wrong in ("whatsthetime", "Whoelse", "WHOELSE", "messageyoda hi", "/help", "{}", "y", "\\"):
        hans.type(wrong).sees(wrong, "Error. Invalid command")
    assert hans.answers("whoelse all") == ["Error. Usage: whoelse"]
    assert hans.answers("logout now") == ["Error. Usage: logout"]
    assert hans.answers("") == []


# -- the terminal


def test_a_line_that_arrives_does_not_disturb_what_is_typed(room: Classroom) -> None:
    """Rows: T39."""
    hans, yoda = room.start().enter_all("hans", "yoda")
    yoda.press("message hans I am ty").shows("message hans I am ty")
    hans.type("message yoda Quick!").type("broadcast Quicker!")
    yoda.sees("hans: Quick!", "hans: Quicker!").shows("message hans I am ty")
    yoda.press("ping\r").sees("message hans I am typing")
    hans.sees("yoda: I am typing")
    assert yoda.since("hans: Quicker!") == ["message hans I am typing"]


def test_a_line_longer_than_the_terminal_scrolls_and_survives_what_arrives(room: Classroom) -> None:
    """Rows: T39 (partly)."""
    room.start()
    hans = room.enter("hans")
    yoda = room.sit(columns=40)
    yoda.log_in("yoda", SAMPLE["yoda"]).sees(WELCOME)
    text = "A line that is a good deal longer than forty columns are wide"
    yoda.press(f"message hans {text}").wait_for(lambda: yoda.row.endswith("are wide"))
    assert len(yoda.row) < 40
    hans.type("message yoda Quick!")
    yoda.sees("hans: Quick!").wait_for(lambda: yoda.row.endswith("are wide"))
    yoda.type("")
    hans.sees(f"yoda: {text}")


def test_what_others_write_cannot_obey_the_terminal(room: Classroom) -> None:
    """Rows: T39 (partly)."""
    hans, yoda = room.start().enter_all("hans", "yoda")
    hans.process.kill()
    yoda.sees("hans logged out")
    fake = room.wire("hans")
    fake.send("INPUT", text="message yoda \x1b[2Jgone\nyoda: I said so\u202e")
    yoda.sees("hans: ␛[2Jgone ↵ yoda: I said so<202E>")
    assert "\x1b[2J" not in yoda.raw


@pytest.mark.parametrize("way", ["logout", "ctrl-c", "ctrl-d", "SIGTERM", "SIGHUP", "server"])
def test_the_terminal_is_as_it_was_whatever_ends_it(room: Classroom, way: str) -> None:
    """Rows: T39 (partly)."""
    hans, yoda = room.start().enter_all("hans", "yoda")
    yoda.press("half").shows("half")
    assert not yoda.is_restored()
    match way:
        case "logout":
            yoda.press("\x15").type("logout")
        case "ctrl-c":
            yoda.press("\x03")
        case "ctrl-d":
            yoda.press("\x15\x04")
        case "server":
            room.stop(signal.SIGKILL)
        case _:
            yoda.process.send_signal(getattr(signal, way))
    code = {"logout": 0, "ctrl-d": 0, "server": 3}.get(way, 130)
    assert yoda.leaves() == code
    assert yoda.is_restored()
    if way == "server":
        assert yoda.rows[-2:] == ["The server has closed the connection.", "half"]
    else:
        hans.sees("yoda logged out")


def test_without_a_terminal_lines_are_read_and_the_questions_still_stand_there(room: Classroom) -> None:
    room.start()
    text = f"yoda\nwrong\nwise@!man\nwhatsthetime\nprivate hans hi\nmessage hans {'x' * 20_000}\nmessage hans Read me"
    done = run("client.py", str(room.port), folder=room.folder, text=text)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == sorted(
        [
            *("Username: ", "Password: ", "Invalid Password. Please try again", "Password: ", WELCOME),
            *("Error. Private messaging to hans not enabled", "Error. Invalid command"),
            "Error. The line is too long",
        ]
    )
    room.enter("hans").sees("yoda: Read me")


# -- the server's end


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_but_credentials_stays(room: Classroom, sign: signal.Signals) -> None:
    """Rows: T41, X04 (partly)."""
    room.start()
    yoda = room.enter("yoda")
    assert yoda.answers("message hans Remember me") == []
    (kept,) = room.temporary.iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert room.stop(sign) == (0, "", "")
    assert list(room.temporary.iterdir()) == []
    assert list(room.folder.iterdir()) == [room.credentials]
    assert yoda.leaves() == 1
