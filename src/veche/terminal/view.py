"""What is on the screen: the open conversation, how far it is scrolled back, and what this client has said.

A view that is scrolled back stays where it is while more arrives: it is held by the key of its lowest line.
"""

from __future__ import annotations

from veche.client.state import Conversation, State

from .render import Drawn, Line, Look, Notice, conversation_lines, home_lines

MAX_NOTICES = 300


class View:
    """One person's view of their state."""

    def __init__(self) -> None:
        self.peer: str | None = None
        """whose conversation is open; None: the list of conversations"""
        self.new_after: int | None = None
        """A rule "new" stands before the peer's first message after this one."""
        self._bottom: tuple[str | int, int] | None = None
        self._height = 10
        self._notices: dict[str, list[Notice]] = {}
        self._count = 0
        self._drawn: tuple[Conversation, tuple[Look, int, int | None], list[Line]] | None = None
        self._drawn_posts: dict[int, Drawn] = {}

    @property
    def is_scrolled_back(self) -> bool:
        return self._bottom is not None

    def show(self, peer: str | None, new_after: int | None = None) -> None:
        """Open a conversation, or the list of them, at its end."""
        self.peer, self.new_after, self._bottom = peer, new_after, None
        self._drawn_posts = {}

    def to_end(self) -> None:
        self._bottom = None

    def say(self, state: State, text: str, style: str) -> None:
        """Say something in what is shown now, and show its end."""
        notices = self._notices.setdefault(self.peer or "", [])
        self._count += 1
        after = state.conversation(self.peer).last_id if self.peer else 0
        notices.append(Notice(after, self._count, style, text))
        del notices[:-MAX_NOTICES]
        self._bottom = None

    def lines(self, state: State, look: Look, height: int) -> list[Line]:
        """The lines that are on the screen now."""
        self._height = height
        lines = self._all(state, look)
        end = len(lines)
        if self._bottom is not None:
            found = next((i for i, line in enumerate(lines) if line.key == self._bottom), None)
            if found is None or found >= len(lines) - 1:
                self._bottom = None
            else:
                end = max(found + 1, min(height, len(lines)))
        return lines[max(0, end - height) : end]

    def scroll(self, state: State, look: Look, direction: int) -> bool:
        """Scroll by a page.  Returns whether that reached the top."""
        keys = [line.key for line in self._all(state, look)]
        at = keys.index(self._bottom) if self._bottom in keys else len(keys) - 1
        at += direction * max(1, self._height - 2)
        reached_top = at < self._height
        at = max(min(self._height, len(keys)) - 1, at)
        self._bottom = keys[at] if 0 <= at < len(keys) - 1 else None
        return reached_top

    def _all(self, state: State, look: Look) -> list[Line]:
        notices = self._notices.get(self.peer or "", ())
        if self.peer is None:
            return home_lines(state, look, notices)
        conversation = state.conversation(self.peer)
        what = look, self._count, self.new_after
        drawn = self._drawn
        if drawn is None or drawn[0] is not conversation or drawn[1] != what:
            lines = conversation_lines(
                state, self.peer, look, new_after=self.new_after, notices=notices, drawn=self._drawn_posts
            )
            drawn = self._drawn = conversation, what, lines
        return drawn[2]
