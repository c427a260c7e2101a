"""Making certificates and lists of revoked ones, as the other clients of swarms make theirs.

    CA        CN=Jami CA,     UID=<its key id>       signed by itself
    account   CN=Jami,        UID=<account uri>      signed by the CA
    device    CN=Jami device, UID=<its short id>     signed by the account; no extensions at all

RSA keys of 4096 bits, sha384WithRSAEncryption, 10 x 365 days, names as PrintableString in the order CN, UID.  Written
as DER here, since libraries refuse the negative serials that a real account's devices have, also in a list of what it
revokes.  Our own serials are 8 random bytes without their highest bit, so that they are positive (RFC 5280 §4.1.2.2).

Source: RFC 5280 §4.1, §5.1; repository facts §1.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

KEY_BITS = 4096
VALID_S = 10 * 365 * 24 * 3600
_SHA384_RSA = bytes.fromhex("300d06092a864886f70d01010c0500")
_SHA512_RSA = bytes.fromhex("300d06092a864886f70d01010d0500")
_CN = bytes.fromhex("0603550403")
_UID = bytes.fromhex("060a0992268993f22c640101")
_TRUE = b"\x01\x01\xff"
_GENERALIZED_FROM = 2050  # RFC 5280 §4.1.2.5: UTCTime through the year 2049


class BadKey(Exception):
    """These bytes are no private RSA key."""


def make_key(bits: int = KEY_BITS) -> RSAPrivateKey:
    """A new key.  It takes about a second of one core."""
    return rsa.generate_private_key(65537, bits)


def key_pem(key: RSAPrivateKey) -> bytes:
    """PKCS#8, unencrypted."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(data: bytes) -> RSAPrivateKey:
    """Read a private key, PEM or DER.  Raises BadKey."""
    try:
        key = load_pem_private_key(data, None) if data.startswith(b"-----") else load_der_private_key(data, None)
    except (ValueError, TypeError) as error:
        raise BadKey("This is no private key, or it has a password.") from error
    if not isinstance(key, RSAPrivateKey):
        raise BadKey("This is no RSA key.")
    return key


def short_id(key: RSAPublicKey) -> str:
    """SHA-1 of the SubjectPublicKeyInfo: of an account, its uri."""
    return hashlib.sha1(spki(key), usedforsecurity=False).hexdigest()


def long_id(key: RSAPublicKey) -> str:
    """SHA-256 of the SubjectPublicKeyInfo: of a device, its id."""
    return hashlib.sha256(spki(key)).hexdigest()


def spki(key: RSAPublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def ca_certificate(key: RSAPrivateKey, now: int) -> bytes:
    """A certificate that signs itself, as DER.  now: seconds since 1970."""
    me = _name("Jami CA", short_id(key.public_key()))
    return _certificate(me, key, me, key.public_key(), now, _extensions(key.public_key()))


def account_certificate(ca: RSAPrivateKey, key: RSAPublicKey, now: int) -> bytes:
    """An account's certificate, as DER."""
    issuer = _name("Jami CA", short_id(ca.public_key()))
    return _certificate(issuer, ca, _name("Jami", short_id(key)), key, now, _extensions(key))


def device_certificate(account: RSAPrivateKey, key: RSAPublicKey, now: int) -> bytes:
    """A device's certificate under its account, as DER."""
    issuer = _name("Jami", short_id(account.public_key()))
    return _certificate(issuer, account, _name("Jami device", short_id(key)), key, now, b"")


def revocation_list(account: RSAPrivateKey, serials: Iterable[int], number: int, now: int) -> bytes:
    """A list of an account's revoked devices, as DER: X.509 v2, sha512WithRSA, with a CRL Number (row B14)."""
    at = _time(now)
    revoked = b"".join(_element(0x30, _integer(serial), at) for serial in sorted(serials))
    crl_number = _element(0x30, bytes.fromhex("0603551d14"), _element(0x04, _integer(number)))
    tbs = _element(
        0x30,
        _integer(1),
        _SHA512_RSA,
        _name("Jami", short_id(account.public_key())),
        at,
        _time(now + VALID_S),
        _element(0x30, revoked) if revoked else b"",
        _element(0xA0, _element(0x30, crl_number)),
    )
    signature = account.sign(tbs, PKCS1v15(), hashes.SHA512())
    return _element(0x30, tbs, _SHA512_RSA, _element(0x03, b"\0" + signature))


def pem(der: bytes, label: str = "CERTIFICATE") -> bytes:
    """PEM with lines of 64 letters that end in LF."""
    text = base64.b64encode(der).decode("ascii")
    lines = [text[at : at + 64] for at in range(0, len(text), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""]).encode("ascii")


# -- DER


def _certificate(
    issuer: bytes, signer: RSAPrivateKey, subject: bytes, key: RSAPublicKey, now: int, extensions: bytes
) -> bytes:
    tbs = _element(
        0x30,
        _element(0xA0, _integer(2)),  # version 3
        _integer(secrets.randbits(63) | 1),
        _SHA384_RSA,
        issuer,
        _element(0x30, _time(now), _time(now + VALID_S)),
        subject,
        spki(key),
        extensions,
    )
    signature = signer.sign(tbs, PKCS1v15(), hashes.SHA384())
    return _element(0x30, tbs, _SHA384_RSA, _element(0x03, b"\0" + signature))


def _extensions(key: RSAPublicKey) -> bytes:
    key_id = bytes.fromhex(short_id(key))
    identifier = _element(0x30, bytes.fromhex("0603551d0e"), _element(0x04, _element(0x04, key_id)))
    constraints = _element(0x30, bytes.fromhex("0603551d13"), _TRUE, _element(0x04, _element(0x30, _TRUE)))
    usage = _element(0x30, bytes.fromhex("0603551d0f"), _TRUE, _element(0x04, bytes.fromhex("03020106")))
    return _element(0xA3, _element(0x30, identifier, constraints, usage))


def _name(common: str, uid: str) -> bytes:
    parts = ((_CN, common), (_UID, uid))
    return _element(
        0x30, *(_element(0x31, _element(0x30, oid, _element(0x13, text.encode("ascii")))) for oid, text in parts)
    )


def _time(at: int) -> bytes:
    moment = datetime.fromtimestamp(at, UTC)
    if moment.year >= _GENERALIZED_FROM:
        return _element(0x18, moment.strftime("%Y%m%d%H%M%SZ").encode("ascii"))
    return _element(0x17, moment.strftime("%y%m%d%H%M%SZ").encode("ascii"))


def _integer(value: int) -> bytes:
    size = 1
    while not -(1 << (8 * size - 1)) <= value < 1 << (8 * size - 1):
        size += 1
    return _element(0x02, value.to_bytes(size, "big", signed=True))


def _element(tag: int, *content: bytes) -> bytes:
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes((tag, len(body))) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes((tag, 0x80 | size)) + len(body).to_bytes(size, "big") + body
