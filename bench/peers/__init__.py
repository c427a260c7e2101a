"""The servers under test."""

from __future__ import annotations

from .base import Frames, Peer, Setup
from .router import Router
from .veche import Veche
from .xmpp import Ejabberd, Prosody

PEERS: dict[str, type[Peer]] = {kind.name: kind for kind in (Veche, Router, Prosody, Ejabberd)}

__all__ = ["PEERS", "Frames", "Peer", "Setup"]
