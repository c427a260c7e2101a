"""Packets of private sessions: two devices talk over a link of their own, off the record, by consent each time.

The server introduces the two devices to each other and sees nothing of what follows.  Each side makes a certificate for
the session; the server carries it to the other, so each end of the direct TLS 1.3 link knows whom it must meet.

    asker -- PRIVATE-START --> server -- PRIVATE-REQUEST --> every device of the other
    asker <-- PRIVATE-ANSWERED -- server <-- PRIVATE-ANSWER -- the device that says yes, and listens
    asker -- TLS 1.3, both certificates checked --> that device, which says PING when it has let them in;
    then PRIVATE, PRIVATE-BYE, PING and PONG, straight: JSON, one packet a line of at most 64 KiB

Where no direct TCP path exists, and for browsers, which cannot listen, the same packets travel over a WebRTC data
channel: START brings an offer, ANSWER its answer, both with all their ICE candidates in them, and the channel `private`
is authenticated by the DTLS fingerprints in the two.  A device may offer both ways; TLS is tried first.

Source: rows T42-T57, X11, X22.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from . import link
from .base import Address, ErrorCode, Failed, Login, Packet, Tag, Text

PRIVATE_ANSWER_S = 60.0
"""A request that nobody has answered for so long is over."""

PrivateId = Annotated[str, Meta(min_length=1, max_length=64, description="of one private session, made by the server")]
Certificate = Annotated[
    str,
    Meta(max_length=4096, description="X.509, DER, Base64; made for this session by its device; empty: not by TLS"),
]
Sdp = Annotated[str, Meta(max_length=24 * 1024, description="of WebRTC, all candidates in it; empty: not by this way")]
Port = Annotated[int, Meta(ge=0, le=65_535)]


class PrivateStart(Packet, kw_only=True, tag="PRIVATE-START"):
    """Asks somebody for a private session with this device.  Answer: PRIVATE-START-OK or -FAILED."""

    login: Login
    certificate: Certificate = ""
    sdp: Sdp = ""
    tag: Tag | None = None


class PrivateStartOk(Packet, kw_only=True, tag="PRIVATE-START-OK"):
    """They are asked.  PRIVATE-ANSWERED or PRIVATE-STOPPED follows."""

    id: PrivateId
    login: Address
    tag: Tag | None = None


class PrivateStartFailed(Failed, kw_only=True, tag="PRIVATE-START-FAILED"):
    """Codes: unknown-user, self, offline, not-friends, forbidden (I block them), already-there (a request waits),
    too-many; classic profile: blocked.
    """


class PrivateRequest(Packet, kw_only=True, tag="PRIVATE-REQUEST"):
    """`from` would like to talk privately.  The first device of mine that answers does so for all."""

    id: PrivateId
    from_: Address = field(name="from")
    certificate: Certificate = ""
    sdp: Sdp = ""


class PrivateAnswer(Packet, kw_only=True, tag="PRIVATE-ANSWER"):
    """Yes, with where this device listens, or no.  Answer: PRIVATE-ANSWER-OK or -FAILED."""

    id: PrivateId
    accepted: bool
    port: Port = 0
    addresses: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=8)] = []  # noqa: RUF012
    """Where else this device may be reached, besides the address that the server sees."""
    certificate: Certificate = ""
    sdp: Sdp = ""
    tag: Tag | None = None


class PrivateAnswerOk(Packet, kw_only=True, tag="PRIVATE-ANSWER-OK"):
    """They are told; the link comes from them."""

    id: PrivateId
    tag: Tag | None = None


class PrivateAnswerFailed(Failed, kw_only=True, tag="PRIVATE-ANSWER-FAILED"):
    """Codes: unknown-request (withdrawn, or answered by another device of mine), bad-request."""


class PrivateAnswered(Packet, kw_only=True, tag="PRIVATE-ANSWERED"):
    """What the other said; after a yes, where to connect and whom to expect there."""

    id: PrivateId
    from_: Address = field(name="from")
    accepted: bool
    port: Port = 0
    addresses: list[str] = []  # noqa: RUF012 - msgspec gives each packet its own
    certificate: str = ""
    sdp: str = ""


class PrivateStop(Packet, kw_only=True, tag="PRIVATE-STOP"):
    """Withdraws a request.  A session that stands ends by PRIVATE-BYE on its own link.  Answer: -OK or -FAILED."""

    id: PrivateId
    tag: Tag | None = None


class PrivateStopOk(Packet, kw_only=True, tag="PRIVATE-STOP-OK"):
    """Withdrawn."""

    id: PrivateId
    tag: Tag | None = None


class PrivateStopFailed(Failed, kw_only=True, tag="PRIVATE-STOP-FAILED"):
    """Code: unknown-request."""


class PrivateStopped(Packet, kw_only=True, tag="PRIVATE-STOPPED"):
    """A request is over without an answer: withdrawn, timed out, the other left, or another device of mine answered."""

    id: PrivateId
    code: ErrorCode
    reason: str = ""


# -- on the direct link, where no server is


class PrivateText(Packet, kw_only=True, tag="PRIVATE"):
    """One text, straight from the other device."""

    text: Text


class PrivateBye(Packet, kw_only=True, tag="PRIVATE-BYE"):
    """The other ends the session: `logged-out`, or nothing particular."""

    code: ErrorCode | None = None


DirectPacket = PrivateText | PrivateBye | link.Ping | link.Pong
