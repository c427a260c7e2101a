"""What a login may be, and how an address `login@domain` is written.

A login is compared code point by code point after NFC; its case is kept and counts (row T03).  A domain is compared in
lower case.  Everything that leaves this module is normal: checking it again gives the same text.

Source: rows A09, M04, T03; RFC 7622 §3.3.1 for the characters that a local part may not have.
"""

from __future__ import annotations

import re
import unicodedata
from ipaddress import AddressValueError, IPv6Address

MAX_LOGIN = 64
"""Longest login, in code points after NFC."""
MAX_DOMAIN = 253
"""Longest domain, in characters (RFC 1035 §2.3.4, without the final dot)."""

_FORBIDDEN = frozenset("\"&'/:<>@")
_ASCII_LOGIN = re.compile(r"[!#-%(-.0-9;=?A-Z\[-~]{1,64}")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_DECOMPOSITION = 4
"""No code point decomposes canonically into more than four (Unicode Standard Annex 15, stability of NFC)."""


class BadLogin(ValueError):
    """The text is no login or no address.  Its message is a sentence for the person who typed it."""


def normal_login(text: str) -> str:
    """Return the login in its one spelling: NFC, case kept, 1..64 code points.

    Refused with BadLogin: whitespace, the categories C* (control, format, surrogate, private, unassigned) and Z*
    (separators), and any of `"&'/:<>@`.  Idempotent: `normal_login(normal_login(x)) == normal_login(x)`.
    Unassigned is judged by the Unicode version of this Python.
    Source: RFC 7622 §3.3.1: "... excluding the following ... characters" `"&'/:<>@`; the space is one more of them.
    """
    if _ASCII_LOGIN.fullmatch(text):
        return text
    if not text:
        raise BadLogin("A name has at least one character.")
    if len(text) > MAX_LOGIN * _LONGEST_DECOMPOSITION:  # cannot shrink enough; NFC need not look at it
        raise BadLogin(f"A name has at most {MAX_LOGIN} characters.")
    login = unicodedata.normalize("NFC", text)
    if len(login) > MAX_LOGIN:
        raise BadLogin(f"A name has at most {MAX_LOGIN} characters.")
    for char in login:
        if char in _FORBIDDEN or (
            not char.isascii() and not _FORBIDDEN.isdisjoint(unicodedata.normalize("NFKC", char))
        ):
            raise BadLogin(f"A name may not have the character {char}")
        if char.isspace() or unicodedata.category(char)[0] in "CZ":
            raise BadLogin(f"A name may not have spaces or invisible characters (U+{ord(char):04X}).")
    return login


def split_address(text: str) -> tuple[str, str | None]:
    """Return login and domain of `login` or `login@domain`; the domain is None when there is no `@`.

    The login is normal, the domain in lower case: a host name (ASCII, international ones in their `xn--` form), an
    IPv4 address, or an IPv6 address in brackets, which is shortened.  Anything else raises BadLogin.
    """
    login, at, domain = text.partition("@")
    if not at:
        return normal_login(login), None
    return normal_login(login), _normal_domain(domain)


def _normal_domain(domain: str) -> str:
    if len(domain) <= MAX_DOMAIN:
        if _DOMAIN.fullmatch(domain):
            return domain.lower()
        if domain.startswith("[") and domain.endswith("]") and "%" not in domain:
            try:
                return f"[{IPv6Address(domain[1:-1]).compressed}]"
            except AddressValueError:
                pass
    raise BadLogin("After @ stands the name of a server, such as example.org.")
