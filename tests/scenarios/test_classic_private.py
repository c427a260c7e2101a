"""Private sessions at real terminals of the classic profile: from device to device, by consent each time."""

from __future__ import annotations

import signal
import sys
import time

import psutil
import pytest

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are POSIX", allow_module_level=True)

from tests.support.classic import Classroom, Seat, room

__all__ = ["room"]

QUESTION = "{} would like to private message, enter y or n: "


def start(asker: Seat, name: str, asked: Seat, other: str) -> None:
    """`name` asks `other` for a session, who says yes."""
    asker.type(f"startprivate {other}").sees(f"Start private messaging with {other}")
    asked.shows(QUESTION.format(name)).type("y")
    asker.sees(f"{other} accepts private messaging")


def test_a_session_goes_from_terminal_to_terminal_and_the_server_has_no_part_in_it(room: Classroom) -> None:
    """The server stands still while they talk, and the port where one listened is not its own.

    Rows: T42 (partly), T43, T48, T49.
    """
    hans, luke = room.start().enter_all("hans", "luke")
    start(hans, "hans", luke, "luke")
    ports = {
        connection.laddr.port
        for seat in (hans, luke)
        for connection in psutil.Process(seat.process.pid).net_connections("tcp")
        if connection.raddr and connection.raddr.port != room.port
    }
    assert len(ports) == 2
    assert room.port not in ports
    assert room.process is not None
    room.process.send_signal(signal.SIGSTOP)
    try:
        hans.type("private luke hey   dude, {this} is ours")
        luke.sees("hans(private): hey   dude, {this} is ours").type("private hans hello man")
        hans.sees("luke(private): hello man")
    finally:
        room.process.send_signal(signal.SIGCONT)


def test_who_says_no_is_told_to_have_said_so(room: Classroom) -> None:
    """Rows: T44, X22 (partly)."""
    hans, luke = room.start().enter_all("hans", "luke")
    hans.type("startprivate luke").sees("Start private messaging with luke")
    luke.shows(QUESTION.format("hans")).type("n")
    hans.sees("luke declines private messaging")
    assert hans.answers("private luke hey") == ["Error. Private messaging to luke not enabled"]
    assert luke.answers("whoelse") == ["hans"]


def test_who_is_blocked_cannot_ask_and_nobody_is_asked(room: Classroom) -> None:
    """Rows: T45."""
    hans, luke = room.start().enter_all("hans", "luke")
    assert luke.answers("block hans") == ["hans is blocked"]
    hans.type("startprivate luke").sees("Error. Private messaging can't start because user is blocked")
    luke.does_not_see(QUESTION.format("hans"))
    assert luke.row == ""


def test_nobody_can_be_asked_who_is_not_there(room: Classroom) -> None:
    """Rows: T46."""
    hans = room.start().enter("hans")
    for line, answer in (
        ("startprivate luke", "Error. luke is offline"),
        ("startprivate bob", "Error. Invalid user"),
        ("startprivate hans", "Error. Cannot start private messaging with self"),
        ("startprivate", "Error. Usage: startprivate <user>"),
        ("startprivate luke now", "Error. Usage: startprivate <user>"),
        ("stopprivate", "Error. Usage: stopprivate <user>"),
        ("startprivate a@b@c", "Error. Invalid user"),
        ("startprivate " + "x" * 300, "Error. Invalid user"),
    ):
        hans.type(line).sees(line, answer)


def test_the_question_takes_over_a_half_typed_line_and_gives_it_back(room: Classroom) -> None:
    """Rows: T47."""
    hans, yoda, luke = room.start().enter_all("hans", "yoda", "luke")
    luke.press("message yoda I was ").shows("message yoda I was ")
    hans.type("startprivate luke").sees("Start private messaging with luke")
    luke.shows(QUESTION.format("hans")).type("message yoda n")  # an answer that is none is no command either
    luke.sees(QUESTION.format("hans") + "message yoda n").shows(QUESTION.format("hans"))
    hans.type("message luke Well?")
    luke.sees("hans: Well?").shows(QUESTION.format("hans")).type("Y")
    hans.sees("luke accepts private messaging")
    luke.shows("message yoda I was ").press("asked\r")
    yoda.sees("luke: I was asked").does_not_see("luke: n")
    hans.type("private luke Good")
    luke.sees("hans(private): Good")


def test_two_questions_are_answered_one_after_the_other(room: Classroom) -> None:
    """Rows: T47 (partly), T57 (partly)."""
    hans, yoda, luke = room.start().enter_all("hans", "yoda", "luke")
    luke.press("half").shows("half")
    hans.type("startprivate luke").sees("Start private messaging with luke")
    luke.shows(QUESTION.format("hans"))
    yoda.type("startprivate luke").sees("Start private messaging with luke")
    luke.type("y").shows(QUESTION.format("yoda")).type("y")
    luke.shows("half").press("\x15")
    hans.sees("luke accepts private messaging")
    yoda.sees("luke accepts private messaging")
    for seat, name in ((hans, "hans"), (yoda, "yoda")):
        seat.type(f"private luke I am {name}")
        luke.sees(f"{name}(private): I am {name}").type(f"private {name} You are {name}")
        seat.sees(f"luke(private): You are {name}")
    assert hans.answers("private yoda no") == ["Error. Private messaging to yoda not enabled"]


def test_a_question_that_nobody_asks_any_more_goes_away(room: Classroom) -> None:
    """Rows: T47 (partly), T55 (partly)."""
    hans, yoda, luke = room.start().enter_all("hans", "yoda", "luke")
    luke.press("half").shows("half")
    hans.type("startprivate luke").sees("Start private messaging with luke")
    luke.shows(QUESTION.format("hans"))
    hans.type("stopprivate luke").sees("Private messaging with luke is not started")
    luke.sees("Private messaging with hans is not started").shows("half").press("\x15")
    yoda.type("startprivate luke").sees("Start private messaging with luke")
    luke.shows(QUESTION.format("yoda"))
    yoda.type("logout").leaves()
    luke.sees("yoda logged out").shows("")
    luke.sees("Error. yoda is offline")


def test_without_a_session_there_is_nothing_private(room: Classroom) -> None:
    """Rows: T50, T51."""
    hans, luke = room.start().enter_all("hans", "luke")
    for line, answer in (
        ("private luke hey dude", "Error. Private messaging to luke not enabled"),
        ("private luke", "Error. Private messaging to luke not enabled"),
        ("private bob hey", "Error. Private messaging to bob not enabled"),
        ("private", "Error. You need to start a private session with a user first"),
        ("stopprivate luke", "Error. Private messaging to luke not enabled"),
    ):
        hans.type(line).sees(line, answer)
    start(hans, "hans", luke, "luke")
    for line in ("private", "private luke"):
        hans.type(line).sees(line, "Error. Usage: private <user> <message>")
    hans.type("startprivate luke").sees("Error. Private messaging with luke has been started already")


def test_a_peer_who_vanished_is_said_to_be_gone(room: Classroom) -> None:
    """Rows: T52."""
    hans, luke = room.start().enter_all("hans", "luke")
    start(hans, "hans", luke, "luke")
    luke.process.kill()
    hans.sees("Private messaging with luke has ended: luke is gone")
    hans.type("private luke hey dude")
    hans.sees("Error. luke is no longer at the address and port of the private session")
    luke = room.enter("luke")
    start(hans, "hans", luke, "luke")
    hans.type("private luke there you are")
    luke.sees("hans(private): there you are")


def test_a_block_does_not_cut_a_session_that_stands(room: Classroom) -> None:
    """Rows: T53."""
    hans, luke = room.start().enter_all("hans", "luke")
    start(hans, "hans", luke, "luke")
    assert luke.answers("block hans") == ["hans is blocked"]
    assert hans.answers("message luke hm") == ["Your message could not be delivered as the recipient has blocked you"]
    hans.type("private luke still here")
    luke.sees("hans(private): still here").type("private hans indeed")
    hans.sees("luke(private): indeed")


@pytest.mark.parametrize("who", ["asker", "asked"])
def test_either_side_ends_a_session_and_the_other_is_told(room: Classroom, who: str) -> None:
    """Rows: T54."""
    hans, luke = room.start().enter_all("hans", "luke")
    start(hans, "hans", luke, "luke")
    ends, name, other, peer = (hans, "hans", luke, "luke") if who == "asker" else (luke, "luke", hans, "hans")
    ends.type(f"stopprivate {peer}").sees(f"Private messaging with {peer} is stopped")
    other.sees(f"{name} has stopped private messaging")
    for seat, to in ((ends, peer), (other, name)):
        assert seat.answers(f"private {to} hey") == [f"Error. Private messaging to {to} not enabled"]
        assert seat.answers(f"stopprivate {to}") == [f"Error. Private messaging to {to} not enabled"]
    pids = [seat.process.pid for seat in (hans, luke)]
    for pid in pids:
        connections = psutil.Process(pid).net_connections("tcp")
        assert [
            one for one in connections if one.raddr and one.raddr.port != room.port and one.status != "TIME_WAIT"
        ] == []


def test_after_one_session_comes_another(room: Classroom) -> None:
    """Rows: T57."""
    hans, yoda, luke = room.start().enter_all("hans", "yoda", "luke")
    start(hans, "hans", luke, "luke")
    hans.type("private luke one")
    luke.sees("hans(private): one")
    hans.type("message yoda two").type("private luke three").type("broadcast four")
    yoda.sees("hans: two", "hans: four")
    luke.wait_for(lambda: {"hans(private): three", "hans: four"} <= set(luke.rows))
    assert sorted(hans.answers("whoelse")) == ["luke", "yoda"]
    hans.type("stopprivate luke").sees("Private messaging with luke is stopped")
    luke.sees("hans has stopped private messaging")
    start(hans, "hans", yoda, "yoda")
    hans.type("private yoda five")
    yoda.sees("hans(private): five")
    start(luke, "luke", hans, "hans")
    luke.type("private hans six")
    hans.sees("luke(private): six").type("private yoda seven")
    yoda.sees("hans(private): seven")


def test_who_logs_out_ends_the_session(room: Classroom) -> None:
    """Rows: T55 (partly)."""
    hans, luke = room.start().enter_all("hans", "luke")
    start(hans, "hans", luke, "luke")
    hans.type("logout")
    assert hans.leaves() == 0
    luke.wait_for(lambda: {"hans logged out", "Private messaging with hans has ended"} <= set(luke.rows))
    assert luke.answers("private hans hey") == ["Error. Private messaging to hans not enabled"]


def test_who_is_idle_ends_the_session_and_who_talks_privately_is_not_idle(room: Classroom) -> None:
    """Rows: T55, T56, T17."""
    timeout_s = 4
    room.start(timeout=timeout_s)
    hans, luke = room.enter_all("hans", "luke")
    start(hans, "hans", luke, "luke")
    began = time.monotonic()
    while time.monotonic() < began + timeout_s + 1:  # both give private commands only
        hans.type("private luke tick")
        luke.sees("hans(private): tick").type("private hans tock")
        hans.sees("luke(private): tock")
        time.sleep(0.3)
    while not hans.has_left:  # he only hears
        luke.type("private hans tick")
        time.sleep(0.3)
    assert hans.leaves() == 0
    hans.sees("You were logged out: no command came for too long.")
    luke.wait_for(lambda: {"hans logged out", "Private messaging with hans has ended"} <= set(luke.rows))
    assert luke.answers("whoelse") == []
