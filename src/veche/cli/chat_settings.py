"""How `veche chat` takes part in conferences: flags, environment (VECHE_<NAME>), chat.toml, defaults, in this order.

    audio = "off"                        on: with sound where there are devices; off: in writing
    microphone = "plughw:1"              names of ALSA, as arecord -L and aplay -L list them
    loudspeaker = "plughw:1"
    identity = "/home/alice/.local/share/veche/swarm"      folder of the account that signs calls (`veche swarm init`)

chat.toml lies in the directory where logins are kept.  Without a word the microphone is used where a person sits, on a
screen or at a terminal in plain mode; scripts, which --json and an input that is no terminal are taken for, write.

Source: DESIGN §5 (flags = environment = TOML).
"""

from __future__ import annotations

import argparse
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from veche.terminal.sound import DEFAULT, Devices

FILE = "chat.toml"
DEVICES = ("microphone", "loudspeaker")
NAMES = ("audio", *DEVICES, "identity")
YES, NO = frozenset({"on", "true", "yes", "1"}), frozenset({"off", "false", "no", "0"})


class BadSetting(Exception):
    """A setting cannot be used; the text names it, where it came from, and what is wrong."""


def add_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of these settings."""
    group = parser.add_argument_group(
        "conferences",
        "Also VECHE_AUDIO (on, off), VECHE_MICROPHONE, VECHE_LOUDSPEAKER, VECHE_IDENTITY; or `audio`,\n"
        "`microphone`, `loudspeaker`, `identity` in chat.toml in the state directory.",
    )
    group.add_argument(
        "--audio",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="take part with sound where this machine has devices, or in writing alone; default: with sound, but in "
        "writing with --json and when the input is no terminal, so that no script opens the microphone",
    )
    for name in DEVICES:
        group.add_argument(f"--{name}", metavar="NAME", help=f"the {name}, by its name of ALSA, such as plughw:1")
    group.add_argument(
        "--identity",
        metavar="DIR",
        help="sign calls as the account in this folder (`veche swarm init`), so that those who hear you need not trust "
        "the server; they learn its address, 40 digits",
    )


def devices_of(args: argparse.Namespace, environ: Mapping[str, str], state: Path, *, is_person: bool) -> Devices:
    """What is asked for.  state: the state directory.  Raises BadSetting."""
    kept = read_file(state / FILE)

    def found(name: str) -> tuple[Any, str]:
        for value, where in (
            (getattr(args, name), f"--{name}"),
            (environ.get(f"VECHE_{name.upper()}") or None, f"VECHE_{name.upper()}"),
            (kept.get(name), f"{name} in {state / FILE}"),
        ):
            if value is not None:
                return value, where
        return None, ""

    audio, where = found("audio")
    is_on = is_person if audio is None else is_yes(audio, where)
    microphone, loudspeaker = (device_name(*found(name)) for name in DEVICES)
    return Devices(is_on, microphone, loudspeaker, identity_folder(*found("identity")))


def is_yes(value: object, where: str) -> bool:
    """Raises BadSetting."""
    word = str(value).strip().lower()
    if word not in YES | NO:
        raise BadSetting(f"{where} is on or off, not {value!r}.")
    return word in YES


def identity_folder(value: object, where: str) -> Path | None:
    """A folder with an account that can sign.  Raises BadSetting."""
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        raise BadSetting(f"{where} is the folder of an account, not {value!r}.")
    from veche.peer.identity import NoIdentity, load

    folder = Path(value).expanduser()
    try:
        load(folder)
    except NoIdentity as error:
        raise BadSetting(f"{where}: {error}") from None
    return folder


def device_name(value: object, where: str) -> str:
    """Raises BadSetting."""
    if value is None:
        return DEFAULT
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or not value.isprintable():
        raise BadSetting(f"{where} is the name of a device, as arecord -L and aplay -L list them, not {value!r}.")
    return value.strip()


def read_file(path: Path) -> dict[str, Any]:
    """The settings of a file; none if there is no file.  Raises BadSetting."""
    try:
        with path.open("rb") as file:
            found = tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{path} cannot be read: {error}") from None
    for name in found:
        if name not in NAMES:
            raise BadSetting(f"{path} has {name!r}, which is no setting; there are {', '.join(NAMES)}.")
    return found
