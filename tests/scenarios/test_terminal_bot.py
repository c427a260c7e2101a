"""docs/bot.md is true: its code runs, against a real server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.support.server import ServerProcess
from tests.support.wire import Wire, newcomer

PAGE = Path(__file__).parents[2] / "docs" / "bot.md"


def test_the_bot_of_the_page_echoes_what_it_is_told(server: ServerProcess, alice: Wire, tmp_path: Path) -> None:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert code is not None
    assert sum(bool(line.strip()) for line in code[1].splitlines()) <= 10, "ten lines were promised"
    script = tmp_path / "echo.py"
    script.write_text(code[1], "utf-8")
    with newcomer(server.port, "echo") as echo:
        token = echo.ask("TOKEN-CREATE", name="echo")["token"]
        login = echo.login
    command = [sys.executable, "-W", "error", str(script), "127.0.0.1", str(server.port), token, server.fingerprint]
    sent = alice.say(login, "sent before the bot was there")
    for texts in (["sent before the bot was there", "hello", "two\nlines"], ["after its restart"]):
        bot = subprocess.Popen(command, stderr=subprocess.PIPE, env={**os.environ, "PYTHONASYNCIODEBUG": "1"})
        try:
            for text in texts:
                if not text.startswith("sent before"):
                    sent = alice.say(login, text)
                assert alice.until("MESSAGE")[-1]["text"] == text
                while alice.until("MESSAGE-DELIVERED")[-1]["id"] < sent["id"]:
                    pass
            alice.expect_nothing()
        finally:
            bot.kill()
            _, complained = bot.communicate(timeout=10)
        slow = b"Executing "  # asyncio's debug mode also says what took long, on a machine that is busy
        assert [line for line in complained.splitlines() if not line.startswith(slow)] == []
