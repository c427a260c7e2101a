"""Signalling between two legs of a conference, and the STUN and TURN servers that help them to find each other.

SIGNAL goes from a leg to another leg of the same conference and to nobody else; the server reads nothing of it.  One
of an older epoch than the pair's now is passed over: both ends have begun anew.  So is one to a leg that is lost, or
whose link is full; the two try again by themselves, as after a lost packet.  Above a budget the sender is read more
slowly; long descriptions cost more of it.

TURN credentials are those of coturn's REST API: a name that says until when, and its keyed hash; so the TURN server
need not know our accounts.

Source: document 004; rows V05-V11, V24, X10; draft-uberti-behave-turn-rest-00.
"""

from __future__ import annotations

import base64
import hmac

from veche.core.budget import Bucket
from veche.core.mesh import pair_epoch
from veche.packets import ErrorCode, Packet
from veche.packets import conference as packets

from ..config import ServerConfig, urls_of
from ..halls import leg_id_of
from ..session import Handler, Refused, Session

SIGNALS, SIGNALS_PER_S = 1000.0, 200.0
"""A session may send so many at once, so many a second in the long run: a newcomer among six has some hundred."""
SIGNAL_CHARS = 4096
"""Each so many characters count as one more."""
CREDENTIAL_S = 12 * 3600
"""TURN credentials work for so long."""


def signal(session: Session, packet: packets.Signal) -> None:
    app, me = session.app, session.account
    assert me is not None
    budget = session.signals
    now = app.monotonic()
    if budget is None:
        budget = session.signals = Bucket(SIGNALS_PER_S, SIGNALS, now)
    wait_s = budget.take(1.0 + len(packet.sdp) // SIGNAL_CHARS, now)
    if wait_s > 0:
        session.slow_down(wait_s)
    hall = app.halls.of_session.get(session, {}).get(packet.id)
    if hall is None:
        known = app.halls.find(packet.id, me) is not None
        raise Refused(ErrorCode.NOT_INSIDE if known else ErrorCode.UNKNOWN_CONFERENCE)
    from_, to = hall.state.legs[leg_id_of(session)], hall.state.find(packet.to)
    if to is None or to is from_:
        raise Refused(ErrorCode.NOT_INSIDE, "They are not in the conference.")
    receiver = hall.sessions.get(to.id)
    if receiver is None or receiver in app.full_links or packet.epoch != pair_epoch(from_, to):
        return
    receiver.send(
        packets.Signalled(
            id=packet.id,
            from_=from_.id,
            epoch=packet.epoch,
            kind=packet.kind,
            sdp=packet.sdp,
            candidate=packet.candidate,
            mid=packet.mid,
            mline=packet.mline,
            identity=packet.identity,
            signature=packet.signature,
        )
    )


def ice_servers_get(session: Session, packet: packets.IceServersGet) -> None:
    servers, expires_at = ice_servers(session)
    session.send(packets.IceServersGetOk(ice_servers=servers, expires_at=expires_at, tag=packet.tag))


def ice_servers(session: Session) -> tuple[list[packets.IceServer], str | None]:
    """STUN and TURN servers for this session, and until when its credentials work; None: there are none."""
    app, config = session.app, session.app.config
    assert session.account is not None
    found = [packets.IceServer(urls=urls)] if (urls := urls_of(config.stun)) else []
    turn = urls_of(config.turn)
    if not turn:
        return found, None
    if not app.turn_secret:
        return [*found, packets.IceServer(urls=turn)], None
    until_s = app.now_us() // 1_000_000 + CREDENTIAL_S
    username, credential = turn_credential(app.turn_secret, f"{session.account.login}/{session.device}", until_s)
    found.append(packets.IceServer(urls=turn, username=username, credential=credential))
    return found, app.instant(until_s * 1_000_000)


def turn_credential(secret: str, name: str, until_s: int) -> tuple[str, str]:
    """User name and password for a TURN server that shares the secret."""
    username = f"{until_s}:{name}"
    return username, base64.b64encode(hmac.digest(secret.encode(), username.encode(), "sha1")).decode()


def turn_secret(config: ServerConfig) -> str:
    """The secret that the TURN server shares with us, empty: none.  Raises OSError."""
    if config.turn_secret_file is not None:
        return config.turn_secret_file.read_text(encoding="utf-8").strip()
    return config.turn_secret


HANDLERS: dict[type[Packet], Handler] = {
    packets.Signal: signal,
    packets.IceServersGet: ice_servers_get,
}
