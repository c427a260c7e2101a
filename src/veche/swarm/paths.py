"""The files that a conversation's tree may hold, and nothing else.

    admins/<uri>.crt   members/<uri>.crt        the account's certificate and its CA's, PEM
    devices/<device>.crt                        the device's certificate, PEM
    invited/<uri>                               empty
    banned/{admins,members}/<uri>.crt   banned/devices/<device>.crt   banned/invited/<uri>
    votes/{ban,unban}/{admins,members,invited,devices}/<target>/<voter>     empty
    profile.vcf        CRLs/<uri>

A uri is 40, a device 64 hexadecimal digits in lower case.  All files are plain ones (mode 100644).

Source: repository facts §2; rows B49, B101.
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NamedTuple

PLAIN_FILE = 0o100644
DEEPEST = 5
"""So many names has the longest path."""

_URI = re.compile(r"[0-9a-f]{40}")
_DEVICE = re.compile(r"[0-9a-f]{64}")
_NOBODY = "0" * 40
_PATH = re.compile(
    r"(?:admins|members)/[0-9a-f]{40}\.crt"
    r"|devices/[0-9a-f]{64}\.crt"
    r"|(?:invited|CRLs|banned/invited)/[0-9a-f]{40}"
    r"|banned/(?:admins|members)/[0-9a-f]{40}\.crt"
    r"|banned/devices/[0-9a-f]{64}\.crt"
    r"|votes/(?:ban|unban)/(?:(?:admins|members|invited)/[0-9a-f]{40}|devices/[0-9a-f]{64})/[0-9a-f]{40}"
    r"|profile\.vcf"
)
_FOLDER = re.compile(
    r"admins|members|devices|invited|CRLs|banned|banned/(?:admins|members|devices|invited)"
    r"|votes|votes/(?:ban|unban)|votes/(?:ban|unban)/(?:admins|members|invited|devices)"
    r"|votes/(?:ban|unban)/(?:(?:admins|members|invited)/[0-9a-f]{40}|devices/[0-9a-f]{64})"
)

PROFILE = "profile.vcf"


class Target(StrEnum):
    """What a vote is about: where the target stands."""

    ADMINS = "admins"
    MEMBERS = "members"
    INVITED = "invited"
    DEVICES = "devices"


class Vote(NamedTuple):
    """What the path of a vote says."""

    kind: str
    """ban or unban"""
    where: Target
    target: str
    voter: str


def is_uri(text: object) -> bool:
    """Whether it names an account."""
    return isinstance(text, str) and text != _NOBODY and _URI.fullmatch(text) is not None


def is_device(text: object) -> bool:
    """Whether it names a device."""
    return isinstance(text, str) and _DEVICE.fullmatch(text) is not None


def is_allowed(path: str) -> bool:
    """Whether a tree may hold a file of this path."""
    return _PATH.fullmatch(path) is not None


def is_folder(path: str) -> bool:
    """Whether a tree may hold a folder of this path, without a slash at its end."""
    return _FOLDER.fullmatch(path) is not None


def admin(uri: str) -> str:
    return f"admins/{uri}.crt"


def member(uri: str) -> str:
    return f"members/{uri}.crt"


def device(id: str) -> str:
    return f"devices/{id}.crt"


def invited(uri: str) -> str:
    return f"invited/{uri}"


def crl(uri: str) -> str:
    return f"CRLs/{uri}"


def standing(where: Target, target: str) -> str:
    """The file by which a target stands in a conversation."""
    return f"{where}/{target}" if where is Target.INVITED else f"{where}/{target}.crt"


def banned(where: Target, target: str) -> str:
    """The file to which a ban moves it."""
    return f"banned/{standing(where, target)}"


def vote(kind: str, where: Target, target: str, voter: str) -> str:
    return f"votes/{kind}/{where}/{target}/{voter}"


def parse_vote(path: str) -> Vote | None:
    """What the path of a vote says; None for any other path."""
    parts = path.split("/")
    if len(parts) != 5 or parts[0] != "votes" or not is_allowed(path):
        return None
    return Vote(parts[1], Target(parts[2]), parts[3], parts[4])


def parse_banned(path: str) -> tuple[Target, str] | None:
    """Where the target of a ban stood, and who it is; None for any other path."""
    parts = path.split("/")
    if len(parts) != 3 or parts[0] != "banned" or not is_allowed(path):
        return None
    return Target(parts[1]), parts[2].removesuffix(".crt")


def name_of(path: str) -> str:
    """The last name of a path, without its ending: a uri or a device."""
    return path.rsplit("/", 1)[-1].removesuffix(".crt")
