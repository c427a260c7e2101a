"""protocol/vectors: what a client's state must be after each packet, what SCRAM must compute, who calls whom,
and the security number of two certificates.

Written from the Python fold, SCRAM, mesh and security number; tests/unit/test_vectors.py and
web/src/core/vectors.test.ts check that both languages agree with it.  What a step changes of the state, and of each
conversation, stands beside the step; the rest stays.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import combinations
from typing import Any, NamedTuple

import msgspec

from veche.client.people import tree, unseen
from veche.client.state import Conversation, Post, State, fold
from veche.core import security_number
from veche.core.mesh import is_caller, pair_epoch, session_list
from veche.core.scram import ClientScram, ScramFailed, ServerScram, make_verifier
from veche.packets import Packet
from veche.packets.codec import JsonCodec
from veche.packets.conference import Leg
from veche.packets.contacts import Relation

from .conference_sequences import CONFERENCE_SEQUENCES
from .generated import write_or_check
from .saslprep import saslprep_files
from .sequences import SEQUENCES, Answer, At, Lost, Sending, Step

CODEC = JsonCodec()
SALT = bytes(range(16))
ITERATIONS = 4096


def main() -> int:
    return write_or_check(vector_files() | saslprep_files(), "vectors")


def vector_files() -> dict[str, str]:
    """Every file of vectors by its name below the root."""
    return {
        "protocol/vectors/fold.json": fold_vectors(SEQUENCES, shown_state),
        "protocol/vectors/conferences.json": fold_vectors(CONFERENCE_SEQUENCES, shown_conferences),
        "protocol/vectors/mesh.json": "[\n" + ",\n".join(map(line, mesh_vectors())) + "\n]\n",
        "protocol/vectors/scram.json": "[\n" + ",\n".join(map(line, scram_vectors())) + "\n]\n",
        "protocol/vectors/security-number.json": "[\n" + ",\n".join(map(line, security_vectors())) + "\n]\n",
    }


# -- the fold


Show = Callable[[State, float], dict[str, Any]]
"""What is to be seen of a state at a time"""


def fold_vectors(sequences: dict[str, list[Step]], show: Show) -> str:
    """Sequences with the states after their steps, a step a line."""
    parts: list[str] = []
    for name, steps in sequences.items():
        lines = ",\n".join(f"  {line(one)}" for one in told(steps, show))
        parts.append(f'{{"name": {line(name)}, "steps": [\n{lines}\n]}}')
    return "[\n" + ",\n".join(parts) + "\n]\n"


def told(steps: Iterable[Step], show: Show) -> Iterator[dict[str, Any]]:
    """Each step as JSON: what happens, and what is new in what the state shows."""
    state, shown = State(), show(State(), 0.0)
    for step in steps:
        state, now = applied(state, step)
        before, shown = shown, show(state, now)
        yield {**told_step(step), "state": difference(before, shown)}


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """The fields that are new; of the conversations, their fields."""
    new = {name: value for name, value in after.items() if name not in before or before[name] != value}
    if "conversations" in new:
        old = before["conversations"]
        changed = {peer: difference(old.get(peer, {}), one) for peer, one in after["conversations"].items()}
        new["conversations"] = {peer: one for peer, one in changed.items() if one}
    return new


def applied(state: State, step: Step) -> tuple[State, float]:
    """The state after a step, and when that was."""
    match step:
        case Sending(packet, key):
            return fold(state, packet, key=key), 0.0
        case Answer(packet, request):
            return fold(state, packet, request=request), 0.0
        case At(now, packet):
            return (state if packet is None else fold(state, packet, now=now)), now
        case Lost(at):
            return unseen(state, at), 0.0
        case _:
            return fold(state, step), 0.0


def told_step(step: Step) -> dict[str, Any]:
    match step:
        case Sending(packet, key):
            return {"sending": wire(packet), "key": key}
        case Answer(packet, request):
            return {"packet": wire(packet), "request": wire(request)}
        case At(now, packet):
            return {"now": now} if packet is None else {"now": now, "packet": wire(packet)}
        case Lost(at):
            return {"lost": at}
        case _:
            return {"packet": wire(step)}


def wire(packet: Packet) -> Any:
    return json.loads(CODEC.encode(packet))


def shown_state(state: State, now: float) -> dict[str, Any]:
    """What can be seen of a state, in the words of the wire."""
    contacts = list(state.contacts.values())
    grouped = [one for one in contacts if one.listed or one.relation is Relation.MUTUAL]
    grouped = [one for one in grouped if one.relation is not Relation.BLOCKED]
    names = state.names()
    return {
        "me": state.me,
        "admin": state.admin,
        "announcement": msgspec.to_builtins(state.announcement),
        "contacts": {one.id: {**defaults(one), **msgspec.to_builtins(one)} for one in contacts},
        "profile": msgspec.to_builtins(msgspec.structs.asdict(state.profile)),
        "blocked": sorted(state.blocked),
        "typing": sorted(peer for peer in state.typing if state.is_typing(peer, now)),
        "names": {one.id: names[one.id] for one in contacts if one.id in names},
        "online": [one.id for one in state.online()],
        "requests": [one.id for one in state.related(Relation.INCOMING) if not one.ignored],
        "groups": shown_group(tree(grouped)),
        "conversations": {peer: shown_conversation(one) for peer, one in state.conversations.items()},
    }


def shown_conferences(state: State, now: float) -> dict[str, Any]:
    """What can be seen of conferences and calls, in the words of the wire; a field that is not there is its default."""
    return {
        "conferences": [msgspec.to_builtins(one) for one in state.conferences.values()],
        "inside": [
            {
                "conference": {"epoch": one.conference.epoch, **msgspec.to_builtins(one.conference)},
                "leg": one.leg,
                "room": msgspec.to_builtins(one.room),
            }
            for one in state.inside.values()
        ],
        "calls": list(state.calls),
    }


def defaults(contact: Any) -> dict[str, Any]:
    return {name: getattr(contact, name) for name in contact.__struct_fields__}


def shown_group(group: Any) -> list[Any]:
    """[path, ids of the contacts, groups]"""
    return [group.path, [one.id for one in group.contacts], [shown_group(one) for one in group.groups]]


def shown_conversation(one: Conversation) -> dict[str, Any]:
    return {
        "last_id": one.last_id,
        "read_id": one.read_id,
        "peer_read_id": one.peer_read_id,
        "peer_delivered_id": one.peer_delivered_id,
        "complete_from": one.complete_from,
        "unread": one.unread,
        "shown": [post.id for post in one.known()],
        "posts": [shown_post(post) for post in one.posts.values() if post.is_known],
        "pending": {key: msgspec.to_builtins(pending) for key, pending in one.pending.items()},
    }


def shown_post(post: Post) -> dict[str, Any]:
    names = "id", "author", "at", "text", "reply_to", "edited", "retracted", "reactions"
    return {name: getattr(post, name) for name in names} | {"files": [file.id for file in post.files]}


# -- who calls whom


MESHES = [
    ("b@domain/res", ["a@domain/res", "c@domain/res", "d@domain/res"]),
    ("a@x/1", ["a@x/2"]),
    ("a@x/2", ["a@x/1"]),
    ("m@x/phone", ["z@x/1", "a@x/1", "m@x/laptop", "M@x/1", "é@x/1", "e@x/1"]),
    ("\uffff@x/1", ["\U00010000@x/1", "a@x/1", "\ue000@x/1", "\U0010ffff@x/1"]),
    ("k@x/1", [f"{letter}@x/1" for letter in "gbalcifdjhe"]),
]
"""Initiators and participants."""


def mesh_vectors() -> Iterator[dict[str, Any]]:
    """The session list of everybody; then pairs of legs with their epochs, and which of the two calls."""
    for initiator, participants in MESHES:
        everybody = [initiator, *participants]
        lists = {me: session_list(me, initiator, participants) for me in everybody}
        yield {"initiator": initiator, "participants": participants, "lists": lists}
    initiator, participants = MESHES[4]
    for one, other in ((1, 2), (2, 1), (7, 4)):
        for me, peer in combinations([initiator, *participants], 2):
            legs = [
                Leg(id=id, user=id.partition("/")[0], epoch=epoch, initiator=initiator, at="2026-11-29T06:00:00.000Z")
                for id, epoch in ((me, one), (peer, other))
            ]
            yield {
                "legs": [msgspec.to_builtins(leg) for leg in legs],
                "epoch": pair_epoch(*legs),
                "caller": me if is_caller(*legs) else peer,
            }


# -- the security number


def security_vectors() -> Iterator[dict[str, Any]]:
    """Pairs of fingerprints with their number; without one what is no SHA-256 fingerprint."""
    made = [hashlib.sha256(f"certificate {number}".encode()).hexdigest() for number in range(24)]
    spelled = ":".join(made[0].upper()[at : at + 2] for at in range(0, 64, 2))
    pairs = [*zip(made[::2], made[1::2], strict=True), (spelled, made[1]), (made[0], made[0]), ("0" * 64, "F" * 64)]
    for one, other in pairs:
        yield {"fingerprints": [one, other], "number": security_number.of(one, other)}
    for bad in ("", made[0][:-2], made[0] + "00", "g" + made[0][1:], f"sha-256 {made[0]}", made[0] + "\n"):
        yield {"fingerprints": [made[1], bad]}


# -- SCRAM


class Try(NamedTuple):
    """One login with a password that was set with another spelling of it, or the same."""

    login: str
    password: str
    set_as: str | None = None


TRIES = [
    Try("user", "pencil"),
    Try("=,", "a b!~"),
    Try("jöran", "pässwörd", "pa\u0308sswo\u0308rd"),
    Try("a", "no\u00adbreak", "nobreak"),
    Try("a", "a\u00a0b\u3000c", "a b c"),
    Try("a", "\u2168 \uff21\ufb01", "IX Afi"),
    Try("a", "пароль"),
    Try("a", "密码"),
    Try("a", "correct 🐎 battery"),
    Try("a", "שלום"),
    Try("a", "שלום1"),
    Try("a", "1שלום"),
    Try("a", "aשלוםb"),
    Try("a", "\u0627\u0031"),
    Try("a", "가나다", "\u1100\u1161\u1102\u1161\u1103\u1161"),
    Try("a", "\u1e9e\U0001f9ff"),
    Try("a", "\U0002f868"),
    Try("a", "tab\there"),
    Try("a", "\u0000"),
    Try("a", "\ue000"),
    Try("a", "\u200e"),
    Try("a", "🐎\ue000"),
    Try("a", "🐎\u0007"),
    Try("a", "\u00ad"),
    Try("a", ""),
    Try("a", "lone \ud800"),
]


def scram_vectors() -> Iterator[dict[str, Any]]:
    """Both ends of each login, or why it is refused."""
    for one in TRIES:
        client = ClientScram(one.login, one.password, "client-nonce")
        try:
            verifier = make_verifier(one.password if one.set_as is None else one.set_as, SALT, ITERATIONS)
        except ScramFailed as error:
            yield {"login": one.login, "password": one.password, "refused": str(error)}
            continue
        server = ServerScram(
            "SCRAM-SHA-256", client.first(), one.login, verifier, "-server", binding=None, offered_plus=False
        )
        proof = client.answer(server.salt_b64, server.iterations, server.nonce)
        signature = server.finish(proof)
        client.check(signature)
        yield {
            "login": one.login,
            "password": one.password,
            "first": client.first(),
            "salt": server.salt_b64,
            "iterations": server.iterations,
            "client_nonce": "client-nonce",
            "nonce": server.nonce,
            "proof": proof,
            "signature": signature,
        }


def line(value: Any) -> str:
    """JSON on one line, in ASCII, so that every character can be seen."""
    return json.dumps(value, ensure_ascii=True)


if __name__ == "__main__":
    sys.exit(main())
