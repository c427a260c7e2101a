"""The core of the browser client on a real server: web/src/net/client.server.test.ts, run by Node.js."""

from __future__ import annotations

import os
import subprocess

import pytest

import dev
from tests.support.server import ServerProcess


def test_the_browser_client_talks_to_a_real_server(server: ServerProcess) -> None:
    """Logs in, makes friends, talks, loses its link, is reloaded, logs out.  Rows: A03 (partly), M37 (partly)."""
    if not dev.has_web_tools():
        pytest.skip("the tools of the browser client are not installed: python3 dev.py build")
    done = subprocess.run(
        dev.web_tool("vitest/vitest.mjs", "run", "src/net/client.server.test.ts"),
        cwd=dev.WEB,
        capture_output=True,
        text=True,
        timeout=100,
        env={
            **os.environ,
            "VECHE_TEST_SERVER": f"ws://127.0.0.1:{server.port}",
            "NODE_OPTIONS": "--experimental-websocket",  # Node.js 20 has it behind a flag
            "NO_COLOR": "1",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout, done.stdout
