"""X.509 as swarm repositories hold it: read with tolerance, checked with none.

Real certificates have negative serial numbers, which libraries refuse or are about to; so the few fields that rules
need are read here from the DER itself.  Keys and signatures are the library's matter.

    key id of an account    SHA-1 of the DER SubjectPublicKeyInfo, 40 hexadecimal digits: its uri
    device id               SHA-256 of the same of the device's key, 64 digits

Source: RFC 5280 §4.1, §5.1; repository facts §1.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

LARGEST_CERTIFICATE = 64 * 1024
"""More than this is no certificate file."""
SMALLEST_KEY_BITS, LARGEST_KEY_BITS = 2048, 8192
LARGEST_EXPONENT = 2**32
"""With a larger one, each check of a signature would cost a hundred times as much."""

_UID = bytes.fromhex("0992268993f22c640101")  # 0.9.2342.19200300.100.1.1
_HASHES: dict[bytes, hashes.HashAlgorithm] = {
    bytes.fromhex("2a864886f70d01010b"): hashes.SHA256(),
    bytes.fromhex("2a864886f70d01010c"): hashes.SHA384(),
    bytes.fromhex("2a864886f70d01010d"): hashes.SHA512(),
}
_SEQUENCE, _SET, _INTEGER, _OID, _BITS = 0x30, 0x31, 0x02, 0x06, 0x03


class BadCertificate(Exception):
    """These bytes are no certificate, or none of a kind that is used here."""


class Certificate(NamedTuple):
    """What rules need to know of a certificate."""

    serial: int
    issuer_uid: str
    subject_uid: str
    not_after: int
    """Seconds since 1970."""
    key_id: str
    """Short: SHA-1."""
    long_id: str
    """SHA-256."""
    key: RSAPublicKey
    signed: bytes
    signature: bytes
    algorithm: hashes.HashAlgorithm

    def is_signed_by(self, key: RSAPublicKey) -> bool:
        """Whether that key signed it."""
        return is_signature(key, self.signature, self.signed, self.algorithm)


def is_signature(key: RSAPublicKey, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm) -> bool:
    """Whether an RSASSA-PKCS1-v1_5 signature holds."""
    try:
        key.verify(signature, data, PKCS1v15(), algorithm)
    except (InvalidSignature, ValueError):
        return False
    return True


def blocks(data: bytes, label: bytes = b"CERTIFICATE") -> list[bytes]:
    """The DER of each PEM block of that label, in order.  Raises BadCertificate."""
    if len(data) > LARGEST_CERTIFICATE:
        raise BadCertificate("It is too large.")
    begin, end = b"-----BEGIN " + label + b"-----", b"-----END " + label + b"-----"
    found: list[bytes] = []
    for part in data.split(begin)[1:]:
        body, mark, _ = part.partition(end)
        if not mark:
            raise BadCertificate("It breaks off.")
        try:
            found.append(base64.b64decode(b"".join(body.split()), validate=True))
        except binascii.Error as error:
            raise BadCertificate("It is not Base64.") from error
    return found


@lru_cache(maxsize=4096)
def first_certificate(data: bytes) -> Certificate:
    """The first certificate of a PEM file.  Raises BadCertificate."""
    found = blocks(data)
    if not found:
        raise BadCertificate("There is no certificate in it.")
    return parse(found[0])


@lru_cache(maxsize=4096)
def is_issued(device: bytes, account: bytes) -> bool:
    """Whether the account of one PEM file signed the certificate of the other.  Raises BadCertificate."""
    return first_certificate(device).is_signed_by(first_certificate(account).key)


def parse(der: bytes) -> Certificate:
    """Read a certificate.  Raises BadCertificate, for any bytes, and nothing else."""
    try:
        return _parse(der)
    except (ValueError, IndexError, TypeError, OverflowError, UnsupportedAlgorithm) as error:
        raise BadCertificate("It is no certificate.") from error


def _parse(der: bytes) -> Certificate:
    tag, start, end = _element(der, 0)
    if tag != _SEQUENCE or end != len(der):
        raise ValueError
    tbs_tag, tbs_start, tbs_end = _element(der, start)
    algorithm_tag, algorithm_start, algorithm_end = _element(der, tbs_end)
    bits_tag, bits_start, bits_end = _element(der, algorithm_end)
    if (tbs_tag, algorithm_tag, bits_tag) != (_SEQUENCE, _SEQUENCE, _BITS) or der[bits_start] != 0:
        raise ValueError
    fields = _elements(der, tbs_start, tbs_end)
    if fields[0][0] == 0xA0:  # version
        fields = fields[1:]
    serial, _, issuer, validity, subject, info = fields[:6]
    if serial[0] != _INTEGER or info[0] != _SEQUENCE:
        raise ValueError
    spki = der[info[1] : info[3]]
    key = load_der_public_key(spki)
    if not isinstance(key, RSAPublicKey) or not SMALLEST_KEY_BITS <= key.key_size <= LARGEST_KEY_BITS:
        raise BadCertificate("Its key is not an RSA key of a usual size.")
    if key.public_numbers().e > LARGEST_EXPONENT:
        raise BadCertificate("Its key has an unusual exponent.")
    algorithm = _HASHES.get(_oid(der, algorithm_start))
    if algorithm is None:
        raise BadCertificate("It is signed in a way that is not used here.")
    times = _elements(der, validity[2], validity[3])
    return Certificate(
        serial=int.from_bytes(der[serial[2] : serial[3]], "big", signed=True),
        issuer_uid=_uid(der, issuer),
        subject_uid=_uid(der, subject),
        not_after=_time(times[1][0], der[times[1][2] : times[1][3]]),
        key_id=hashlib.sha1(spki, usedforsecurity=False).hexdigest(),
        long_id=hashlib.sha256(spki).hexdigest(),
        key=key,
        signed=der[start:tbs_end],
        signature=der[bits_start + 1 : bits_end],
        algorithm=algorithm,
    )


def revoked_serials(data: bytes, issuer: RSAPublicKey) -> frozenset[int]:
    """The serials of a CRL, PEM or DER, that `issuer` signed.  Raises BadCertificate."""
    found = blocks(data, b"X509 CRL") or [data]
    serials: set[int] = set()
    try:
        for der in found:
            serials |= _revoked(der, issuer)
    except (ValueError, IndexError) as error:
        raise BadCertificate("It is no list of revoked certificates.") from error
    return frozenset(serials)


def _revoked(der: bytes, issuer: RSAPublicKey) -> set[int]:
    tag, start, end = _element(der, 0)
    if tag != _SEQUENCE or end != len(der):
        raise ValueError
    _, tbs_start, tbs_end = _element(der, start)
    _, algorithm_start, algorithm_end = _element(der, tbs_end)
    _, bits_start, bits_end = _element(der, algorithm_end)
    algorithm = _HASHES.get(_oid(der, algorithm_start))
    if algorithm is None or not is_signature(issuer, der[bits_start + 1 : bits_end], der[start:tbs_end], algorithm):
        raise BadCertificate("The account did not sign this list of revoked certificates.")
    serials: set[int] = set()
    fields = _elements(der, tbs_start, tbs_end)
    lists = [one for one in fields[1:] if one[0] == _SEQUENCE]  # algorithm, issuer, perhaps the revoked
    for _, _, entry_start, entry_end in _elements(der, lists[2][2], lists[2][3]) if len(lists) > 2 else ():
        kind, at, until = _element(der, entry_start)
        if kind != _INTEGER or until > entry_end:
            raise ValueError
        serials.add(int.from_bytes(der[at:until], "big", signed=True))
    return serials


# -- DER


def _element(der: bytes, at: int) -> tuple[int, int, int]:
    """An element's tag, and where its content starts and ends.  Raises ValueError, IndexError."""
    tag, length = der[at], der[at + 1]
    start = at + 2
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4:
            raise ValueError
        length = int.from_bytes(der[start : start + count], "big")
        start += count
    if start + length > len(der):
        raise ValueError
    return tag, start, start + length


def _elements(der: bytes, start: int, end: int) -> list[tuple[int, int, int, int]]:
    """All elements of a content: tag, where it starts, where its content starts, where it ends."""
    found: list[tuple[int, int, int, int]] = []
    while start < end:
        tag, content, stop = _element(der, start)
        if stop > end:
            raise ValueError
        found.append((tag, start, content, stop))
        start = stop
    return found


def _oid(der: bytes, at: int) -> bytes:
    tag, start, end = _element(der, at)
    if tag != _OID:
        raise ValueError
    return der[start:end]


def _uid(der: bytes, name: tuple[int, int, int, int]) -> str:
    """The UID of a distinguished name, empty for none."""
    for _, _, set_start, set_end in _elements(der, name[2], name[3]):
        for _, _, start, _ in _elements(der, set_start, set_end):
            tag, oid_start, oid_end = _element(der, start)
            if tag == _OID and der[oid_start:oid_end] == _UID:
                _, text_start, text_end = _element(der, oid_end)
                return der[text_start:text_end].decode("utf-8")
    return ""


def _time(tag: int, content: bytes) -> int:
    """UTCTime or GeneralizedTime as seconds since 1970.  Raises ValueError."""
    text = content.decode("ascii")
    if not text.endswith("Z"):
        raise ValueError
    if tag == 0x17:  # RFC 5280 §4.1.2.5.1: 50 to 99 are of the last century
        text = ("19" if text[:2] >= "50" else "20") + text
    return int(datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp())
