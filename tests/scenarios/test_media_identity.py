"""Fingerprints signed by identities: on a real server, and with a server in the middle that changes them."""

from __future__ import annotations

import asyncio
import base64
import functools
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.media import all_perceive, people, timed, until
from tests.support.server import ServerProcess
from veche.client.slots import StateDirectory
from veche.media import LOOPBACK, BadProof, Engine, Identities, LinkState
from veche.media.identity import Claim, account_of, prove
from veche.media.pair import Proof
from veche.packets.conference import Conference, Leg, Signal, SignalKind, Signalled
from veche.peer import identity as accounts
from veche.peer.identity import Identity

AT = "2026-11-29T12:00:00Z"
ANN, BEN = "ann@here/leg", "ben@here/leg"
FINGERPRINT = "a=fingerprint:sha-256 " + ":".join(["4A"] * 32)
CLAIM = Claim("c1", ANN, BEN, 2, f"v=0\r\n{FINGERPRINT}\r\n")


@functools.cache
def account(name: str) -> Identity:
    return accounts.make(name, bits=2048)


# -- on a real server


@timed()
async def test_legs_with_identities_know_each_other_by_their_keys(server: ServerProcess, tmp_path: Path) -> None:
    """Two sign, a third has no identity: each sees who vouches, and all see and hear each other.

    Rows: A45 (partly).
    """
    async with people(server, "ann", "ben", "cleo") as (ann, ben, cleo):
        state = StateDirectory(tmp_path / "state")
        known = state.known_identities("127.0.0.1", server.port)
        await ann.join("Signed", create=True, identities=Identities(account("ann"), known))
        await ben.join("Signed", identities=Identities(account("ben")))
        await cleo.join("Signed")
        await all_perceive(ann, ben, cleo)
        assert ann.call is not None
        assert ben.call is not None
        assert cleo.call is not None
        assert ann.call.states[ben.leg].identity == account("ben").uri
        assert ben.call.states[ann.leg].identity == account("ann").uri
        assert ann.call.states[cleo.leg].identity == ""
        assert cleo.call.states[ann.leg].identity == account("ann").uri
        again = StateDirectory(tmp_path / "state").known_identities("127.0.0.1", server.port)
        assert again.of(ben.client.address or "") == account("ben").uri
        assert again.of(cleo.client.address or "") is None


# -- with somebody in the middle


class Middle:
    """What stands between two engines: it passes signals on as `changed` gives them."""

    def __init__(self, ann: Identities, ben: Identities) -> None:
        self.engines: dict[str, Engine] = {}
        self.changed: Callable[[Signal, str], Signal] = lambda signal, _: signal
        legs = [
            Leg(id=id, user=id.partition("/")[0], epoch=n, initiator=ANN, at=AT) for n, id in enumerate((ANN, BEN), 1)
        ]
        self.conference = Conference(id="c1", name="One", owner="ann@here", at=AT, legs=legs, epoch=2)
        self.identities = {ANN: ann, BEN: ben}

    def start(self) -> None:
        for id, identities in self.identities.items():
            self.engines[id] = Engine(
                self.conference, id, functools.partial(self._pass_on, id), paths=LOOPBACK, identities=identities
            )

    def _pass_on(self, from_: str, signal: Signal) -> None:
        said = self.changed(signal, from_)
        packet = Signalled(
            id=said.id,
            from_=from_,
            epoch=said.epoch,
            kind=said.kind,
            sdp=said.sdp,
            identity=said.identity,
            signature=said.signature,
        )
        asyncio.get_running_loop().call_soon(lambda: self.engines[said.to].handle(packet))

    def stands(self, id: str, state: LinkState) -> bool:
        return next(iter(self.engines[id].states.values())).state is state


@asynccontextmanager
async def between(
    ann: Identities, ben: Identities, changed: Callable[[Signal, str], Signal] | None = None
) -> AsyncGenerator[Middle]:
    middle = Middle(ann, ben)
    if changed is not None:
        middle.changed = changed
    middle.start()
    try:
        yield middle
    finally:
        await asyncio.gather(*(engine.close() for engine in middle.engines.values()))


def with_own_fingerprint(sdp: str) -> str:
    """As somebody in the middle would: a fingerprint whose key is theirs."""
    return re.sub(r"(a=fingerprint:\S+) \S+", lambda line: line[1] + " " + ":".join(["66"] * 32), sdp)


@timed()
async def test_a_changed_fingerprint_is_noticed_before_anything_is_sent() -> None:
    """The server puts its own fingerprint into a signed offer, and the connection is refused with the reason."""

    def changed(signal: Signal, from_: str) -> Signal:
        if signal.kind is SignalKind.BYE:
            return signal
        return Signal(
            id=signal.id,
            to=signal.to,
            epoch=signal.epoch,
            kind=signal.kind,
            sdp=with_own_fingerprint(signal.sdp),
            identity=signal.identity,
            signature=signal.signature,
        )

    async with between(Identities(account("ann")), Identities(account("ben")), changed) as middle:
        await until(lambda: any(middle.stands(id, LinkState.FAILED) for id in (ANN, BEN)), "refusal")
        refused = [state for engine in middle.engines.values() for state in engine.states.values() if state.reason]
        assert any("somebody has changed it on its way" in state.reason for state in refused)
        assert not any(middle.stands(id, LinkState.CONNECTED) for id in (ANN, BEN))


@timed()
async def test_another_account_under_a_known_name_is_refused() -> None:
    """The server signs as an account of its own for somebody whose account is known; the sentence says what to do."""
    bens = Identities(account("ben"))
    async with between(Identities(account("ann")), bens) as middle:
        await until(lambda: all(middle.stands(id, LinkState.CONNECTED) for id in (ANN, BEN)), "connection")
    async with between(Identities(account("mallory")), bens) as middle:
        await until(lambda: middle.stands(BEN, LinkState.FAILED), "refusal")
        reason = middle.engines[BEN].states[ANN].reason
        assert f"ann@here used to be {account('ann').uri} and signs as {account('mallory').uri} now" in reason


@timed()
async def test_a_description_without_its_signature_is_shown_as_unsigned() -> None:
    """Taking signatures away breaks nothing and is seen: nobody vouches."""

    def changed(signal: Signal, from_: str) -> Signal:
        return Signal(id=signal.id, to=signal.to, epoch=signal.epoch, kind=signal.kind, sdp=signal.sdp)

    async with between(Identities(account("ann")), Identities(account("ben")), changed) as middle:
        await until(lambda: all(middle.stands(id, LinkState.CONNECTED) for id in (ANN, BEN)), "connection")
        assert middle.engines[ANN].states[BEN].identity == middle.engines[BEN].states[ANN].identity == ""


# -- what proves something, and what does not


def test_a_proof_holds_for_what_was_signed_and_nothing_else() -> None:
    """Another conference, leg, epoch or fingerprint, and one more fingerprint, are not what was signed."""
    mine = account("ann")
    proof = prove(mine, CLAIM)
    assert account_of(CLAIM, proof, 0)[0] == mine.uri
    same = CLAIM._replace(sdp=f"v=0\r\na=setup:active\r\n{FINGERPRINT.lower()}\r\n{FINGERPRINT}\r\n")
    assert account_of(same, proof, 0)[0] == mine.uri
    for other in (
        CLAIM._replace(conference="c2"),
        CLAIM._replace(from_="eve@here/leg"),
        CLAIM._replace(to="eve@here/leg"),
        CLAIM._replace(epoch=3),
        CLAIM._replace(sdp=with_own_fingerprint(CLAIM.sdp)),
        CLAIM._replace(sdp=CLAIM.sdp + "a=fingerprint:sha-256 " + ":".join(["66"] * 32) + "\r\n"),
    ):
        with pytest.raises(BadProof, match="somebody has changed it"):
            account_of(other, proof, 0)
    with pytest.raises(BadProof, match="no fingerprint"):
        account_of(CLAIM._replace(sdp="v=0\r\n"), proof, 0)


def test_a_device_must_be_of_the_account_that_is_shown() -> None:
    """Certificates of two accounts put together, old ones, and swapped ones, prove nothing."""
    ann, mallory = account("ann"), account("mallory")
    signature = prove(mallory, CLAIM).signature
    names = [base64.b64encode(der).decode() for der in (mallory.device_der, ann.account_der, mallory.account_der)]
    with pytest.raises(BadProof, match="has not signed"):
        account_of(CLAIM, Proof(f"{names[0]},{names[1]}", signature), 0)
    with pytest.raises(BadProof, match="has not signed"):
        account_of(CLAIM, Proof(f"{names[2]},{names[0]}", signature), 0)
    with pytest.raises(BadProof, match="too old"):
        account_of(CLAIM, prove(ann, CLAIM), 2**33)


@given(st.text(), st.text())
def test_nonsense_proves_nothing(identity: str, signature: str) -> None:
    """Any text is refused by a sentence, and none raises anything else."""
    if identity or signature:
        with pytest.raises(BadProof):
            Identities().judge(CLAIM, Proof(identity, signature), "ann@here")


def test_a_revoked_device_vouches_for_nobody(tmp_path: Path) -> None:
    """What the account has revoked, as it lies in the folder of whoever is called."""
    ann = account("ann")
    second = accounts.add_device(ann.archive, bits=2048)
    revoking = Identity(accounts.revoke(ann, [second.certificate]), ann.account_key, ann.device_key, ann.device_der)
    accounts.save(account("ben"), tmp_path)
    accounts.save_crl(revoking, tmp_path)
    bens = Identities.load(tmp_path)
    assert bens.judge(CLAIM, prove(ann, CLAIM), "ann@here") == ann.uri
    with pytest.raises(BadProof, match="has revoked"):
        bens.judge(CLAIM, prove(second, CLAIM), "ann@here")


def test_who_was_met_is_known_in_the_next_run_on_that_server_alone(tmp_path: Path) -> None:
    """A folder that cannot be written costs the memory alone."""
    ben = Identities(known=StateDirectory(tmp_path).known_identities("here", 3215))
    assert ben.judge(CLAIM, prove(account("ann"), CLAIM), "ann@here") == account("ann").uri
    later = StateDirectory(tmp_path).known_identities("here", 3215)
    assert later.of("ann@here") == account("ann").uri
    assert StateDirectory(tmp_path).known_identities("there", 3215).of("ann@here") is None
    with pytest.raises(BadProof, match=r"known_identities\.json"):
        Identities(known=later).judge(CLAIM, prove(account("mallory"), CLAIM), "ann@here")
    (tmp_path / "file").write_text("")
    forgetful = StateDirectory(tmp_path / "file" / "no").known_identities("here", 3215)
    forgetful.pin("ann@here", account("ann").uri)
    assert forgetful.of("ann@here") == account("ann").uri
