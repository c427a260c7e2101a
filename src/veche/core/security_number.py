"""The security number of a call: what two people compare, by reading it aloud, to know that nobody sits between them.

Media is encrypted between the two certificates of a connection (DTLS), whose fingerprints travel through the server.
Who wanted to listen would have to put certificates of their own there, and the two ends would compute different
numbers.  The number is of one connection: another connection has other certificates.

    SHA-512 of `veche security number 1`, the lower and the higher of the two SHA-256 fingerprints, each on a line
    8 times five bytes of it, big-endian, modulo 100,000: 8 groups of five digits, 132 bits

Fingerprints are compared as 64 hexadecimal digits in capitals, as SDP writes them (RFC 8122) without its colons.

The twin of web/src/core/security-number.ts; protocol/vectors/security-number.json holds them together.
Source: the groups are those of Signal's safety numbers; what is compared, RFC 8827 §6.5 and RFC 5763.
"""

from __future__ import annotations

import hashlib
import re

DOMAIN = "veche security number 1"
GROUPS = 8
GROUP_BYTES = 5
FINGERPRINT = re.compile(r"[0-9A-F]{64}")


def of(one: str, other: str) -> str:
    """The number of two SHA-256 fingerprints in either order, with or without colons.  Raises ValueError for others."""
    lines = [DOMAIN, *sorted((normalised(one), normalised(other)))]
    digest = hashlib.sha512("".join(f"{line}\n" for line in lines).encode()).digest()
    parts = (digest[start : start + GROUP_BYTES] for start in range(0, GROUPS * GROUP_BYTES, GROUP_BYTES))
    return " ".join(f"{int.from_bytes(part, 'big') % 100_000:05}" for part in parts)


def normalised(fingerprint: str) -> str:
    """64 digits in capitals."""
    digits = fingerprint.replace(":", "").upper()
    if not FINGERPRINT.fullmatch(digits):
        raise ValueError(f"not the SHA-256 fingerprint of a certificate: {fingerprint!r}")
    return digits
