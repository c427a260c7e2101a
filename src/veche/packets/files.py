"""Packets of files: kept on the home server for a while, or passed through it to somebody who has said yes.

The bytes never come over the link of packets: each request is answered by a `url`, a path at this server over HTTPS.
It holds a random token for one file and one way, so whoever holds it needs no other proof; docs/protocol.md, "Files".

    FILE-UPLOAD --> FILE-UPLOAD-OK, PUT; then MESSAGE files=[id] --> FILE-DOWNLOAD --> FILE-DOWNLOAD-OK, GET

    sender -- SEND-FILE-PROXY --> server -- -REQUEST --> every device of the receiver, and the sender gets -ASKED
    sender <-- -OK or -REJECTED -- server <-- -ACCEPT or -REJECT -- the device that answers
    sender -- PUT --> server -- -READY --> that device -- GET; the bytes pass through as they come
    both <-- -COMPLETED, or -CANCELLED after -CANCEL by either or too long a silence

Source: document 003, "Отправка файлов"; rows M48-M58, X18, X22; RFC 9110.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from .base import Address, ErrorCode, Failed, Login, Packet, Tag

ACCEPT_S = 300.0
"""A direct transfer that nobody has answered for so long is over."""
STALL_S = 600.0
"""One of which no byte has moved for so long is over, too."""

FileId = Annotated[str, Meta(min_length=1, max_length=64, description="made by the server, unguessable")]
FileName = Annotated[
    str, Meta(min_length=1, max_length=1024, description="any text; the server makes a plain name of it")
]
FileBytes = Annotated[int, Meta(ge=0, le=2**53 - 1, description="size")]
Sha256 = Annotated[str, Meta(min_length=64, max_length=64, description="of the whole file, hexadecimal, lower case")]
FileIds = Annotated[list[FileId], Meta(max_length=10, description="one's own complete uploads")]
TransferId = Annotated[str, Meta(min_length=1, max_length=64, description="of one direct transfer, made by the server")]
Url = Annotated[str, Meta(max_length=1024, description="a path at this server; whoever holds it may use it")]


class FileInfo(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One file, as everyone sees it."""

    id: FileId
    name: str
    """Plain: no path, no control characters, at most 200 bytes of UTF-8."""
    type: str = "application/octet-stream"
    """What the content says it is, whatever the sender said."""
    bytes: FileBytes
    sha256: Sha256
    width: int | None = None
    """Of a picture, in pixels, as it is to be shown."""
    height: int | None = None
    preview: bool = False
    """FILE-DOWNLOAD has a small picture of it."""
    warning: str = ""
    """`program`: it may run when it is opened."""


# -- files that are kept, for messages


class FileUpload(Packet, kw_only=True, tag="FILE-UPLOAD"):
    """Asks for a place for a file, or goes on with one that broke off.  Answer: FILE-UPLOAD-OK or -FAILED."""

    name: FileName
    bytes: FileBytes
    sha256: Sha256 | None = None
    """What arrives must have it.  An upload of mine of the same size and SHA-256 is continued, or found to be whole."""
    id: FileId | None = None
    """The unfinished upload to go on with; `bytes` and `sha256` are as they were."""
    tag: Tag | None = None


class FileUploadOk(Packet, kw_only=True, tag="FILE-UPLOAD-OK"):
    """PUT the bytes from `offset` on to `url`, with the header `Upload-Offset`."""

    id: FileId
    url: Url = ""
    """Empty: everything has arrived."""
    offset: FileBytes = 0
    expires_s: float = 0
    """The url holds so long after it was last used."""
    file: FileInfo | None = None
    """There once everything has arrived."""
    tag: Tag | None = None


class FileUploadFailed(Failed, kw_only=True, tag="FILE-UPLOAD-FAILED"):
    """Codes: too-large, too-many (unfinished uploads, or bytes of this account), storage-full, unknown-id."""


class FileDownload(Packet, kw_only=True, tag="FILE-DOWNLOAD"):
    """Asks for a file of a message that one can see, or of one's own.  Answer: FILE-DOWNLOAD-OK or -FAILED."""

    id: FileId
    preview: bool = False
    """The small picture instead: WebP, at most 512 pixels a side."""
    tag: Tag | None = None


class FileDownloadOk(Packet, kw_only=True, tag="FILE-DOWNLOAD-OK"):
    """GET the bytes from `url`, or some of them with `Range`, until the last byte has been fetched."""

    file: FileInfo
    url: Url
    expires_s: float
    tag: Tag | None = None


class FileDownloadFailed(Failed, kw_only=True, tag="FILE-DOWNLOAD-FAILED"):
    """Code: unknown-id: there is none, no longer, or not for you; or it has no preview."""


# -- files that pass through, from one person to another who has said yes


class SendFileProxy(Packet, kw_only=True, tag="SEND-FILE-PROXY"):
    """Offers somebody a file.  Answer: SEND-FILE-PROXY-ASKED or -FAILED; then -OK, -REJECTED or -CANCELLED."""

    to: Login
    filename: FileName
    size: FileBytes
    """In bytes."""
    sha256: Sha256 | None = None
    tag: Tag | None = None


class SendFileProxyAsked(Packet, kw_only=True, tag="SEND-FILE-PROXY-ASKED"):
    """Their devices are asked, as soon as one is there."""

    transfer_id: TransferId = field(name="transfer-id")
    to: Address
    expires_s: float
    tag: Tag | None = None


class SendFileProxyFailed(Failed, kw_only=True, tag="SEND-FILE-PROXY-FAILED"):
    """Nobody is asked.  Codes: unknown-user, self, too-large, too-many, storage-full; classic profile: blocked."""


class SendFileProxyRequest(Packet, kw_only=True, tag="SEND-FILE-PROXY-REQUEST"):
    """`from` offers a file.  The first device of mine that answers does so for all; no byte moves before."""

    transfer_id: TransferId = field(name="transfer-id")
    from_: Address = field(name="from")
    filename: str
    """Plain, as in FileInfo."""
    size: FileBytes
    warning: str = ""
    """`program`: by its name it may run when it is opened."""
    sha256: str = ""
    """What the sender says it is."""


class SendFileProxyAccept(Packet, kw_only=True, tag="SEND-FILE-PROXY-ACCEPT"):
    """Yes.  Answer: -OK or -FAILED; SEND-FILE-PROXY-READY follows with the first byte."""

    transfer_id: TransferId = field(name="transfer-id")
    tag: Tag | None = None


class SendFileProxyAcceptOk(Packet, kw_only=True, tag="SEND-FILE-PROXY-ACCEPT-OK"):
    """The sender is told."""

    transfer_id: TransferId = field(name="transfer-id")
    tag: Tag | None = None


class SendFileProxyAcceptFailed(Failed, kw_only=True, tag="SEND-FILE-PROXY-ACCEPT-FAILED"):
    """Codes: unknown-request (over, or answered by another device of mine), storage-full."""


class SendFileProxyReject(Packet, kw_only=True, tag="SEND-FILE-PROXY-REJECT"):
    """No.  Answer: -OK or -FAILED."""

    transfer_id: TransferId = field(name="transfer-id")
    tag: Tag | None = None


class SendFileProxyRejectOk(Packet, kw_only=True, tag="SEND-FILE-PROXY-REJECT-OK"):
    """The sender is told."""

    transfer_id: TransferId = field(name="transfer-id")
    tag: Tag | None = None


class SendFileProxyRejectFailed(Failed, kw_only=True, tag="SEND-FILE-PROXY-REJECT-FAILED"):
    """Code: unknown-request."""


class SendFileProxyCancel(Packet, kw_only=True, tag="SEND-FILE-PROXY-CANCEL"):
    """Either side ends a transfer.  Answer: -OK or -FAILED; the other side gets SEND-FILE-PROXY-CANCELLED."""

    transfer_id: TransferId = field(name="transfer-id")
    tag: Tag | None = None


class SendFileProxyCancelOk(Packet, kw_only=True, tag="SEND-FILE-PROXY-CANCEL-OK"):
    """It is over; what had arrived is removed."""

    transfer_id: TransferId = field(name="transfer-id")
    tag: Tag | None = None


class SendFileProxyCancelFailed(Failed, kw_only=True, tag="SEND-FILE-PROXY-CANCEL-FAILED"):
    """Code: unknown-request."""


class SendFileProxyOk(Packet, kw_only=True, tag="SEND-FILE-PROXY-OK"):
    """They said yes: PUT the bytes to `url`, or send them to `connect`:`port` after the line TRANSFER."""

    transfer_id: TransferId = field(name="transfer-id")
    connect: str
    """Host.  A client that reached the server by another name may go on using that."""
    port: int
    token: str
    """For the line TRANSFER; the url holds the same one."""
    url: Url


class SendFileProxyRejected(Packet, kw_only=True, tag="SEND-FILE-PROXY-REJECTED"):
    """They said no."""

    transfer_id: TransferId = field(name="transfer-id")


class SendFileProxyReady(Packet, kw_only=True, tag="SEND-FILE-PROXY-READY"):
    """The bytes have begun to come: GET them from `url`, which waits for those that are not there yet."""

    transfer_id: TransferId = field(name="transfer-id")
    connect: str
    port: int
    token: str
    url: Url
    sha256: str = ""
    """What the sender says it is; -COMPLETED tells what it was."""


class SendFileProxyCompleted(Packet, kw_only=True, tag="SEND-FILE-PROXY-COMPLETED"):
    """The last byte has been fetched.  Told to the two devices."""

    transfer_id: TransferId = field(name="transfer-id")
    sha256: str
    """Of what passed the server; a receiver that has another one throws the file away."""


class SendFileProxyCancelled(Packet, kw_only=True, tag="SEND-FILE-PROXY-CANCELLED"):
    """It is over without the file.

    Codes: withdrawn (the other side cancelled), no-answer (not answered, or nothing moved, for too long), answered (by
    another device of mine), wrong-hash, storage-full.
    """

    transfer_id: TransferId = field(name="transfer-id")
    code: ErrorCode
    reason: str = ""
