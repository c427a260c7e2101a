"""Accounts and devices: made, exported, imported, revoked.

Keys of 2048 bits stand in for 4096 where their size is not what is shown: they are made ten times as fast.
"""

from __future__ import annotations

import gzip
import os
import stat
import subprocess
from pathlib import Path

import pytest

from veche.peer import archive, identity, issuing
from veche.swarm.certificates import blocks, first_certificate, parse, revoked_serials

FIXTURES = Path(__file__).parent.parent / "fixtures" / "swarm"
ALICE, DENYS = "f805feaf5ce7f7ac5df022e5f45f61fae826845e", "39869834b1e6df1e4600f329862c91a18419b79b"


@pytest.fixture(scope="module")
def alice() -> identity.Identity:
    return identity.make("Alice", bits=2048, now=1_795_000_000)


def openssl(*words: str, cwd: Path) -> str:
    return subprocess.run(["openssl", *words], cwd=cwd, check=True, capture_output=True, text=True).stdout


def test_a_new_account_has_three_certificates_of_the_known_forms(alice: identity.Identity, tmp_path: Path) -> None:
    for name, der in zip(("device", "account", "ca"), blocks(alice.chain), strict=True):
        (tmp_path / name).write_bytes(issuing.pem(der))
    assert "device: OK" in openssl("verify", "-CAfile", "ca", "-untrusted", "account", "device", cwd=tmp_path)
    shown = {
        name: openssl("x509", "-in", name, "-noout", "-text", "-nameopt", "multiline,show_type", cwd=tmp_path)
        for name in ("device", "account", "ca")
    }
    assert "PRINTABLESTRING:Jami device" in shown["device"]
    assert f"PRINTABLESTRING:{alice.uri}" in shown["device"]
    assert f"PRINTABLESTRING:{issuing.short_id(alice.device_key.public_key())}" in shown["device"]
    assert "X509v3" not in shown["device"]
    for name in ("account", "ca"):
        assert "CA:TRUE" in shown[name]
        assert "Certificate Sign, CRL Sign" in shown[name]
    assert ":".join(alice.uri[at : at + 2] for at in range(0, 40, 2)).upper() in shown["account"]
    assert all("sha384WithRSAEncryption" in text for text in shown.values())
    assert alice.certificate.not_after == 1_795_000_000 + 10 * 365 * 86400


def test_an_account_made_by_default_has_keys_of_4096_bits() -> None:
    assert issuing.KEY_BITS == 4096
    assert issuing.make_key().key_size == 4096


def test_negative_serials_of_real_devices_are_read_and_revoked() -> None:
    device = first_certificate((FIXTURES / "certs" / "alice.device.crt").read_bytes())
    assert device.serial == -0x2F89ADCF728747B5
    opened = identity.import_archive((FIXTURES / "archives" / "alice_nopassword.gz").read_bytes(), bits=2048)
    revoked = identity.revoke(opened, [device])
    assert revoked_serials(revoked.crl, opened.account_key.public_key()) == {device.serial}
    assert b"\x02\x08\xd0\x76\x52\x30\x8d\x78\xb8\x4b" in revoked.crl


@pytest.mark.parametrize(
    ("file", "password", "uri", "name"),
    [("alice_nopassword.gz", None, ALICE, "Alice"), ("denys_password_is_secret.bin", "secret", DENYS, "Denys")],
)
def test_archives_of_real_accounts_open_and_make_another_device(
    file: str, password: str | None, uri: str, name: str
) -> None:
    opened = identity.import_archive((FIXTURES / "archives" / file).read_bytes(), password, bits=2048)
    assert (opened.uri, opened.name) == (uri, name)
    assert opened.certificate.issuer_uid == uri
    assert opened.archive.conversations
    actor = file.partition("_")[0]
    certificates = (FIXTURES / "certs" / f"{actor}.account_chain.crt").read_bytes()
    assert opened.author.account_pem == certificates
    assert opened.device not in certificates.decode()


def test_a_password_that_is_missing_or_wrong_is_told_apart_from_damage() -> None:
    data = (FIXTURES / "archives" / "denys_password_is_secret.bin").read_bytes()
    with pytest.raises(archive.PasswordNeeded):
        archive.read(data)
    with pytest.raises(archive.WrongPassword):
        archive.read(data, "Secret")


@pytest.mark.parametrize(
    "data",
    [b"", b"x" * 20, gzip.compress(b"[]"), gzip.compress(b"{}"), gzip.compress(b"{" * 99)],
    ids=["empty", "noise", "a list", "no keys", "no JSON"],
)
def test_what_is_no_archive_is_refused(data: bytes) -> None:
    with pytest.raises(archive.BadArchive):
        archive.read(data, None if archive.has_password(data) is False else "secret")


def test_an_archive_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "LARGEST_ARCHIVE", 1000)
    with pytest.raises(archive.BadArchive, match="too large"):
        archive.read(gzip.compress(b" " * 100_000))


@pytest.mark.parametrize("password", [None, "пароль 🎈"])
def test_an_export_is_imported_with_everything_in_it(alice: identity.Identity, password: str | None) -> None:
    """Rows: B91 (partly)."""
    conversations = {"c" * 40: {"id": "c" * 40, "created": 5, "members": [{"uri": alice.uri}]}}
    full = archive.Archive(
        account_key=alice.archive.account_key,
        account_chain=alice.archive.account_chain,
        ca_key=alice.archive.ca_key,
        eth_key=b"e" * 32,
        crl=b"der",
        contacts={ALICE: {"added": 7}},
        conversations=conversations,
        details={"Account.displayName": "Алиса", "unknown.field": "kept"},
    )
    assert archive.read(archive.write(full, password), password) == full


def test_an_identity_is_kept_in_files_that_only_its_owner_can_read(alice: identity.Identity, tmp_path: Path) -> None:
    folder = tmp_path / "account"
    identity.save(alice, folder)
    again = identity.load(folder)
    assert (again.uri, again.device, again.name) == (alice.uri, alice.device, "Alice")
    if os.name == "posix":
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert {file.name for file in folder.iterdir()} == {"archive.gz", "ring_device.key", "ring_device.crt"}


def test_a_damaged_or_missing_identity_is_said_in_words(alice: identity.Identity, tmp_path: Path) -> None:
    with pytest.raises(identity.NoIdentity, match="veche swarm init"):
        identity.load(tmp_path)
    identity.save(alice, tmp_path)
    (tmp_path / "ring_device.key").write_bytes(b"-----BEGIN nothing")
    with pytest.raises(identity.NoIdentity, match="damaged"):
        identity.load(tmp_path)


def test_a_second_device_has_its_own_key_under_the_same_account(alice: identity.Identity) -> None:
    second = identity.import_archive(archive.write(alice.archive), bits=2048)
    assert second.uri == alice.uri
    assert second.device != alice.device
    assert parse(second.device_der).is_signed_by(alice.account_key.public_key())


def test_a_list_of_revoked_devices_grows_and_is_one_that_openssl_reads(
    alice: identity.Identity, tmp_path: Path
) -> None:
    second = identity.add_device(alice.archive, bits=2048)
    once = identity.revoke(alice, [alice.certificate])
    alice_later = identity.Identity(once, alice.account_key, alice.device_key, alice.device_der)
    twice = identity.revoke(alice_later, [second.certificate])
    expected = {alice.certificate.serial, second.certificate.serial}
    assert revoked_serials(twice.crl, alice.account_key.public_key()) == expected
    (tmp_path / "crl").write_bytes(twice.crl)
    (tmp_path / "account").write_bytes(issuing.pem(blocks(alice.archive.account_chain)[0]))
    shown = openssl("crl", "-in", "crl", "-inform", "DER", "-CAfile", "account", "-text", "-noout", cwd=tmp_path)
    assert "X509v3 CRL Number" in shown
    assert "sha512WithRSAEncryption" in shown
    with pytest.raises(ValueError, match="not a device"):
        identity.revoke(identity.make(bits=2048), [alice.certificate])
