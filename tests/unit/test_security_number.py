"""The number that two people compare: the same at both ends, another one with anybody in between."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import pytest

from tools.generated import ROOT
from veche.core import security_number

ALICE, BOB, MALLORY = (hashlib.sha256(name).hexdigest() for name in (b"alice", b"bob", b"mallory"))


def test_both_ends_have_the_same_and_somebody_between_gives_each_another_one() -> None:
    """Rows: A45 (partly)."""
    number = security_number.of(ALICE, BOB)
    assert number == security_number.of(BOB, ALICE)
    assert re.fullmatch(r"\d{5}( \d{5}){7}", number)
    assert len({number, security_number.of(ALICE, MALLORY), security_number.of(MALLORY, BOB)}) == 3


def test_a_fingerprint_is_the_same_however_it_is_written() -> None:
    sdp = ":".join(ALICE.upper()[at : at + 2] for at in range(0, 64, 2))
    assert security_number.of(sdp, BOB.upper()) == security_number.of(ALICE, BOB)


def test_the_number_is_made_as_the_module_says() -> None:
    """By hand, from what it says."""
    low, high = sorted((ALICE.upper(), BOB.upper()))
    digest = hashlib.sha512(f"veche security number 1\n{low}\n{high}\n".encode()).hexdigest()
    groups = [int(digest[at : at + 10], 16) % 100_000 for at in range(0, 80, 10)]
    assert security_number.of(ALICE, BOB).split() == [f"{group:05}" for group in groups]


@pytest.mark.parametrize(
    "vector", json.loads((ROOT / "protocol/vectors/security-number.json").read_text(encoding="ascii"))
)
def test_the_vectors_say_what_we_say(vector: dict[str, Any]) -> None:
    """The browser is held to the same file."""
    one, other = vector["fingerprints"]
    if "number" in vector:
        assert security_number.of(one, other) == security_number.of(other, one) == vector["number"]
        return
    with pytest.raises(ValueError, match="not the SHA-256 fingerprint"):
        security_number.of(one, other)
