"""Conferences and calls on the screen of `veche chat`, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ServerProcess
from tests.support.terminal import Terminal, Terminals


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminals]:
    terminals = Terminals(tmp_path / "state")
    yield terminals
    terminals.close()


def friends(terminal: Terminals, server: ServerProcess, **options: object) -> tuple[Terminal, str, Terminal, str]:
    """Alice and bob, friends, each before the list of people."""
    alice, a = terminal.registered(server, "alice")
    bob, b = terminal.registered(server, "bob", **options)
    alice.enter(f"/friend add {b}")
    bob.until_shown(f"◆ {a}")
    bob.enter(f"/friend accept {a}")
    for screen, other in ((alice, b), (bob, a)):
        screen.until_shown(f"● {other}")
        screen.enter("/home")
    return alice, a, bob, b


def test_a_friend_is_joined_from_the_list_and_talks_in_the_room(server: ServerProcess, terminal: Terminals) -> None:
    """Rows: A30 (partly), A41 (partly), A57 (partly), A68 (partly), A70 (partly), X07 (partly)."""
    alice, a, bob, b = friends(terminal, server, columns=120, rows=40)
    alice.enter(f"/conference create Shed of {a}")
    alice.until_shown(f"Shed of {a}  you alone  owner you")
    alice.until_shown(f"Shed of {a}>")
    lines = bob.until_shown(f"in Shed of {a}")
    at = next(i for i, line in enumerate(lines) if line.startswith(f"  ○ Shed of {a}"))
    assert "/conference join " in lines[at + 1]
    assert lines.index("  Conferences") < at < lines.index("  Friends")
    bob.enter(f"/conference join {a}")
    bob.until_shown(f"Shed of {a}  2 people  owner {a}")
    bob.until_shown(f"{a} (owner, text), you (text)")
    alice.until_shown(f"{b} has come into Shed of {a}")
    bob.enter("good evening")
    alice.until_shown("good evening")
    bob.until_shown("good evening")
    bob.enter("/home")
    alice.enter("are you there?")
    bob.until_shown(f"unread: Shed of {a} 1")
    bob.enter("/room")
    bob.until_shown("are you there?")
    alice.enter("/conference leave")
    alice.until_shown("end for all")
    alice.enter("")
    alice.until_shown("You stay.")
    alice.enter("/conference leave")
    alice.until_shown("end for all")
    alice.enter(b)
    alice.until_shown(f"you have left Shed of {a}")
    bob.until_shown(f"you are the owner of Shed of {a} now")
    bob.until_shown(f"{a} has left Shed of {a}")
    bob.enter("/conference end")
    bob.until_shown(f"Shed of {a} is over: ")
    bob.enter("/room")
    bob.until_shown("You are in no such conference.")


def test_a_call_rings_on_the_screen_and_is_kept_in_the_conversation(server: ServerProcess, terminal: Terminals) -> None:
    """Rows: V22 (partly), V25 (partly), V28 (partly), V32 (partly), V33 (partly), V36 (partly)."""
    alice, a, bob, b = friends(terminal, server, NO_COLOR="1")
    bells = bob.screen.bells
    alice.enter(f"/call {b}")
    alice.until_shown("it rings")
    bob.until_shown(f"{a} calls you into {a}, {b}: /accept or /decline")
    assert bob.screen.bells > bells
    assert not bob.colours
    bob.enter("/decline")
    bob.until_gone("calls you into")
    alice.until_shown(f"{b} has declined")
    alice.enter(f"/conference invite {b}")
    bob.until_shown(f"{a} calls you into")
    bob.enter("/accept")
    bob.until_shown(f"{a}, {b}  2 people")
    alice.until_shown(f"{b} has taken the call")
    alice.enter("/conference end")
    bob.until_shown("is over: ")
    bob.enter("/calls off")
    bob.until_shown("calls off: whoever calls you is told that you are busy")
    alice.enter(f"/call {b}")
    alice.until_shown(f"{b} is in another call")
    bob.enter(f"/to {a}")
    bob.until_shown("(call, declined)")
