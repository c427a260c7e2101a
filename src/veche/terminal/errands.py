"""What takes more than one request: a new password, the end of the account, the export.

Each is a coroutine that asks and tells through the screen; what fails is raised.

Source: rows A10, X03.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from veche.client import Client
from veche.packets.codec import JsonCodec


class Ask(Protocol):
    """Puts a question to the person.  Raises CancelledError when they do not want to answer."""

    async def __call__(self, text: str, *, is_secret: bool = False) -> str: ...


async def change_password(client: Client, ask: Ask, say: Callable[[str], None]) -> None:
    old = await ask("Old password: ", is_secret=True)
    new = await ask("New password: ", is_secret=True)
    if not new or await ask("Once more: ", is_secret=True) != new:
        say("These were two different passwords; nothing was changed.")
        return
    await client.change_password(old, new)
    say("The password is changed. Your other devices are logged out.")


async def delete_account(client: Client, ask: Ask, say: Callable[[str], None]) -> None:
    say("This erases your account and the texts of all your messages, for ever. The name is not given out again.")
    password = await ask("Your password, or Ctrl-C to keep the account: ", is_secret=True)
    if password:
        await client.delete_account(password)


async def export(client: Client, path: Path, say: Callable[[str], None]) -> None:
    """Write the pages of the export, one a line, into a new file that its owner alone can read."""
    codec, count = JsonCodec(), 0
    with await asyncio.to_thread(_open_new, path) as file:
        async for page in client.export():
            file.write(codec.encode(page))
            count += len(page.messages)
    say(f"Written to {path}: {count} messages.")


def _open_new(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path.expanduser(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
