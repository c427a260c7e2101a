"""Who writes: an account, and this device of it.  Made, kept in a folder, exported, imported, revoked.

    <folder>/archive.gz            the account: its keys, contacts, conversations (see archive.py)
    <folder>/ring_device.key       this device's key, PKCS#8
    <folder>/ring_device.crt       the certificates of the device, the account and its CA, PEM, in this order
    <folder>/crls/<account uri>    what the account has revoked, DER

The names are those of the other clients.  All of them are 0600 and written whole or not at all.

Source: repository facts §1, §8, §8.1; rows B14, B47, B91.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from msgspec import structs

from veche.swarm.certificates import BadCertificate, Certificate, blocks, parse, revoked_serials
from veche.swarm.writing import Author

from . import issuing
from .archive import Archive, BadArchive, read, write
from .files import make_private, write_whole

ARCHIVE, KEY, CHAIN, CRLS = "archive.gz", "ring_device.key", "ring_device.crt", "crls"
NAME = "Account.displayName"


class NoIdentity(Exception):
    """There is none in this folder, or it cannot be used; the text says what to do."""


class Identity:
    """An account and one device of it, with the keys of both."""

    def __init__(self, archive: Archive, account_key: RSAPrivateKey, device_key: RSAPrivateKey, device: bytes) -> None:
        """device: the DER of its certificate."""
        self.archive = archive
        self.account_key = account_key
        self.device_key = device_key
        self.device_der = device
        self.certificate: Certificate = parse(device)
        self.account_der = blocks(archive.account_chain)[0]
        account = parse(self.account_der)
        self.uri = issuing.short_id(account_key.public_key())
        self.device = issuing.long_id(device_key.public_key())
        if account.key_id != self.uri:
            raise BadArchive("This archive is damaged: the account's certificate is not that of its key.")
        if self.certificate.long_id != self.device or not self.certificate.is_signed_by(account.key):
            raise BadArchive("The certificate of this device is not that of its key, or not of this account.")

    @cached_property
    def name(self) -> str:
        """What people are shown, and commits are written under; the device's id when there is none."""
        found = self.archive.details.get(NAME, "")
        name = "".join(letter for letter in str(found) if letter not in "<>\n\0").strip()
        return name or self.device

    @cached_property
    def author(self) -> Author:
        """What the rules of writing need."""
        ders = blocks(self.archive.account_chain)
        return Author(
            uri=self.uri,
            device=self.device,
            account_pem=b"".join(issuing.pem(der) for der in ders),
            device_pem=issuing.pem(self.device_der),
        )

    @property
    def chain(self) -> bytes:
        """The certificates of device, account and CA, PEM."""
        return issuing.pem(self.device_der) + self.author.account_pem

    def sign(self, data: bytes) -> bytes:
        """Sign with the device's key: RSASSA-PKCS1-v1_5 with SHA-512."""
        return self.device_key.sign(data, PKCS1v15(), hashes.SHA512())


def make(name: str = "", *, bits: int = issuing.KEY_BITS, now: int | None = None) -> Identity:
    """A new account with its first device."""
    now = int(time.time()) if now is None else now
    ca, account = issuing.make_key(bits), issuing.make_key(bits)
    chain = issuing.pem(issuing.account_certificate(ca, account.public_key(), now)) + issuing.pem(
        issuing.ca_certificate(ca, now)
    )
    archive = Archive(
        account_key=issuing.key_pem(account),
        account_chain=chain,
        ca_key=issuing.key_pem(ca),
        eth_key=secrets.token_bytes(32),
        details={NAME: name, "Account.type": "RING", "Account.username": issuing.short_id(account.public_key())},
    )
    return add_device(archive, bits=bits, now=now)


def add_device(archive: Archive, *, bits: int = issuing.KEY_BITS, now: int | None = None) -> Identity:
    """Another device of an account: a key and a certificate of its own.  Raises BadArchive."""
    now = int(time.time()) if now is None else now
    try:
        account = issuing.read_key(archive.account_key)
        key = issuing.make_key(bits)
        return Identity(archive, account, key, issuing.device_certificate(account, key.public_key(), now))
    except (issuing.BadKey, BadCertificate, IndexError) as error:
        raise BadArchive(f"This archive is damaged. {error}") from error


def import_archive(data: bytes, password: str | None = None, *, bits: int = issuing.KEY_BITS) -> Identity:
    """Open an archive, and make this device one of its account's.  Raises BadArchive."""
    return add_device(read(data, password), bits=bits)


# -- on disk


def has_identity(folder: Path) -> bool:
    """Whether there is an account in that folder."""
    return (folder / ARCHIVE).exists()


def save(identity: Identity, folder: Path) -> None:
    """Keep an identity.  The archive comes last: with it, everything is there.  Raises OSError."""
    make_private(folder)
    write_whole(folder / KEY, issuing.key_pem(identity.device_key))
    write_whole(folder / CHAIN, identity.chain)
    save_archive(identity.archive, folder)


def save_archive(archive: Archive, folder: Path) -> None:
    """Keep what an account knows.  Raises OSError."""
    write_whole(folder / ARCHIVE, write(archive))


def load(folder: Path) -> Identity:
    """The identity that is kept in a folder.  Raises NoIdentity."""
    try:
        archive = read((folder / ARCHIVE).read_bytes())
        key = issuing.read_key((folder / KEY).read_bytes())
        device = blocks((folder / CHAIN).read_bytes())[0]
        return Identity(archive, issuing.read_key(archive.account_key), key, device)
    except FileNotFoundError as error:
        raise NoIdentity(
            f"There is no account in {folder}. Make one with `veche swarm init`, or `veche swarm import`."
        ) from error
    except OSError as error:
        raise NoIdentity(f"The account in {folder} cannot be read: {error.strerror}.") from error
    except (BadArchive, BadCertificate, issuing.BadKey, IndexError) as error:
        raise NoIdentity(f"The account in {folder} is damaged. {error} Import it again.") from error


# -- revoking devices


def revoke(identity: Identity, devices: Iterable[Certificate], *, now: int | None = None) -> Archive:
    """The archive of an account that trusts some of its devices no longer.  It never forgets one it has revoked."""
    now = int(time.time()) if now is None else now
    old = identity.archive.crl
    serials = set(revoked_serials(old, identity.account_key.public_key())) if old else set[int]()
    for device in devices:
        if device.issuer_uid != identity.uri:
            raise ValueError(f"{device.long_id} is not a device of this account")
        serials.add(device.serial)
    crl = issuing.revocation_list(identity.account_key, serials, number=len(serials), now=now)
    return structs.replace(identity.archive, crl=crl)


def save_crl(identity: Identity, folder: Path) -> None:
    """Keep the list of revoked devices where other programs look for it too.  Raises OSError."""
    make_private(folder / CRLS)
    write_whole(folder / CRLS / identity.uri, identity.archive.crl)
