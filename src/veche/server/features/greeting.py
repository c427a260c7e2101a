"""HELLO, PING, PONG, GOODBYE.  Source: rows M10-M12, M60."""

from __future__ import annotations

import veche
from veche.packets import MAX_LINE_BYTES, MAX_TEXT, ErrorCode, Packet, link

from ..config import Registration
from ..session import Handler, Session

FEATURES = [
    "accounts",
    "tokens",
    "sessions",
    "messages",
    "typing",
    "history",
    "search",
    "contacts",
    "presence",
    "profiles",
    "broadcast",
    "private",
    "blocking",
    "files",
    "administration",
]
REGISTRATION_TEXT = {
    Registration.OPEN: "",
    Registration.INVITE: "Registration needs an invite code: ask the administrator of this server for one.",
    Registration.CLOSED: "Accounts are made by the administrator of this server: ask them.",
}
HISTORY_PAGE = 200


def hello(session: Session, packet: link.ClientHello) -> None:
    config = session.app.config
    secure = session.link.is_secure
    plus = ["SCRAM-SHA-256-PLUS"] if secure and session.app.binding is not None else []
    session.send(
        link.ServerHello(
            version=1,
            server=config.domain,
            software=f"veche/{veche.__version__}",
            federated=False,
            profile="classic" if session.app.is_classic else "community",
            registration=session.app.registration,
            registration_text=REGISTRATION_TEXT[session.app.registration],
            mechanisms=[*plus, "SCRAM-SHA-256", "TOKEN", "RESUME"],
            features=FEATURES if session.app.is_classic else [*FEATURES, "conferences"],
            layer=3,
            limits=link.Limits(
                line_bytes=MAX_LINE_BYTES,
                text_chars=MAX_TEXT,
                history_page=HISTORY_PAGE,
                unacknowledged=config.unacknowledged,
                file_bytes=config.file_bytes,
            ),
            tag=packet.tag,
        )
    )


def ping(session: Session, packet: link.Ping) -> None:
    session.send(link.Pong(tag=packet.tag))


def pong(session: Session, packet: link.Pong) -> None:
    """That it came is enough."""


def goodbye(session: Session, packet: link.Goodbye) -> None:
    session.goodbye(ErrorCode.LOGGED_OUT)


HANDLERS: dict[type[Packet], Handler] = {
    link.ClientHello: hello,
    link.Ping: ping,
    link.Pong: pong,
    link.Goodbye: goodbye,
}
