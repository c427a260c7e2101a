"""Who is at the other end, said by their key and not by the server: a leg's DTLS fingerprint, signed by its identity.

The server passes descriptions on, and could put fingerprints of its own into them to sit between two legs.  A device
that has an identity (peer/identity.py) signs what it says with the device's key:

    statement    the JSON array ["veche call 1", conference, from, to, epoch, [fingerprints]], UTF-8, no spaces
    signature    RSASSA-PKCS1-v1_5 with SHA-512 over it, in Base64
    identity     the certificates of device and account, DER in Base64, with a comma between

from, to: the ids of the two legs.  fingerprints: of the description, each once, in order, such as "sha-256 4A:...".

Whoever is shown an account for the first time believes it, and remembers whose it is (trust on first use); from then on
another account under that name is refused.  A description without a signature is believed as before, since browsers and
many devices have no identity: `LegState.identity` is empty then, and the security number can be compared by voice.

Source: RFC 8827 §5.6; repository facts §1; rows A45, B118.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import time
from pathlib import Path
from typing import NamedTuple, Protocol

import msgspec
from cryptography.hazmat.primitives import hashes

from veche.peer.identity import CRLS, Identity, NoIdentity, load
from veche.swarm.certificates import BadCertificate, Certificate, is_signature, parse, revoked_serials

from .pair import NO_PROOF, Proof

__all__ = ["BadProof", "Claim", "Identities", "Known", "NoIdentity", "account_of", "of_folder", "prove"]

FINGERPRINT = re.compile(r"^a=fingerprint:(\S{1,32}) ([0-9A-Fa-f:]{1,200})\s*$", re.MULTILINE)
LARGEST_CRL = 1024 * 1024


class BadProof(Exception):
    """What the other side shows does not prove who it is.  Its message is a sentence."""


class Claim(NamedTuple):
    """What a description says, and of whom."""

    conference: str
    from_: str
    to: str
    epoch: int
    sdp: str

    def statement(self) -> bytes:
        """The bytes that are signed.  Raises BadProof when there is no fingerprint."""
        fingerprints = sorted({f"{name.lower()} {value.upper()}" for name, value in FINGERPRINT.findall(self.sdp)})
        if not fingerprints:
            raise BadProof("The description of the other side has no fingerprint.")
        return msgspec.json.encode(["veche call 1", self.conference, self.from_, self.to, self.epoch, fingerprints])


class Known(Protocol):
    """Which account somebody has shown.  `client.slots.KnownIdentities` keeps it on disk."""

    def of(self, address: str) -> str | None: ...
    def pin(self, address: str, uri: str) -> None: ...
    @property
    def where(self) -> str: ...


class InMemory:
    """The same for as long as the program runs."""

    where = "this program; start it again"

    def __init__(self) -> None:
        self._pinned: dict[str, str] = {}

    def of(self, address: str) -> str | None:
        """The account that this person has shown, 40 hexadecimal digits."""
        return self._pinned.get(address)

    def pin(self, address: str, uri: str) -> None:
        """Remember it."""
        self._pinned[address] = uri


class Identities:
    """This device's own identity, if it has one, and those that it has met.

    folder: of an account (`veche swarm init`), where revocations lie too.
    """

    def __init__(self, mine: Identity | None = None, known: Known | None = None, folder: Path | None = None) -> None:
        self.mine = mine
        self._known: Known = known or InMemory()
        self._folder = folder

    @classmethod
    def load(cls, folder: Path, known: Known | None = None) -> Identities:
        """With the identity that is kept in a folder.  Raises NoIdentity."""
        return cls(load(folder), known, folder)

    async def prove(self, claim: Claim) -> Proof:
        """What goes with this device's description.  A signature takes some milliseconds, in a thread."""
        if self.mine is None:
            return NO_PROOF
        return await asyncio.to_thread(prove, self.mine, claim)

    def judge(self, claim: Claim, proof: Proof, address: str) -> str:
        """The account that vouches for the description; empty: none does.  Raises BadProof.

        address: whose leg the server says it is.
        """
        if not proof.signature and not proof.identity:
            return ""
        uri, device, account = account_of(claim, proof, int(time.time()))
        if device.serial in self._revoked(uri, account):
            raise BadProof(f"{address} signs with a device that its account {uri} has revoked.")
        pinned = self._known.of(address)
        if pinned is None:
            self._known.pin(address, uri)
        elif pinned != uri:
            raise BadProof(
                f"{address} used to be {pinned} and signs as {uri} now: either they have a new account, or somebody "
                f"sits between you. Ask them; if it is theirs, take the old one out of {self._known.where}."
            )
        return uri

    def _revoked(self, uri: str, account: Certificate) -> frozenset[int]:
        """What is known of revocations; a list that cannot be read, or is not the account's own, says nothing."""
        if self._folder is None:
            return frozenset()
        try:
            with (self._folder / CRLS / uri).open("rb") as file:
                return revoked_serials(file.read(LARGEST_CRL), account.key)
        except (OSError, BadCertificate):
            return frozenset()


def of_folder(folder: Path | None, known: Known | None = None) -> Identities:
    """With the identity that is kept in a folder, if one is named.  Raises NoIdentity."""
    return Identities(known=known) if folder is None else Identities.load(folder, known)


def prove(mine: Identity, claim: Claim) -> Proof:
    """Sign a claim."""
    account = mine.account_der
    chain = ",".join(base64.b64encode(der).decode("ascii") for der in (mine.device_der, account))
    return Proof(chain, base64.b64encode(mine.sign(claim.statement())).decode("ascii"))


def account_of(claim: Claim, proof: Proof, now: int) -> tuple[str, Certificate, Certificate]:
    """Whose account has signed, and the certificates of its device and its own.  Raises BadProof.

    now: seconds since 1970.
    """
    try:
        device, account = (parse(base64.b64decode(part, validate=True)) for part in proof.identity.split(","))
        signature = base64.b64decode(proof.signature, validate=True)
    except (BadCertificate, binascii.Error, ValueError):
        raise BadProof("The identity that the other side shows cannot be read.") from None
    if device.issuer_uid != account.key_id or not device.is_signed_by(account.key):
        raise BadProof(f"The other side shows a device that the account {account.key_id} has not signed.")
    if min(device.not_after, account.not_after) < now:
        raise BadProof(f"The certificates of the account {account.key_id} are too old.")
    if not is_signature(device.key, signature, claim.statement(), hashes.SHA512()):
        raise BadProof(
            f"The description of the other side is not what {account.key_id} has signed: somebody has changed it on "
            "its way."
        )
    return account.key_id, device, account
