"""What people say about themselves, and what others call them."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import Any

import pytest

from tests.scenarios.test_contacts import befriend, contact
from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer


def png(width: int = 2, height: int = 2, *, padding: int = 0) -> bytes:
    """A real picture."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")

    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"
    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + (chunk(b"tEXt", b"c\0" + b"x" * padding) if padding else b"")
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def test_friends_see_a_new_profile_at_once(server: ServerProcess, alice: Wire, bob: Wire) -> None:
    """Rows: M34, M42, M45, M46 (partly)."""
    befriend(alice, bob)
    with Wire(server.port).connect(bob.login, device="phone") as phone:
        answer = bob.ask("PROFILE-UPDATE", name="Superuser", note="on vacation")
        assert (answer["type"], answer["name"], answer["note"]) == ("PROFILE-UPDATE-OK", "Superuser", "on vacation")
        phone.expect("PROFILE-UPDATE-OK", name="Superuser", note="on vacation")
    patch = alice.expect("CONTACT-UPDATED")
    assert patch == {"type": "CONTACT-UPDATED", "id": bob.address, "name": "Superuser", "note": "on vacation"}
    bob.ask("PROFILE-UPDATE", note="")
    assert alice.receive() == {"type": "CONTACT-UPDATED", "id": bob.address, "note": ""}
    bob.ask("PROFILE-UPDATE", name="")
    assert alice.receive()["name"] == bob.login
    with Wire(server.port).connect(bob.login, device="fresh") as fresh:
        assert fresh.snapshot["profile"] == {}


def test_my_name_for_somebody_survives_their_rename(alice: Wire, bob: Wire) -> None:
    """Rows: M47, X23."""
    befriend(alice, bob)
    alice.ask("CONTACTS-CHANGE", id=bob.login, name="Bobby")
    bob.ask("PROFILE-UPDATE", name="Robert", note="new")
    patches = [alice.receive()]
    assert patches == [{"type": "CONTACT-UPDATED", "id": bob.address, "note": "new"}]
    assert contact(alice, bob)["name"] == "Bobby"
    alice.ask("CONTACTS-CHANGE", id=bob.login, name="")
    assert contact(alice, bob)["name"] == "Robert"


def test_strangers_see_a_login_and_who_is_asked_sees_a_name(alice: Wire, bob: Wire) -> None:
    """Rows: M42 (partly), X23 (partly)."""
    alice.ask("PROFILE-UPDATE", name="Alice L.", note="private note")
    assert bob.ask("PROFILE-GET", login=alice.login).get("name", "") == ""
    alice.ask("FRIEND-REQUEST", login=bob.login)
    assert bob.until("FRIEND-REQUEST")[-1]["name"] == "Alice L."
    seen = contact(bob, alice)
    assert seen["name"] == "Alice L."
    assert "note" not in seen
    alice.ask("PROFILE-UPDATE", name="Alice P.")
    assert bob.expect("CONTACT-UPDATED")["name"] == "Alice P."


def test_a_picture_is_told_by_its_hash_and_had_by_friends(alice: Wire, bob: Wire, mallory: Wire) -> None:
    """Rows: M44."""
    befriend(alice, bob)
    picture = png()
    hash = hashlib.sha256(picture).hexdigest()
    assert bob.ask("PROFILE-UPDATE", avatar=encoded(picture))["avatar"] == hash
    assert alice.expect("CONTACT-UPDATED") == {"type": "CONTACT-UPDATED", "id": bob.address, "avatar": hash}
    got = alice.ask("PROFILE-GET", login=bob.login)
    assert (got["avatar_type"], base64.b64decode(got["avatar"])) == ("image/png", picture)
    assert "avatar" not in mallory.ask("PROFILE-GET", login=bob.login)
    assert "avatar" not in bob.ask("PROFILE-UPDATE", avatar="")
    assert alice.expect("CONTACT-UPDATED")["avatar"] == ""


@pytest.mark.parametrize(
    "avatar",
    [
        "no base64!",
        encoded(b"GIF89a" + bytes(20)),
        encoded(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        encoded(png()[:18]),
        encoded(png(5000, 1)),
        encoded(png(padding=33_000)),
    ],
    ids=["no base64", "gif", "svg", "cut", "wide", "heavy"],
)
def test_what_is_no_picture_is_refused(alice: Wire, avatar: str) -> None:
    """Rows: M44 (partly)."""
    answer = alice.ask("PROFILE-UPDATE", avatar=avatar)
    assert (answer["type"], answer["code"]) == ("PROFILE-UPDATE-FAILED", "bad-request")


@pytest.mark.parametrize("fields", [{"name": "a\nb"}, {"note": "bell\a"}, {"name": "x" * 101}, {"note": "x" * 501}])
def test_a_bad_name_or_note_changes_nothing(alice: Wire, fields: dict[str, Any]) -> None:
    """Rows: M45 (partly)."""
    assert alice.ask("PROFILE-UPDATE", **fields)["code"] == "bad-request"
    assert alice.ask("PROFILE-GET", login=alice.login).get("name", "") == ""


def test_an_unknown_person_has_no_profile(server: ServerProcess) -> None:
    """Rows: M44 (partly)."""
    with newcomer(server.port, "alice") as alice:
        assert alice.ask("PROFILE-GET", login="nobody-of-that-name")["code"] == "unknown-user"
