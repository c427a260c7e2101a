"""What can go wrong for a user of the client library; each message is a sentence that may be shown to a person."""

from __future__ import annotations

from veche.net.dial import CannotConnect, CertificateChanged, DialError, NotVeche, UntrustedCertificate
from veche.packets import ERROR_TEXT, ErrorCode, Failed, ServerPacket
from veche.packets.link import Error, ErrorNotImplemented

UNANSWERED = "The link broke before the answer came; look whether it was done."


class ClientError(Exception):
    """Base of what this library raises, apart from the DialErrors."""


class RequestFailed(ClientError):
    """A request was refused, by the server (`<REQUEST>-FAILED`, ERROR-NOT-IMPLEMENTED) or, before it was sent, by us.

    code: an ErrorCode.  retry_after_s: when to try again, if waiting helps.
    """

    def __init__(self, code: ErrorCode, reason: str = "", retry_after_s: float | None = None) -> None:
        self.code, self.retry_after_s = code, retry_after_s
        self.reason = reason or ERROR_TEXT[code]
        super().__init__(self.reason)


class LoginRefused(RequestFailed):
    """The server did not let us in."""


class LinkLost(ClientError):
    """The link broke before the answer came, and asking again could do the thing twice: look whether it was done."""


class ClientEnded(ClientError):
    """The client is logged out for good and will not connect again.  code: why."""

    def __init__(self, code: ErrorCode, reason: str = "") -> None:
        self.code = code
        self.reason = reason or ERROR_TEXT[code]
        super().__init__(self.reason)


def checked(answer: ServerPacket | None) -> ServerPacket:
    """The answer, unless it is a refusal: that is raised as RequestFailed."""
    if answer is None:
        raise RequestFailed(ErrorCode.INTERNAL_ERROR, "The server answered with what this client cannot read.")
    if isinstance(answer, Failed):
        raise RequestFailed(answer.code, answer.reason, answer.retry_after_s)
    if isinstance(answer, Error):
        raise RequestFailed(answer.code, answer.reason)
    if isinstance(answer, ErrorNotImplemented):
        raise RequestFailed(ErrorCode.NOT_IMPLEMENTED)
    return answer


__all__ = [
    "CannotConnect",
    "CertificateChanged",
    "ClientEnded",
    "ClientError",
    "DialError",
    "LinkLost",
    "LoginRefused",
    "NotVeche",
    "RequestFailed",
    "UntrustedCertificate",
    "checked",
]
