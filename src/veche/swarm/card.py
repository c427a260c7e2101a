"""The card of a conversation, profile.vcf: a vCard 2.1 of its title, description and picture.

The bytes are exactly those that other clients write: LF, no newline at the end, two empty lines before END when nobody
is a fixed host of calls.  Values are neither escaped nor folded, so one with a line break is refused.

Source: repository facts §2.2; rows B74, B79, B113.
"""

from __future__ import annotations

from msgspec import Struct, structs

LARGEST_CARD = 8 * 1024 * 1024
"""Bytes; a commit with a larger one is refused (row B77)."""


class BadCard(Exception):
    """A value that a card cannot hold."""


class Card(Struct, frozen=True, kw_only=True):
    """What a card says; empty: nothing."""

    title: str = ""
    description: str = ""
    avatar: str = ""
    """Base64."""
    rdv_account: str = ""
    rdv_device: str = ""


def write(card: Card) -> bytes:
    """The bytes of a card.  Raises BadCard."""
    for name, value in structs.asdict(card).items():
        if any(letter in value for letter in "\r\n\0"):
            raise BadCard(f"The {name.replace('_', ' ')} of a conversation is one line.")
    lines = ["BEGIN:VCARD", "VERSION:2.1"]
    if card.title:
        lines.append(f"FN:{card.title}")
    if card.description:
        lines.append(f"DESCRIPTION:{card.description}")
    lines.append(f"PHOTO;ENCODING=BASE64:{card.avatar}" if card.avatar else "PHOTO;ENCODING=BASE64")
    for key, value in (("RDV_ACCOUNT", card.rdv_account), ("RDV_DEVICE", card.rdv_device)):
        if value:
            lines.append(f"{key}:{value}")
        lines.append("")
    data = "\n".join([*lines, "END:VCARD"]).encode("utf-8")
    if len(data) > LARGEST_CARD:
        raise BadCard(f"The card has {len(data)} bytes; {LARGEST_CARD} are allowed. Take a smaller picture.")
    return data


_KEYS = {"FN": "title", "DESCRIPTION": "description", "RDV_ACCOUNT": "rdv_account", "RDV_DEVICE": "rdv_device"}


def read(data: bytes) -> Card:
    """What a card says, whoever wrote it; of what cannot be read, nothing."""
    found: dict[str, str] = {}
    for line in data.decode("utf-8", "replace").split("\n"):
        key, colon, value = line.rstrip("\r").partition(":")
        if not colon:
            continue
        if key.startswith("PHOTO"):
            found["avatar"] = value
        elif key in _KEYS:
            found[_KEYS[key]] = value
    return Card(**found)


def infos(data: bytes, mode: int) -> dict[str, str]:
    """What clients are given of a conversation (row B79); keys without a value are left out."""
    card = read(data)
    names = {"title": card.title, "description": card.description, "avatar": card.avatar}
    names |= {"rdvAccount": card.rdv_account, "rdvDevice": card.rdv_device}
    return {"mode": str(mode)} | {key: value for key, value in names.items() if value}
