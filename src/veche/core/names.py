"""What a login may be, and how an address `login@domain` is written.

One rule says which spellings are one name: PRECIS.  `UsernameCaseMapped` (RFC 8265 §3.3) is the rule of a server:
Alice, alice and full-width ａｌｉｃｅ are one name, and so are composed and decomposed é.  `UsernameCasePreserved`
(§3.4) is the rule of the classic profile, where Yoda is not yoda (row T03), and of whoever passes on what was typed
without knowing the server's rule.  A domain is compared in lower case.  Everything that leaves this module is normal:
checking it again gives the same text.

Source: rows A09, M04, T03; RFC 8264, RFC 8265; RFC 7622 §3.3.1 for the characters that a local part may not have.
"""

from __future__ import annotations

import re
from functools import cache
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from precis_i18n.profile import Profile

MAX_LOGIN = 64
"""Longest login, in code points of its normal form."""
MAX_DOMAIN = 253
"""Longest domain, in characters (RFC 1035 §2.3.4, without the final dot)."""

_FORBIDDEN = frozenset("\"&'/:<>@")
_ASCII_LOGIN = re.compile(r"[!#-%(-.0-9;=?A-Z\[-~]{1,64}")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_LONGEST_DECOMPOSITION = 4
"""No code point decomposes canonically into more than four (Unicode Standard Annex 15, stability of NFC)."""
_TOO_LONG = f"A name has at most {MAX_LOGIN} characters."
_SENTENCES = {
    "empty": "A name has at least one character.",
    "spaces": "A name may not have spaces.",
    "bidi_rule": "A name may not mix letters written from right to left with others.",
}
"""By the reason why PRECIS refuses a whole text; every other reason is about one character."""


class BadLogin(ValueError):
    """The text is no login or no address.  Its message is a sentence for the person who typed it."""


def normal_login(text: str, *, keeps_case: bool = False) -> str:
    """Return the login in its one spelling, 1..64 code points; in lower case unless keeps_case.

    Refused with BadLogin: what PRECIS refuses (spaces, signs and symbols beyond ASCII, invisible characters where no
    script needs them, mixed directions of writing), and any of `"&'/:<>@`.
    Idempotent: `normal_login(normal_login(x)) == normal_login(x)` (RFC 8264 §7); and where keeps_case lets `x` pass,
    `normal_login(normal_login(x, keeps_case=True)) == normal_login(x)`.
    Unassigned is judged by the Unicode version of this Python.
    Source: RFC 8265 §3.3, §3.4; RFC 7622 §3.3.1: "... excluding the following ... characters" `"&'/:<>@`.
    """
    if _ASCII_LOGIN.fullmatch(text):
        return text if keeps_case else text.lower()
    if len(text) > MAX_LOGIN * _LONGEST_DECOMPOSITION:  # no mapping shrinks it enough, so it is not looked at
        raise BadLogin(_TOO_LONG)
    profile = _profile(keeps_case)
    try:
        mapped = profile.apply_five_rules(text)
        if len(mapped) > MAX_LOGIN:  # seen before `enforce`, whose time for some characters grows with the square
            raise BadLogin(_TOO_LONG)
        login = profile.enforce(mapped)
    except UnicodeEncodeError as error:
        reason = error.reason.rpartition("/")[2]
        raise BadLogin(_SENTENCES.get(reason) or _no_such(error.object[error.start])) from None
    for char in login:
        if char in _FORBIDDEN:
            raise BadLogin(_no_such(char))
    return login


@cache
def _profile(keeps_case: bool) -> Profile:
    """The PRECIS profile.  Loaded for the first name that is not ASCII: no start waits for its tables."""
    from precis_i18n import get_profile

    return get_profile("UsernameCasePreserved" if keeps_case else "UsernameCaseMapped")


def _no_such(char: str) -> str:
    shown = char if char.isprintable() else f"U+{ord(char):04X}"
    return f"A name is made of letters, digits and signs such as . _ or -; it may not have {shown} here."


def split_address(text: str, *, keeps_case: bool = False) -> tuple[str, str | None]:
    """Return login and domain of `login` or `login@domain`; the domain is None when there is no `@`.

    The login is normal (`normal_login`), the domain in lower case: a host name (ASCII, international ones in their
    `xn--` form), an IPv4 address, or an IPv6 address in brackets, which is shortened.  Anything else raises BadLogin.
    """
    login, at, domain = text.partition("@")
    return normal_login(login, keeps_case=keeps_case), _normal_domain(domain) if at else None


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
