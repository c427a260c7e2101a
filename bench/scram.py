"""The client's half of SCRAM (RFC 5802), by hand and with its costly part cached: the generator must stay cheap."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import os
from typing import NamedTuple


class Keys(NamedTuple):
    client: bytes
    stored: bytes
    server: bytes


@functools.cache
def keys(algorithm: str, password: str, salt: bytes, iterations: int) -> Keys:
    salted = hashlib.pbkdf2_hmac(algorithm, password.encode(), salt, iterations)
    client = hmac.digest(salted, b"Client Key", algorithm)
    return Keys(client, hashlib.new(algorithm, client).digest(), hmac.digest(salted, b"Server Key", algorithm))


class Exchange:
    """One login without channel binding."""

    def __init__(self, algorithm: str, user: str, password: str) -> None:
        self._algorithm, self._password = algorithm, password
        self._first_bare = f"n={user},r={base64.b64encode(os.urandom(15)).decode()}"

    @property
    def first(self) -> str:
        """client-first-message"""
        return "n,," + self._first_bare

    def answer(self, server_first: str) -> tuple[str, str, str]:
        """client-final-message-without-proof, the proof, and the signature that the server must show; both base64."""
        said = dict(part.split("=", 1) for part in server_first.split(","))
        found = keys(self._algorithm, self._password, base64.b64decode(said["s"]), int(said["i"]))
        final = "c=biws,r=" + said["r"]
        signed = f"{self._first_bare},{server_first},{final}".encode()
        mask = hmac.digest(found.stored, signed, self._algorithm)
        proof = bytes(a ^ b for a, b in zip(found.client, mask, strict=True))
        signature = hmac.digest(found.server, signed, self._algorithm)
        return final, base64.b64encode(proof).decode(), base64.b64encode(signature).decode()
