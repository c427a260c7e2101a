"""Where settings come from: flags, environment (VECHE_<NAME>), veche.toml in the data directory, defaults.

Source: rows of the operations chapter; DESIGN §5.
"""

from __future__ import annotations

import argparse
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from veche.server.config import Rules, ServerConfig

FILE = "veche.toml"


class SettingError(Exception):
    """A setting cannot be used; the text names it, where it came from, and what is wrong."""


def fields() -> list[msgspec.inspect.Field]:
    """The settings, in the order of their definition."""
    info = msgspec.inspect.type_info(ServerConfig)
    assert isinstance(info, msgspec.inspect.StructType)
    return list(info.fields)


def describe(field: msgspec.inspect.Field) -> str:
    """The one-line description of a setting."""
    type_: Any = field.type
    if isinstance(type_, msgspec.inspect.Metadata):
        schema: Any = getattr(type_, "extra_json_schema", None)
        return "" if schema is None else str(schema.get("description", ""))
    return ""


def default_data(environ: Mapping[str, str]) -> Path:
    """Where a server keeps its things unless told otherwise."""
    if os.name == "nt":
        base = environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "veche"
    base = environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "veche"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """One flag a setting."""
    for field in fields():
        flag = "--" + field.name.replace("_", "-")
        default = "" if field.required else f" (default: {plain(field.default)})"
        if isinstance(field.default, bool):
            parser.add_argument(flag, action="store_const", const=True, default=None, help=describe(field) + default)
            continue
        metavar = {"listen": "HOST:PORT", "data": "DIR"}.get(field.name, field.name.split("_")[-1].upper())
        if field.name == "registration":
            metavar = "open|invite|closed"
        parser.add_argument(flag, metavar=metavar, default=None, help=(describe(field) + default).replace("%", "%%"))


def plain(value: object) -> str:
    """A value as a person writes it."""
    return "none" if value is None or value == "" else str(getattr(value, "value", value))


def load(args: argparse.Namespace, environ: Mapping[str, str]) -> tuple[ServerConfig, dict[str, str]]:
    """The settings, and where each came from.  Raises SettingError."""
    values: dict[str, Any] = {}
    source: dict[str, str] = {}

    def take(name: str, value: Any, where: str) -> None:
        if value is not None and name not in values:
            values[name], source[name] = value, where

    names = [field.name for field in fields()]
    for name in names:
        take(name, getattr(args, name, None), "--" + name.replace("_", "-"))
    for name in names:
        take(name, environ.get("VECHE_" + name.upper()), "VECHE_" + name.upper())
    data = Path(values.get("data") or default_data(environ)).expanduser()
    values["data"] = str(data)
    source.setdefault("data", "default")
    path = data / FILE
    for name, value in read_file(path).items():
        if name not in names or name == "data":
            raise SettingError(f"{path} has {name!r}, which is no setting. `veche config show` lists them.")
        take(name, value, str(path))
    for name in list(values):
        try:
            checked(name, values[name])
        except msgspec.ValidationError as error:
            raise SettingError(f"{source[name]}: {str(error).split(' - at')[0]} (given: {values[name]!r}).") from None
    config = convert(values)
    try:
        config.address()
        config.check_ice()
    except ValueError as error:
        raise SettingError(str(error)) from None
    if config.profile is Rules.CLASSIC and config.credentials is None:
        raise SettingError("--profile classic needs --credentials FILE: names and passwords, one pair a line.")
    return config, source


def checked(name: str, value: Any) -> None:
    """Raises msgspec.ValidationError for a value that this setting cannot have."""
    given = {name: value} if name == "data" else {"data": ".", name: value}
    convert(given)


def convert(values: dict[str, Any]) -> ServerConfig:
    """The settings of plain values.  Raises msgspec.ValidationError."""

    def to_path(wanted: type, value: Any) -> Any:
        if wanted is Path and isinstance(value, str):
            return Path(value).expanduser()
        raise ValueError(f"expected a path, got {value!r}")

    return msgspec.convert(values, ServerConfig, strict=False, dec_hook=to_path)


def read_file(path: Path) -> dict[str, Any]:
    """The settings of a file; none if there is no file."""
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} cannot be read: {error}") from None
