"""The screen from the way in to the exit code."""

from __future__ import annotations

import sys

from prompt_toolkit import PromptSession
from prompt_toolkit.input import Input
from prompt_toolkit.output import Output

from veche.client import ClientEnded
from veche.client.people import People
from veche.packets import ErrorCode

from .entrance import enter
from .screen import Screen, instant
from .sound import Devices
from .wish import EXIT_OK, Wish, why


async def run_screen(
    wish: Wish,
    *,
    devices: Devices | None = None,
    colours: bool = True,
    keys: Input | None = None,
    output: Output | None = None,
) -> int:
    """Log in, show the screen until the person leaves, return the exit code.  Raises Leave."""

    def say(sentence: str) -> None:
        print(sentence, file=sys.stderr, flush=True)

    entered = await enter(wish, PromptAsker(keys, output), say, waits=True)

    def remember(people: People) -> None:
        entered.slot.keep_people(people, entered.server, instant())

    try:
        screen = Screen(
            entered.client,
            wish.state,
            known=entered.people,
            remember=None if wish.insecure else remember,
            opens_friend=wish.is_invited and entered.is_new,
            notes=entered.notes,
            devices=devices,
            is_near=wish.is_local,
            colours=colours,
            keys=keys,
            output=output,
        )
        error = await screen.run()
        if isinstance(error, ClientEnded) and error.code in (ErrorCode.REVOKED, ErrorCode.ACCOUNT_DELETED):
            entered.slot.forget_people()
    finally:
        await entered.client.close()
        entered.slot.release()
    if error is None:
        return EXIT_OK
    leave = why(error, wish)
    raise error if leave is None else leave


class PromptAsker:
    """Asks on the terminal, before there is a screen."""

    def __init__(self, keys: Input | None, output: Output | None) -> None:
        self._session: PromptSession[str] = PromptSession(input=keys, output=output)

    async def ask(self, question: str) -> str:
        return await self._session.prompt_async(question, is_password=False)

    async def ask_secret(self, question: str) -> str:
        return await self._session.prompt_async(question, is_password=True)
