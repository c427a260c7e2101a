"""The ten transcripts of document 002, word for word, at real terminals."""

from __future__ import annotations

import sys
import time

import pytest

if sys.platform == "win32":
    pytest.skip("pseudo-terminals are POSIX", allow_module_level=True)

from tests.support.classic import WELCOME, Classroom, room

__all__ = ["room"]


def test_1_login(room: Classroom) -> None:
    """Rows: T05, T06, T08."""
    yoda = room.start().sit()
    yoda.asks("Username: ").type("yoda")
    yoda.asks("Password: ").type("wise@!man")
    yoda.sees(WELCOME)
    assert yoda.rows == ["Username: yoda", "Password: wise@!man", WELCOME]


def test_2_lockout(room: Classroom) -> None:
    """Rows: T09, T10, T11, T12, T13."""
    first = room.start(block_duration=2).sit()
    first.log_in("yoda", "wise")
    first.sees("Invalid Password. Please try again").asks("Password: ").type("wise@!")
    first.sees("Invalid Password. Please try again").asks("Password: ").type("wise")
    assert first.leaves() == 1
    assert first.rows == [
        "Username: yoda",
        "Password: wise",
        "Invalid Password. Please try again",
        "Password: wise@!",
        "Invalid Password. Please try again",
        "Password: wise",
        "Invalid Password. Your account has been blocked. Please try again later",
    ]
    second = room.sit()
    second.log_in("yoda", "wise@!man")
    assert second.leaves() == 1
    assert second.rows == [
        "Username: yoda",
        "Password: wise@!man",
        "Your account is blocked due to multiple login failures. Please try again later",
    ]
    third = room.sit()
    while True:
        third.log_in("yoda", "wise@!man")
        third.wait_for(lambda third=third: third.rows[-1] == WELCOME or third.has_left)
        if not third.has_left:
            break
        third = room.sit()
    assert third.rows == ["Username: yoda", "Password: wise@!man", WELCOME]


def test_3_new_user(room: Classroom) -> None:
    """Rows: T07."""
    before = room.credentials.read_text()
    jaba = room.start().sit()
    jaba.asks("Username: ").type("jaba")
    jaba.asks("This is a new user. Enter a password: ").type("longtongue")
    jaba.sees(WELCOME)
    assert jaba.rows == ["Username: jaba", "This is a new user. Enter a password: longtongue", WELCOME]
    assert room.credentials.read_text() == before + "jaba longtongue\n"


def test_4_whoelse_and_an_invalid_command(room: Classroom) -> None:
    """Rows: T22 (partly), T38."""
    hans, _, _ = room.start().enter_all("hans", "yoda", "luke")
    assert sorted(hans.answers("whoelse")) == ["luke", "yoda"]
    hans.type("whatsthetime").sees("whatsthetime", "Error. Invalid command")


def test_5_message(room: Classroom) -> None:
    """Rows: T26 (partly), T27 (partly)."""
    hans, yoda = room.start().enter_all("hans", "yoda")
    hans.type("message yoda Hey Dude")
    yoda.sees("hans: Hey Dude")
    hans.type("message bob party time").sees("message bob party time", "Error. Invalid user")
    assert hans.since("message yoda Hey Dude") == ["message bob party time", "Error. Invalid user"]


def test_6_broadcast(room: Classroom) -> None:
    """Rows: T30 (partly)."""
    hans, yoda, luke = room.start().enter_all("hans", "yoda", "luke")
    hans.type("broadcast vader is evil")
    yoda.sees("hans: vader is evil")
    luke.sees("hans: vader is evil")
    hans.does_not_see("hans: vader is evil")


def test_7_block_and_unblock(room: Classroom) -> None:
    """Rows: T28, T31, T33 (partly), T34 (partly), T35 (partly), T36 (partly), X06 (partly)."""
    hans, yoda, luke = room.start().enter_all("hans", "yoda", "luke")
    luke.type("block hans").sees("hans is blocked")
    assert hans.answers("broadcast I travel solo") == ["Your message could not be delivered to some recipients"]
    yoda.sees("hans: I travel solo")
    assert hans.answers("whoelse") == ["yoda"]
    assert hans.answers("message luke You angry?") == [
        "Your message could not be delivered as the recipient has blocked you"
    ]
    assert hans.answers("block hans") == ["Error. Cannot block self"]
    assert luke.answers("unblock yoda") == ["Error. yoda was not blocked"]
    assert luke.answers("unblock hans") == ["hans is unblocked"]
    assert hans.answers("broadcast All of you again") == []
    yoda.sees("hans: All of you again")
    luke.sees("hans: All of you again").does_not_see("hans: I travel solo")


def test_8_whoelsesince(room: Classroom) -> None:
    """With seconds for the minutes of the transcript; test_classic_time.py has the minutes.  Rows: T23 (partly)."""
    room.start()
    r2d2, vader, hans, yoda, luke = room.enter_all("r2d2", "vader", "hans", "yoda", "luke")
    r2d2.type("logout").leaves()
    luke.sees("r2d2 logged out")
    r2d2_left = time.monotonic()
    time.sleep(4)  # long enough that a window of whole seconds parts the two, however slow this machine is
    vader.type("logout").leaves()
    luke.sees("vader logged out")
    vader_left = time.monotonic()
    window = int(time.monotonic() - vader_left) + 2
    assert sorted(luke.answers(f"whoelsesince {window}")) == ["hans", "vader", "yoda"]
    window = int(time.monotonic() - r2d2_left) + 2
    assert sorted(yoda.answers(f"whoelsesince {window}")) == ["hans", "luke", "r2d2", "vader"]
    hans.sees("r2d2 logged out", "vader logged out")


def test_9_offline_message_and_presence(room: Classroom) -> None:
    """Rows: T20 (partly), T29 (partly), T37 (partly)."""
    hans, yoda = room.start().enter_all("hans", "yoda")
    hans.type("message luke Let's rock").marker()
    luke = room.enter("luke")
    luke.sees("hans: Let's rock")
    assert luke.rows == ["Username: luke", "Password: light==saber", WELCOME, "hans: Let's rock"]
    hans.sees("luke logged in")
    yoda.sees("luke logged in").type("logout")
    assert yoda.leaves() == 0
    hans.sees("yoda logged out")
    luke.sees("yoda logged out")


def test_10_private(room: Classroom) -> None:
    """Rows: T42, T43 (partly), T47 (partly), T49 (partly), T50, T55 (partly), T57 (partly)."""
    hans, yoda, luke = room.start().enter_all("hans", "yoda", "luke")
    hans.type("private luke hey dude").sees("Error. Private messaging to luke not enabled")
    hans.type("startprivate luke").sees("Start private messaging with luke")
    luke.shows("hans would like to private message, enter y or n: ").type("y")
    luke.sees("hans would like to private message, enter y or n: y")
    hans.sees("luke accepts private messaging")
    hans.type("private luke hey dude")
    luke.sees("hans(private): hey dude")
    luke.type("private hans hello man")
    hans.sees("luke(private): hello man")
    hans.type("message yoda force is strong")
    yoda.sees("hans: force is strong")
    hans.type("message luke now via server")
    luke.sees("hans: now via server")
    hans.type("logout")
    assert hans.leaves() == 0
    yoda.sees("hans logged out")
    luke.sees("hans logged out")
    luke.type("private hans still there?").sees("Error. Private messaging to hans not enabled")
    assert hans.since("Welcome to the greatest messaging application ever!") == [
        "yoda logged in",
        "luke logged in",
        "private luke hey dude",
        "Error. Private messaging to luke not enabled",
        "startprivate luke",
        "Start private messaging with luke",
        "luke accepts private messaging",
        "private luke hey dude",
        "luke(private): hello man",
        "message yoda force is strong",
        "message luke now via server",
        "logout",
    ]
