"""WebRTC for Python: legs of conferences for the terminal, for bots and for tests, over aiortc.

    from veche.client import Client
    from veche.media import Call, Player, Recorder

The rules of one connection are in pair.py, pure; who is connected to whom in roster.py, pure; connection.py is aiortc;
engine.py holds them together for one conference; call.py is a conference joined by a client.
"""

from .call import Call, Ended, NoSuchConference
from .connection import LOOPBACK, Paths
from .engine import Engine, LegState
from .identity import BadProof, Identities
from .pair import LinkState
from .recorder import Recorder
from .sources import Echo, NotPlayable, Player
from .streams import Shared, Sink, Source

__all__ = [
    "LOOPBACK",
    "BadProof",
    "Call",
    "Echo",
    "Ended",
    "Engine",
    "Identities",
    "LegState",
    "LinkState",
    "NoSuchConference",
    "NotPlayable",
    "Paths",
    "Player",
    "Recorder",
    "Shared",
    "Sink",
    "Source",
]
