"""Invite links: where others reach this server, a code, and the certificate to expect there.

The link is `https://HOST:PORT/invite/CODE#sha256=HEX`; the fingerprint is that of a certificate that no authority
vouches for.  What stands after # is never sent to a server (RFC 9110 §4.2.5).

Source: rows B134 (partly), A25 (partly); DESIGN of the one port: links carry the fingerprint.
"""

from __future__ import annotations

import re
import secrets
import socket

from msgspec import Struct

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Place(Struct, frozen=True, kw_only=True):
    """Where a server listens; it writes this down at each start, for `veche invite`."""

    host: str
    port: int
    domain: str
    fingerprint: str
    """Of a self-made certificate; else empty."""


def new_code() -> str:
    """A code of 80 random bits that people can read out."""
    return "-".join(secrets.token_hex(2) for _ in range(5))


def link(place: Place, code: str, where: str | None = None) -> str:
    """The invite link.  where: HOST[:PORT], when the server cannot know how others reach it; else its own port."""
    where = where or host_of(place)
    port = "" if re.search(r":\d+$", where) else f":{place.port}"
    end = f"#sha256={place.fingerprint}" if place.fingerprint else ""
    return f"https://{where}{port}/invite/{code}{end}"


def setup_links(place: Place, code: str) -> list[str]:
    """Where the page is that makes the first account: on this machine, and from others when they can connect.

    On this machine it is plain HTTP, so that no browser warns of the self-made certificate.
    """
    on_this = {
        "127.0.0.1": "127.0.0.1",
        "localhost": "127.0.0.1",
        "0.0.0.0": "127.0.0.1",
        "::1": "[::1]",
        "::": "[::1]",
    }
    links = [f"http://{on_this[place.host]}:{place.port}/setup/{code}"] if place.host in on_this else []
    if place.host not in LOOPBACK:
        links.append(f"https://{host_of(place)}:{place.port}/setup/{code}")
    return links


def host_of(place: Place) -> str:
    """How others name this machine: its domain, the one address it listens on, or the one it has in its network."""
    if "." in place.domain:
        return place.domain
    if place.host not in ("0.0.0.0", "::"):
        return f"[{place.host}]" if ":" in place.host else place.host
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing; the system chooses the address it would send from
            return probe.getsockname()[0]
        except OSError:
            return socket.gethostname()
