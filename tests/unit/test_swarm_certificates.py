"""Certificates that real devices carry, odd serials and all, and those that are none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers

from tests.support.swarm import END, account_pem, actor, device_pem, issue, pem
from veche.swarm.certificates import BadCertificate, blocks, first_certificate, is_issued, parse, revoked_serials

REAL = Path(__file__).parents[1] / "fixtures" / "swarm" / "certs"
ACTORS = json.loads((REAL / "actors.json").read_text())


@pytest.mark.parametrize("name", ACTORS)
def test_certificates_of_real_devices_are_read(name: str) -> None:
    """Some serials are negative, which libraries do not read.  Rows: B91 (partly)."""
    device, account = ((REAL / f"{name}.{kind}.crt").read_bytes() for kind in ("device", "account_chain"))
    uri, id = ACTORS[name]["uri"], ACTORS[name]["device"]
    assert (first_certificate(device).issuer_uid, first_certificate(device).long_id) == (uri, id)
    assert (first_certificate(account).key_id, first_certificate(account).subject_uid) == (uri, uri)
    assert first_certificate(device).key.key_size == 4096
    assert is_issued(device, account)
    ca = parse(blocks(account)[1])
    assert first_certificate(account).is_signed_by(ca.key)
    others = [other for other in ACTORS if other != name]
    assert not any(is_issued(device, (REAL / f"{other}.account_chain.crt").read_bytes()) for other in others)


def test_negative_serials_stay_negative() -> None:
    assert first_certificate((REAL / "alice.device.crt").read_bytes()).serial == -0x2F89ADCF728747B5


@pytest.mark.parametrize("year", [2049, 2050, 2120])
def test_the_end_of_a_certificate_is_read_in_both_forms_of_time(year: int) -> None:
    end = datetime(year, 2, 3, 4, 5, 6, tzinfo=UTC)
    assert first_certificate(account_pem(actor("bob"), end)).not_after == int(end.timestamp())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"-----BEGIN CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nMIQ=\n-----END CERTIFICATE-----",
        b"-----BEGIN CERTIFICATE-----\nMIT/////\n-----END CERTIFICATE-----",
        b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----",
        b"-----BEGIN CERTIFICATE-----" + b" \n" * 30_000,
        b"-----BEGIN CERTIFICATE-----\n" * 2000,
        device_pem(actor("bob")) + b" " * 70_000,
    ],
    ids=[
        *("nothing", "a letter", "a beginning", "an empty block", "no Base64", "no element", "no length", "too long"),
        *("a key", "blanks without end", "beginnings without end", "too large"),
    ],
)
def test_what_is_no_certificate_is_refused_at_once(data: bytes) -> None:
    with pytest.raises(BadCertificate):
        first_certificate(data)


def test_no_broken_certificate_is_more_than_refused() -> None:
    """Each byte of a real one changed, and each end cut off."""
    [der] = blocks((REAL / "alice.device.crt").read_bytes())
    read = 0
    for at in range(len(der)):
        for broken in (der[:at], der[:at] + bytes([der[at] ^ 0x81]) + der[at + 1 :]):
            try:
                parse(broken)
                read += 1
            except BadCertificate:
                pass
            with pytest.raises(BadCertificate):
                revoked_serials(broken, actor("bob").account_key.public_key())
    assert read  # a key or a signature of other bytes is a certificate still: it is not signed by anybody


def test_a_key_that_makes_checks_slow_is_refused() -> None:
    """A signature with a huge exponent takes a hundred times as long."""
    bob = actor("bob")
    modulus = bob.device_key.public_key().public_numbers().n
    slow = RSAPublicNumbers(2**2000 + 1, modulus).public_key()
    name = ("Jami", bob.uri)
    with pytest.raises(BadCertificate, match="exponent"):
        first_certificate(pem(issue(slow, name, name, bob.account_key, END)))
