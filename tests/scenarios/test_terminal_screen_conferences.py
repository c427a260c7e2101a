"""Conferences and calls on the screen of `veche chat`, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server import ServerProcess
from tests.support.sound_devices import devices
from tests.support.terminal import Terminal, Terminals


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminals]:
    terminals = Terminals(tmp_path / "state")
    yield terminals
    terminals.close()


def friends(
    terminal: Terminals, server: ServerProcess, *, both: dict[str, str] | None = None, **options: object
) -> tuple[Terminal, str, Terminal, str]:
    """Alice and bob, friends, each before the list of people.  both: an environment; options: of bob."""
    options = {**(both or {}), **options}
    alice, a = terminal.registered(server, "alice", **(both or {}))
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


def test_the_screen_shows_who_speaks_and_that_the_microphone_is_on(
    server: ServerProcess, terminal: Terminals, tmp_path: Path
) -> None:
    """Two people call each other, each with a tone in the microphone; one is silent, one goes elsewhere and comes back.

    Rows: A39 (partly), A63 (partly), V22 (partly).
    """
    sound = {"VECHE_AUDIO": "on", "VECHE_MICROPHONE": "microphone", "VECHE_LOUDSPEAKER": "loudspeaker"}
    sound["ALSA_CONFIG_PATH"] = devices(tmp_path, 860)["ALSA_CONFIG_PATH"]
    alice, a, bob, b = friends(terminal, server, both=sound, columns=110, rows=30)
    alice.enter(f"/call {b}")
    alice.until_shown("your microphone is on. Wear headphones")
    bob.until_shown("/accept")
    bob.enter("/accept")
    alice.until_shown(f"you (owner, speaks), {b} (speaks)")
    bob.until_shown(f"{a} (owner, speaks), you (speaks)")
    bob.until_shown("microphone on")
    bob.enter("/mute")
    bob.until_shown("microphone off")
    alice.until_shown(f"you (owner, speaks), {b} (muted, connected)")
    bob.enter("/unmute")
    alice.until_shown(f"you (owner, speaks), {b} (speaks)")

    bob.enter(f"/conference create Aside of {b}")
    bob.until_shown(f"Aside of {b}>")
    alice.until_shown(f"{b} (on hold")
    bob.enter(f"/room {a}, {b}")
    bob.until_shown(f"{a}, {b} is on hold, you neither hear")
    bob.enter(f"/conference leave Aside of {b}")
    bob.until_shown(f"you have left Aside of {b}")
    bob.until_shown("microphone on hold")
    bob.enter("/conference resume")
    bob.until_shown(f"you are back in {a}, {b}")
    bob.until_shown("microphone on │")
    alice.until_shown(f"you (owner, speaks), {b} (speaks)")
    bob.enter("/conference leave")
    bob.until_shown(f"you have left {a}, {b}")
    bob.until_gone("microphone on")


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
