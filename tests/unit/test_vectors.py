"""protocol/vectors says what the Python client does; the browser client is held to the same files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tools import generated, vectors
from tools.sequences import Answer, At, Lost, Sending, Step
from veche.client.state import State
from veche.core.scram import ClientScram, ScramFailed
from veche.packets import Packet
from veche.packets.codec import JsonCodec
from veche.packets.message import MessageSend

CODEC = JsonCodec()


def read(name: str) -> list[dict[str, Any]]:
    return json.loads((generated.ROOT / "protocol/vectors" / name).read_text(encoding="ascii"))


def test_the_vectors_are_fresh() -> None:
    """Else: python3 dev.py vectors."""
    assert generated.stale(vectors.vector_files()) == []


@pytest.mark.parametrize("vector", read("fold.json"), ids=lambda vector: vector["name"])
def test_the_fold_gives_the_states_of_the_vector(vector: dict[str, Any]) -> None:
    state, expected = State(), vectors.shown_state(State(), 0.0)
    for told in vector["steps"]:
        state, now = vectors.applied(state, step(told))
        news = told["state"]
        for peer, fields in news.pop("conversations", {}).items():
            expected["conversations"].setdefault(peer, {}).update(fields)
        expected.update(news)
        assert json.loads(json.dumps(vectors.shown_state(state, now))) == expected


@pytest.mark.parametrize("vector", read("conferences.json"), ids=lambda vector: vector["name"])
def test_the_fold_knows_the_conferences_of_the_vector(vector: dict[str, Any]) -> None:
    """Rows: A28 (partly), A44 (partly), X05 (partly), X07 (partly)."""
    state, expected = State(), vectors.shown_conferences(State(), 0.0)
    for told in vector["steps"]:
        state, now = vectors.applied(state, step(told))
        expected.update(told["state"])
        assert json.loads(json.dumps(vectors.shown_conferences(state, now))) == expected


def step(told: dict[str, Any]) -> Step:
    """A step as the vector tells it."""
    if "lost" in told:
        return Lost(told["lost"])
    if "sending" in told:
        packet = decoded(told["sending"], from_client=True)
        assert isinstance(packet, MessageSend)
        return Sending(packet, told["key"])
    packet = decoded(told["packet"]) if "packet" in told else None
    if packet is None or "now" in told:
        return At(told["now"], packet)
    return packet if "request" not in told else Answer(packet, decoded(told["request"], from_client=True))


def decoded(packet: dict[str, Any], *, from_client: bool = False) -> Packet:
    decode = CODEC.decode_client if from_client else CODEC.decode_server
    return decode(json.dumps(packet).encode())


@pytest.mark.parametrize("vector", read("scram.json"), ids=lambda vector: repr(vector["password"]))
def test_the_client_computes_what_the_vector_says(vector: dict[str, Any]) -> None:
    """Rows: X03 (partly)."""
    client = ClientScram(vector["login"], vector["password"], vector.get("client_nonce", "client-nonce"))
    if "refused" in vector:
        with pytest.raises(ScramFailed) as refused:
            client.answer("AAECAwQFBgcICQoLDA0ODw==", 4096, "client-nonce-server")
        assert str(refused.value) == vector["refused"]
        return
    assert client.first() == vector["first"]
    assert client.answer(vector["salt"], vector["iterations"], vector["nonce"]) == vector["proof"]
    client.check(vector["signature"])
