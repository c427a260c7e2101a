"""coturn on loopback: a STUN and TURN server that shares a secret with the home server."""

from __future__ import annotations

import shutil
import socket
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from veche.net.tls import self_signed

from .server import wait_for

SECRET = "a secret of this test"


def free_port() -> int:
    """A port that nobody listens on now, neither by UDP nor by TCP."""
    with socket.socket() as tcp:
        tcp.bind(("127.0.0.1", 0))
        return tcp.getsockname()[1]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def tls_flags(folder: Path, port: int) -> list[str]:
    now = datetime.now(UTC)
    names = ["127.0.0.1", "localhost"]
    certificate, key = self_signed("localhost", names, now - timedelta(days=1), now + timedelta(days=30))
    (folder / "certificate.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)
    return [
        *("--tls-listening-port", str(port), "--cert", str(folder / "certificate.pem")),
        *("--pkey", str(folder / "key.pem")),
    ]


@contextmanager
def coturn(folder: Path, *, tls_port: int | None = None) -> Generator[int]:
    """Its port.  tls_port: for TURN over TLS too, with a certificate that nobody knows.  Skips where there is none."""
    program = shutil.which("turnserver")
    if program is None:
        pytest.skip("needs coturn")
    port = free_port()
    tls = ["--no-tls"] if tls_port is None else tls_flags(folder, tls_port)
    process = subprocess.Popen(
        [
            *(program, "-n", "--listening-ip", "127.0.0.1", "--listening-port", str(port), "--relay-ip", "127.0.0.1"),
            *("--use-auth-secret", "--static-auth-secret", SECRET, "--realm", "veche", "--allow-loopback-peers"),
            *("--no-cli", "--no-dtls", "--pidfile", str(folder / "pid"), "--db", str(folder / "db")),
            *("--log-file", str(folder / "log"), "--simple-log", "--cli-password", "x"),
            *tls,
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        wait_for(lambda: answers(port) and (tls_port is None or answers(tls_port)))
        yield port
    finally:
        process.terminate()
        process.wait(10)
