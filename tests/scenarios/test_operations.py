"""Starting, stopping, and saying clearly why not."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer

VECHE = [sys.executable, "-m", "veche.cli.main"]


def run(*args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*VECHE, *args], capture_output=True, text=True, timeout=60, env={**os.environ, **(env or {})}
    )


def get(server: ServerProcess, path: str, **headers: str) -> tuple[int, str, Any]:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    request = urllib.request.Request(f"https://127.0.0.1:{server.port}{path}", headers=headers)
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), error.headers


def test_one_port_carries_lines_http_and_websocket_with_and_without_tls(server: ServerProcess) -> None:
    """Rows: A07, X19 (partly)."""
    for tls, alpn in ((True, "veche/1"), (True, None), (False, None)):
        with Wire(server.port, tls=tls, alpn=alpn) as wire:
            wire.send("HELLO")
            wire.expect("HELLO", server="localhost")
    with Wire(server.port, alpn="http/1.1") as wire:
        wire.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (wire.line() or b"").startswith(b"HTTP/1.1 200")
    with Wire(server.port, tls=False) as wire:
        wire.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert (wire.line() or b"").startswith(b"HTTP/1.1 200")


def test_health_version_and_metrics_answer(server: ServerProcess) -> None:
    """Rows: A07."""
    assert get(server, "/healthz")[:2] == (200, "ok\n")
    assert get(server, "/readyz")[:2] == (200, "ready\n")
    assert '"version"' in get(server, "/version")[1]
    status, text, headers = get(server, "/metrics")
    assert status == 200
    assert "veche_messages_stored_total" in text
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert get(server, "/nothing-here")[0] == 404


def test_a_page_of_another_site_may_not_open_a_websocket(server: ServerProcess) -> None:
    """Rows: A08 (partly)."""
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    assert get(server, "/ws", Origin="https://evil.example", **upgrade)[0] == 403


def test_packets_travel_over_a_websocket_as_over_lines(server: ServerProcess, alice: Wire) -> None:
    """Rows: A07, M01."""
    import asyncio

    import aiohttp

    bob = newcomer(server.port, "bob")

    async def talk() -> None:
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"wss://127.0.0.1:{server.port}/ws", ssl=False) as ws,
        ):
            await ws.send_json({"type": "HELLO"})
            assert (await ws.receive_json())["type"] == "HELLO"
            await ws.send_json({"type": "CONNECT", "mechanism": "RESUME", "token": alice.resume, "device": "web"})
            assert (await ws.receive_json())["login"] == alice.address
            assert (await ws.receive_json())["type"] == "SNAPSHOT"
            assert (await ws.receive_json())["type"] == "REPLAY-END"
            texts = ["x" * size for size in (1, 100, *[16_000] * 5)]  # told in messages below and above 64 KiB
            for text in texts:
                await ws.send_json({"type": "MESSAGE", "to": bob.login, "text": text})
                assert (await ws.receive_json())["type"] == "MESSAGE-SENT"
            await ws.send_json({"type": "HISTORY-GET", "peer": bob.login})
            assert [one["text"] for one in (await ws.receive_json())["messages"]] == texts
            await ws.send_str("nonsense")
            assert (await ws.receive_json())["type"] == "ERROR"
            await ws.send_json({"type": "GOODBYE"})
            assert (await ws.receive_json())["code"] == "logged-out"
            await ws.close()
        await asyncio.sleep(0.1)  # aiohttp closes its TLS connections behind our back

    asyncio.run(talk())


def test_sigterm_says_goodbye_and_exits_with_zero_within_two_seconds(own_server: ServerProcess) -> None:
    """Rows: A01."""
    with newcomer(own_server.port, "last") as wire:
        start = time.monotonic()
        assert own_server.process is not None
        own_server.process.terminate()
        assert wire.until("GOODBYE")[-1]["code"] == "shutting-down"
        assert own_server.stop() == 0
        assert time.monotonic() - start < 2.0


def test_accounts_and_messages_survive_a_restart(own_server: ServerProcess) -> None:
    """Rows: A10, X04 (partly)."""
    with newcomer(own_server.port, "ann", device="d") as ann, newcomer(own_server.port, "ben", device="d") as ben:
        ann.say(ben.login, "remember")
        fingerprint = own_server.fingerprint
        own_server.stop()
        own_server.start()
        assert own_server.fingerprint == fingerprint
        with Wire(own_server.port).resumed(ben.resume) as again:
            assert [one["text"] for one in again.replayed] == ["remember"]
        database = b"".join(path.read_bytes() for path in own_server.data.iterdir() if path.is_file())
        assert b"a password" not in database


def test_a_port_in_use_is_said_in_one_sentence(own_server: ServerProcess, tmp_path: Path) -> None:
    """Rows: A07."""
    answer = run("serve", "--data", str(tmp_path / "other"), "--listen", f"127.0.0.1:{own_server.port}")
    assert answer.returncode == 1
    assert answer.stderr.strip().splitlines()[-1].startswith(f"veche serve: Port {own_server.port} is in use")
    assert "Traceback" not in answer.stderr


def test_a_second_server_on_the_same_directory_is_refused(own_server: ServerProcess) -> None:
    """Rows: X04 (partly)."""
    answer = run("serve", "--data", str(own_server.data), "--listen", "127.0.0.1:0")
    assert answer.returncode == 1
    assert "Another server runs" in answer.stderr
    own_server.kill()
    own_server.start()


def test_a_data_directory_that_cannot_be_written_is_said_in_one_sentence(tmp_path: Path) -> None:
    """Rows: A10."""
    (tmp_path / "file").write_text("not a directory")
    answer = run("serve", "--data", str(tmp_path / "file" / "data"))
    assert answer.returncode == 1
    assert "cannot be written" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\nbad\n-----END CERTIFICATE-----\n", None])
def test_a_wrong_certificate_stops_the_start(tmp_path: Path, content: str | None) -> None:
    """Rows: A08 (partly)."""
    path = tmp_path / "certificate.pem"
    if content is not None:
        path.write_text(content)
    answer = run("serve", "--data", str(tmp_path / "data"), "--tls-cert", str(path), "--listen", "127.0.0.1:0")
    assert answer.returncode == 1
    assert "certificate" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        (["--listen", "nowhere"], "HOST:PORT"),
        (["--registration", "maybe"], "--registration"),
        (["--scram-iterations", "5"], "--scram-iterations"),
        (["--block-duration", "soon"], "--block-duration"),
        (["--storage", "mysql://x"], "postgresql://"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, flags: list[str], word: str) -> None:
    """Rows: A07 (partly)."""
    answer = run("serve", "--data", str(tmp_path / "data"), *flags)
    assert answer.returncode in (1, 2)
    assert word in answer.stderr
    assert "Traceback" not in answer.stderr


def test_settings_come_from_flags_then_environment_then_file(tmp_path: Path) -> None:
    """Rows: A07 (partly)."""
    (tmp_path / "veche.toml").write_text('listen = "127.0.0.1:1111"\ndomain = "file.example"\nregistration = "open"\n')
    env = {"VECHE_DOMAIN": "env.example", "VECHE_REGISTRATION": "invite"}
    shown = run("config", "show", "--data", str(tmp_path), "--registration", "closed", env=env).stdout
    rows = {line.split()[0]: line.split()[1:] for line in shown.splitlines()}
    assert rows["registration"] == ["closed", "--registration"]
    assert rows["domain"] == ["env.example", "VECHE_DOMAIN"]
    assert rows["listen"][0] == "127.0.0.1:1111"
    (tmp_path / "veche.toml").write_text("lissten = 1\n")
    answer = run("config", "show", "--data", str(tmp_path))
    assert answer.returncode == 1
    assert "lissten" in answer.stderr
