"""People of tests who meet in conferences."""

from __future__ import annotations

from typing import Any

from tests.support.wire import Wire, newcomer

LOBBY = "veche"
"""The id of THE CONFERENCE."""


def befriend(one: Wire, other: Wire) -> None:
    """The two are friends, and know it."""
    one.ask("FRIEND-REQUEST", login=other.login)
    other.ask("FRIEND-ANSWER", login=one.login, accepted=True)
    one.ask("PING")
    other.ask("PING")


def friends(port: int, *names: str) -> list[Wire]:
    """Fresh accounts, logged in, all friends of each other."""
    people = [newcomer(port, name) for name in names]
    for n, one in enumerate(people):
        for other in people[:n]:
            befriend(one, other)
    return people


def create(wire: Wire, name: str = "Tea", **fields: Any) -> dict[str, Any]:
    """A new conference as its first leg sees it."""
    return joined(wire.ask("CONFERENCE-CREATE", name=name, **fields))


def join(wire: Wire, id: str, **fields: Any) -> dict[str, Any]:
    """The conference as the newcomer sees it."""
    return joined(wire.ask("CONFERENCE-JOIN", id=id, **fields))


def joined(answer: dict[str, Any]) -> dict[str, Any]:
    assert answer["type"] == "CONFERENCE-JOIN-OK", answer
    return answer["conference"]


def leg(wire: Wire, device: str = "first") -> str:
    return f"{wire.address}/{device}"


def seen(wire: Wire, id: str) -> dict[str, Any] | None:
    """What somebody may see of a conference."""
    views = wire.ask("CONFERENCE-LIST")["conferences"]
    return next((view for view in views if view["id"] == id), None)


def drained(wire: Wire, *types: str) -> list[dict[str, Any]]:
    """What was told until now, of these types or all."""
    wire.send("PING", tag="drained")
    found: list[dict[str, Any]] = []
    while (packet := wire.receive()) != {"type": "PONG", "tag": "drained"}:
        if not types or packet["type"] in types:
            found.append(packet)
    return found


def again(wire: Wire, device: str = "first") -> Wire:
    """The same device, connected anew."""
    port = wire.peer
    return Wire(port).connect(wire.login, device=device)
