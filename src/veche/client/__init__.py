"""The headless client library: what bots, tests and the terminal use.  docs/bot.md shows a bot in ten lines."""

from .client import DEFAULT_PORT, Client, Event
from .errors import (
    CannotConnect,
    CertificateChanged,
    ClientEnded,
    ClientError,
    DialError,
    LinkLost,
    LoginRefused,
    NotVeche,
    RequestFailed,
    UntrustedCertificate,
)
from .events import Arrived, Place
from .inbox import Offline, Online

__all__ = [
    "DEFAULT_PORT",
    "Arrived",
    "CannotConnect",
    "CertificateChanged",
    "Client",
    "ClientEnded",
    "ClientError",
    "DialError",
    "Event",
    "LinkLost",
    "LoginRefused",
    "NotVeche",
    "Offline",
    "Online",
    "Place",
    "RequestFailed",
    "UntrustedCertificate",
]
