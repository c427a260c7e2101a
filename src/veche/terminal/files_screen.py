"""Files on the screen: a line for each that is on its way or offered, and what becomes of it.

Each file of a message has a number, which commands take: the next one when it is first shown, the same from then on.

Source: rows M48-M58, X18.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from veche.packets import Packet

from . import file_words
from .file_commands import paths, to_send, which_and_where
from .people_commands import Wrong
from .render import Fragments, Line, Look, Numbers, cut, padded, width_of
from .screen_commands import usage_of
from .sentences import local
from .transfer import Stage, Transfer, Transfers, Way

if TYPE_CHECKING:
    from .screen import Screen

BAR_CELLS = 20
MAX_LINES = 4
QUIET = frozenset({(Way.UPLOAD, Stage.DONE), (Way.OFFER, Stage.ASKED)})
"""What the message itself, or the line of the transfer, says."""


class FilesScreen:
    """The files of one terminal."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self.transfers = Transfers(screen.client, self._changed, slash="/")
        self.numbers = Numbers()
        self._told: dict[int, Stage] = {}

    def handle(self, packet: Packet) -> None:
        """Something has come from the server."""
        self.transfers.handle(packet)

    def known(self) -> list[tuple[str, str]]:
        """Number and name of each file that was shown, the newest first."""
        return [(str(number), file.name) for number, file in reversed(self.numbers.files.items())]

    # -- what a person does

    def send(self, peer: str, argument: str) -> None:
        """`/send PATH... [-- TEXT]`.  Raises Wrong."""
        found, text = to_send(argument, usage_of("send"))
        self.transfers.send(peer, found, lambda files: self._screen.send_files(peer, text, files))

    def list(self, peer: str) -> None:
        """`/files`: those of a conversation."""
        screen = self._screen
        look, conversation = screen.look(80), screen.state.conversation(peer)
        lines: list[str] = []
        for post in conversation.known():
            moment = local(post.at)
            when = f"{moment:%Y-%m-%d %H:%M}" if moment is not None else ""
            for file in post.files:
                number = f"[{self.numbers.of(file)}]"
                warned = "  a program" if file.warning else ""
                named = file_words.name(file.name)
                lines.append(
                    f"{number:<5}{when}  {look.name(post.author)}: {named}  {file_words.size(file.bytes)}{warned}"
                )
        if conversation.complete_from:
            lines.append("Older messages are not loaded yet: PageUp, then /files again.")
        screen.say("\n".join(lines) or "There are no files in this conversation.")

    def download(self, argument: str) -> None:
        """`/download N|NAME [PATH]`.  Raises Wrong."""
        which, where = which_and_where(argument, usage_of("download"))
        self.transfers.download(self.numbers.find(which), where)

    def offer(self, peer: str, argument: str) -> None:
        """`/offer PATH`.  Raises Wrong."""
        found: Sequence[Path] = paths(argument)
        if len(found) != 1:
            raise Wrong(f"Write: {usage_of('offer')} (one path, with spaces in quotes)")
        self.transfers.offer(peer, found[0])

    def offers(self) -> None:
        """`/offers`: what is on its way or offered."""
        live = self.transfers.live
        said = [f"{one.number}: {file_words.sentence(one, self._name(one), '/')}" for one in live]
        self._screen.say("\n".join(said) or "No file is on its way, and none is offered.")

    def accept(self, argument: str) -> None:
        """`/accept-file [N] [PATH]`.  Raises Wrong."""
        which, where = which_and_where(argument, usage_of("accept-file"), may_be_empty=True)
        self.transfers.accept(self.transfers.find(which, waits_for_me=True), where)

    def refuse(self, which: str) -> None:
        """`/refuse-file [N]`.  Raises Wrong, ClientError."""
        self.transfers.refuse(self.transfers.find(which, waits_for_me=True))

    def cancel(self, which: str) -> None:
        """`/cancel-file [N]`.  Raises Wrong."""
        self.transfers.cancel(self.transfers.find(which))

    # -- what happens

    def _changed(self, one: Transfer) -> None:
        screen = self._screen
        screen.frame.redraw()
        if self._told.get(one.number) is one.stage:
            return
        self._told[one.number] = one.stage
        if one.stage is Stage.MOVING or (one.way, one.stage) in QUIET:
            return
        said = file_words.sentence(one, self._name(one), "/")
        if one.stage is Stage.FAILED:
            screen.complain(said)
        else:
            screen.say(said, "class:request" if one.stage is Stage.ASKED else "class:notice")
        if one.stage is Stage.ASKED:
            screen.ring(one.peer)

    def _name(self, one: Transfer) -> str:
        return self._screen.look(80).login(one.peer) if one.peer else ""

    # -- what is shown

    def lines(self, look: Look) -> list[Line]:
        """A line for each file that is on its way or waits for an answer."""
        live = self.transfers.live
        drawn = [Line(("transfer", one.number), self._line(one, look)) for one in live[:MAX_LINES]]
        if len(live) > MAX_LINES:
            drawn.append(Line(("transfer", 0), [("class:notice", f" {len(live) - MAX_LINES} more: /offers")]))
        return drawn

    def hint(self) -> str:
        """How to stop what is on its way; "" for nothing."""
        moving = [one for one in self.transfers.live if one.is_moving]
        return f" Ctrl-C stops {file_words.name(moving[-1].name)}" if moving else ""

    def _line(self, one: Transfer, look: Look) -> Fragments:
        mark = look.marks.up if one.way in (Way.UPLOAD, Way.OFFER) else look.marks.down
        name, size, who = file_words.name(one.name), file_words.size(one.size), self._name(one)
        if one.stage is Stage.ASKED:
            is_mine = one.way is Way.OFFER
            what = f"{who} is asked to take {name}  {size}" if is_mine else f"{who} offers {name}  {size}"
            how = f"/cancel-file {one.number}" if is_mine else f"/accept-file {one.number}, /refuse-file {one.number}"
            return self._fitted(f" {mark} {what}", f"  {how} ", look, "class:notice" if is_mine else "class:request")
        progress = one.progress
        if progress is None:
            return self._fitted(f" {mark} {name}", f"  {size} ", look, "class:notice")
        course = file_words.course(progress)
        full = round(BAR_CELLS * file_words.percent(progress) / 100)
        bar = f"  {look.marks.full * full}{look.marks.empty * (BAR_CELLS - full)}" if look.width >= 70 else ""
        style = "class:error" if progress.trouble else "class:notice"
        return self._fitted(f" {mark} {name}", f"{bar}  {course} ", look, style)

    @staticmethod
    def _fitted(left: str, right: str, look: Look, style: str) -> Fragments:
        """What is long is cut at its left half: the name."""
        left = cut(left, max(12, look.width - width_of(right)))
        return [(style, cut(padded(left, look.width - width_of(right)) + right, look.width))]
