"""The archive of an account: its keys, contacts and conversations in one file, with or without a password.

    without     gzip of one JSON object
    with        salt (16 bytes), iv (12), AES-256-GCM of a zlib stream of that JSON, tag (16); no additional data
                key = SHA-256(argon2i(password, salt, t=16, m=64 MiB, p=1, 32 bytes))

It holds the private keys of the account and its CA, and no device's: whoever has it can become a device of the account.
Fields that are not known here are kept as they are.

Source: repository facts §8.1; row B91.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import secrets
import zlib
from typing import Any

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

LARGEST_ARCHIVE = 64 * 1024 * 1024
"""Bytes, unpacked; a larger one is refused."""
_SALT, _IV, _TAG = 16, 12, 16
_GZIP = b"\x1f\x8b"


class BadArchive(Exception):
    """The archive cannot be read; the text says why."""


class PasswordNeeded(BadArchive):
    """It has a password, and none was given."""


class WrongPassword(BadArchive):
    """The password is another one, or the file is damaged: the two cannot be told apart."""


class Archive(Struct, frozen=True):
    """What an archive holds.  Keys and certificates are PEM."""

    account_key: bytes
    account_chain: bytes
    """The account's certificate, then its CA's."""
    ca_key: bytes = b""
    """Empty: the archive has none, and no new account certificate can be made."""
    eth_key: bytes = b""
    crl: bytes = b""
    """DER"""
    contacts: dict[str, Any] = {}
    conversations: dict[str, Any] = {}
    requests: dict[str, Any] = {}
    details: dict[str, Any] = {}
    """Everything else."""


_KEYS = {
    "ringAccountKey": "account_key",
    "ringAccountCert": "account_chain",
    "ringCaKey": "ca_key",
    "ethKey": "eth_key",
    "ringAccountCRL": "crl",
}
_MAPS = {
    "ringAccountContacts": "contacts",
    "conversations": "conversations",
    "conversationsRequests": "requests",
}


def has_password(data: bytes) -> bool:
    """Whether an archive needs a password."""
    return not data.startswith(_GZIP)


def read(data: bytes, password: str | None = None) -> Archive:
    """Open an archive.  Raises BadArchive for any bytes, and nothing else."""
    if not has_password(data):
        return _from_json(_inflate(data, zlib.MAX_WBITS | 16))
    if password is None:
        raise PasswordNeeded("This archive has a password. Give it in a file with --password-file.")
    if len(data) <= _SALT + _IV + _TAG:
        raise BadArchive("This is no archive of an account: it is too short.")
    salt, iv, sealed = data[:_SALT], data[_SALT : _SALT + _IV], data[_SALT + _IV :]
    try:
        plain = AESGCM(_key(password, salt)).decrypt(iv, sealed, None)
    except InvalidTag:
        raise WrongPassword("The password is wrong, or this is no archive of an account.") from None
    return _from_json(_inflate(plain, zlib.MAX_WBITS))


def write(archive: Archive, password: str | None = None) -> bytes:
    """The bytes of an archive; without a password, keep them from everybody."""
    fields: dict[str, Any] = dict(archive.details)
    for name, field in _KEYS.items():
        value: bytes = getattr(archive, field)
        if value:
            fields[name] = base64.b64encode(value).decode("ascii")
    for name, field in _MAPS.items():
        fields[name] = getattr(archive, field)
    plain = msgspec.json.encode(dict(sorted(fields.items())))
    if password is None:
        return gzip.compress(plain, mtime=0)
    salt, iv = secrets.token_bytes(_SALT), secrets.token_bytes(_IV)
    return salt + iv + AESGCM(_key(password, salt)).encrypt(iv, zlib.compress(plain), None)


def _key(password: str, salt: bytes) -> bytes:
    from argon2.low_level import Type, hash_secret_raw

    stretched = hash_secret_raw(
        password.encode("utf-8"), salt, time_cost=16, memory_cost=64 * 1024, parallelism=1, hash_len=32, type=Type.I
    )
    return hashlib.sha256(stretched).digest()


def _inflate(data: bytes, wbits: int) -> bytes:
    stream = zlib.decompressobj(wbits)
    try:
        plain = stream.decompress(data, LARGEST_ARCHIVE)
    except zlib.error as error:
        raise BadArchive("This is no archive of an account, or it is damaged.") from error
    if not stream.eof:
        raise BadArchive("This archive is not complete, or too large.")
    return plain


def _from_json(plain: bytes) -> Archive:
    try:
        fields = msgspec.json.decode(plain, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadArchive("This is no archive of an account: there is no JSON object in it.") from error
    known: dict[str, Any] = {}
    for name, field in _KEYS.items():
        value = fields.pop(name, "")
        try:
            known[field] = base64.b64decode(value, validate=True) if isinstance(value, str) else b""
        except (binascii.Error, ValueError) as error:
            raise BadArchive(f"This archive is damaged: {name} is not Base64.") from error
    for name, field in _MAPS.items():
        value = fields.pop(name, None)
        known[field] = value if isinstance(value, dict) else {}
    if not known["account_key"] or not known["account_chain"]:
        raise BadArchive("This archive holds no account: its key or its certificate is missing.")
    return Archive(**known, details=fields)
