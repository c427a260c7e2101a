"""What takes more than one request: a new password, the end of the account, the export, the end of a group.

Each is a coroutine that asks and tells through the screen; what fails is raised.

Source: rows A10, M41, X03.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import IO, Protocol

from veche.client import Client
from veche.client.people import Group
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


async def ungroup(client: Client, group: Group, ask: Ask, say: Callable[[str], None]) -> None:
    """Take everyone out of a group and of those in it, or off the list: the person says which (row M41)."""
    people = group.everyone()
    many = f"{len(people)} contact{'s' if len(people) != 1 else ''}"
    answer = (await ask(f"{many}: u ungroup, d delete and end friendships, Enter nothing: ")).strip().lower()
    if answer not in ("u", "d"):
        say("Nothing was changed.")
        return
    for one in people:
        if answer == "u":
            await client.contacts_change(one.id, group="")
        else:
            await client.contacts_delete(one.id)
    say(f"{group.path}: {many} {'taken out' if answer == 'u' else 'deleted'}.")


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
