"""How a terminal takes part in conferences: what flags, environment and chat.toml ask for, and what is said of it."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from veche.cli import chat_settings
from veche.cli.chat_settings import BadSetting, devices_of
from veche.client.conferences import Conferences, Inside
from veche.packets.conference import CallPacket, CallStatus, Conference, ConferenceLegSet, Leg, MediaKind
from veche.terminal.conference_commands import (
    AnswerCall,
    CallPeople,
    OfConference,
    call,
    calls,
    current,
    microphone,
    needs_sound,
    resumed,
    understood,
)
from veche.terminal.people_commands import Wrong
from veche.terminal.sound import Devices, Heard, asks_for_sound

AT = "2026-11-29T12:00:00Z"


def asked(state: Path, *flags: str, environ: dict[str, str] | None = None, is_person: bool = True) -> Devices:
    parser = argparse.ArgumentParser()
    chat_settings.add_flags(parser)
    return devices_of(parser.parse_args(flags), environ or {}, state, is_person=is_person)


def test_flags_come_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    assert asked(tmp_path) == Devices(True, "default", "default")
    assert asked(tmp_path, is_person=False) == Devices(False, "default", "default")
    (tmp_path / "chat.toml").write_text('audio = "off"\nmicrophone = "plughw:1"\n')
    environ = {"VECHE_AUDIO": "on", "VECHE_MICROPHONE": "plughw:2"}
    assert asked(tmp_path) == Devices(False, "plughw:1", "default")
    assert asked(tmp_path, environ=environ) == Devices(True, "plughw:2", "default")
    assert not asked(tmp_path, "--no-audio", environ=environ).is_on
    flags = ("--audio", "--microphone", "a", "--loudspeaker", "b")
    assert asked(tmp_path, *flags, environ=environ, is_person=False) == Devices(True, "a", "b")
    (tmp_path / "chat.toml").write_text("audio = true\n")
    assert asked(tmp_path, is_person=False).is_on, "who writes it down means it"


@pytest.mark.parametrize(
    ("content", "environ", "sentence"),
    [
        ("audio = 3", {}, "audio in .*chat.toml is on or off, not 3"),
        ("loud = 3", {}, "'loud', which is no setting"),
        ("audio =", {}, "chat.toml cannot be read"),
        ("identity = 1", {}, "identity in .*chat.toml is the folder of an account"),
        ("", {"VECHE_IDENTITY": "/nowhere"}, "VECHE_IDENTITY: There is no account in /nowhere. Make one"),
        ("microphone = 1", {}, "microphone in .*chat.toml is the name of a device"),
        ("", {"VECHE_AUDIO": "loud"}, "VECHE_AUDIO is on or off, not 'loud'"),
        ("", {"VECHE_LOUDSPEAKER": "a\nb"}, "VECHE_LOUDSPEAKER is the name of a device"),
    ],
)
def test_what_cannot_be_obeyed_is_a_sentence(
    tmp_path: Path, content: str, environ: dict[str, str], sentence: str
) -> None:
    (tmp_path / "chat.toml").write_text(content)
    with pytest.raises(BadSetting, match=sentence):
        asked(tmp_path, environ=environ)


def test_devices_that_are_named_are_looked_for_by_opening_them() -> None:
    assert not Devices(True, microphone="plughw:1").are_missing


def leg(who: str, media: MediaKind = MediaKind.AUDIO, *, held: bool = False) -> Leg:
    return Leg(id=f"{who}@x/1", user=f"{who}@x", epoch=1, initiator="a@x/1", media=media, held=held, at=AT)


def inside(id: str, *legs: Leg) -> dict[str, Inside]:
    conference = Conference(id=id, name=id.upper(), owner="a@x", at=AT, legs=list(legs))
    return {id: Inside(conference=conference, leg="a@x/1")}


def known(*conferences: dict[str, Inside]) -> Conferences:
    return Conferences(me="a@x", inside={id: one for found in conferences for id, one in found.items()})


def test_who_is_in_a_call_with_sound_and_not_alone_is_busy() -> None:
    """Rows: V32 (partly)."""
    assert not known().is_talking
    assert not known(inside("c", leg("a"))).is_talking
    assert not known(inside("c", leg("a", MediaKind.TEXT), leg("b"))).is_talking
    assert not known(inside("c", leg("a", held=True), leg("b"))).is_talking
    assert known(inside("c", leg("a", held=True), leg("b")), inside("d", leg("a"), leg("b"))).is_talking


def test_commands_are_about_the_conference_that_is_heard_and_resume_goes_back() -> None:
    """Rows: A39 (partly)."""
    two = known(inside("c", leg("a")), inside("d", leg("a", held=True)), inside("e", leg("a", MediaKind.TEXT)))
    assert current(two).conference.id == "e", "a text leg is held by nothing"
    without = known(inside("c", leg("a")), inside("d", leg("a", held=True)))
    assert current(without).conference.id == "c"
    back = [ConferenceLegSet(id="c", held=True), ConferenceLegSet(id="d", held=False)]
    assert resumed("", without) == resumed("D", without) == resumed("d", without) == back
    for name, sentence in (("E", "You take part in writing in E."), ("f", "You are not in f.")):
        with pytest.raises(Wrong, match=sentence):
            resumed(name, two)
    with pytest.raises(Wrong, match="None of your conferences is on hold"):
        resumed("", known(inside("c", leg("a"))))
    with pytest.raises(Wrong, match="You are in no conference"):
        resumed("", known())


def test_only_what_takes_this_device_in_needs_sound() -> None:
    """Rows: V23 (partly)."""
    for needs in (OfConference("create", "x"), OfConference("join", "x"), CallPeople(("bob",)), AnswerCall(True)):
        assert needs_sound(needs)
    for does_not in (OfConference("say", "x"), OfConference("resume", ""), AnswerCall(False)):
        assert not needs_sound(does_not)
    assert asks_for_sound(understood(call("bob", "call"), known(), MediaKind.AUDIO))
    assert not asks_for_sound(understood(call("bob", "call"), known()))
    assert not asks_for_sound(CallPacket(status=CallStatus.ABORT, id="c"))


def test_nonsense_after_a_command_is_a_sentence() -> None:
    for parse, usage in ((calls, "calls on|wait|off"), (microphone, "microphone on|off")):
        for rest in ("", "perhaps", "on off", "On"):
            with pytest.raises(Wrong, match=usage.replace("|", r"\|")):
                parse(rest, usage)


def test_how_a_connection_is_in_words() -> None:
    said = {
        Heard("c", "b@x/1", "connecting"): "connecting with bob",
        Heard("c", "b@x/1", "connected"): "connected with bob",
        Heard("c", "b@x/1", "weak", "Nothing comes."): "the connection with bob is weak: Nothing comes.",
        Heard("c", "b@x/1", "failed", "No path.\x1b[2J", 2.0): (
            "no connection with bob: No path.␛[2J Tried again in 2 s."
        ),
    }
    for heard, sentence in said.items():
        assert heard.sentence("bob") == sentence
