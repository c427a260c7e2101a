"""What is on the screen: a conversation, a private one, the list of people, a page of help; and how far it is scrolled.

A conversation shows its end, a list and a page their beginning.  A view that is scrolled back stays where it is while
more arrives: it is held by the key of its lowest line.
"""

from __future__ import annotations

from veche.client.state import Conversation, State

from .conference_words import NO_MARKS
from .render import Drawn, Line, Look, Notice, conversation_lines, page_lines
from .room import last_seq, room_lines
from .roster import ALONE, Around, home_lines
from .sentences import Reader
from .talk import Talk, talk_lines

MAX_NOTICES = 300


class View:
    """One person's view of their state."""

    def __init__(self) -> None:
        self.peer: str | None = None
        """whose conversation is open; None: the list"""
        self.talk: Talk | None = None
        """the conversation is this private one"""
        self.hall: str | None = None
        """the room of this conference is open"""
        self.page = ""
        """a text that stands before everything else"""
        self.new_after: int | None = None
        """A rule "new" stands before the peer's first message after this one."""
        self.around: Around = ALONE
        self._bottom: tuple[str | int, int] | None = None
        self._is_at_top = True
        """of a list or page"""
        self._hides_end = False
        self._height = 10
        self._notices: dict[str, list[Notice]] = {}
        self._count = 0
        self._drawn: tuple[Conversation, tuple[Look, int, int | None], list[Line]] | None = None
        self._drawn_posts: dict[int, Drawn] = {}

    @property
    def is_scrolled_back(self) -> bool:
        """There is more below."""
        return self._bottom is not None or (self._is_at_top and self._hides_end)

    @property
    def is_list(self) -> bool:
        """The list of people is open."""
        return self.peer is None and self.hall is None

    @property
    def place(self) -> str:
        """What is open: an address, for a room and what is off the record with a mark before it; "": the list."""
        if self.hall is not None:
            return f"conference {self.hall}"
        return f"off the record {self.peer}" if self.talk is not None else self.peer or ""

    def show(
        self, peer: str | None, new_after: int | None = None, talk: Talk | None = None, hall: str | None = None
    ) -> None:
        """Open a conversation or a room at its end, or the list of people at its beginning."""
        self.peer, self.new_after, self.talk, self.hall = peer, new_after, talk, hall
        self._drawn_posts = {}
        if self.is_list:
            self._notices.pop("", None)
        self.show_page("")

    def show_page(self, text: str) -> None:
        """Put a text before all else; an empty one: take it away."""
        self.page = text
        self._bottom, self._is_at_top, self._hides_end = None, bool(text) or self.is_list, False

    def to_end(self) -> None:
        """Show the end, and no page."""
        self.page = ""
        self._bottom, self._is_at_top = None, False

    def say(self, state: State, text: str, style: str, place: str | None = None) -> None:
        """Say something in what is shown now, and show its end; or in another place, to be found there."""
        where = self.place if place is None else place
        notices = self._notices.setdefault(where, [])
        self._count += 1
        after = state.conversation(self.peer).last_id if self.peer else 0
        if self.talk is not None:
            after = self.talk.count
        hall = where.removeprefix("conference ")
        if hall != where:
            after = last_seq(state.inside.get(hall))
        notices.append(Notice(after, self._count, style, text))
        del notices[:-MAX_NOTICES]
        if where == self.place:
            self.to_end()

    def lines(self, state: State, look: Look, height: int) -> list[Line]:
        """The lines that are on the screen now; as many as it has for what stands at its top."""
        self._height = height
        lines = self._all(state, look)
        end = self._end(lines)
        self._hides_end = end < len(lines)
        shown = lines[max(0, end - height) : end]
        if self.page or self.is_list:
            shown += [Line(("below", i), []) for i in range(height - len(shown))]
        return shown

    def _end(self, lines: list[Line]) -> int:
        """How many of the lines stand above the lower edge, and on it."""
        if self._is_at_top:
            return min(self._height, len(lines))
        if self._bottom is not None:
            found = next((i for i, line in enumerate(lines) if line.key == self._bottom), None)
            if found is not None and found < len(lines) - 1:
                return max(found + 1, min(self._height, len(lines)))
            self._bottom = None
        return len(lines)

    def scroll(self, state: State, look: Look, direction: int) -> bool:
        """Scroll by a page.  Returns whether that reached the top."""
        lines = self._all(state, look)
        at = self._end(lines) - 1 + direction * max(1, self._height - 2)
        reached_top = at < self._height
        at = max(min(self._height, len(lines)) - 1, at)
        self._is_at_top = reached_top and (bool(self.page) or self.is_list)
        self._bottom = lines[at].key if 0 <= at < len(lines) - 1 and not self._is_at_top else None
        return reached_top

    def _all(self, state: State, look: Look) -> list[Line]:
        if self.page:
            return page_lines(self.page, look)
        notices = self._notices.get(self.place, ())
        if self.hall is not None and self.hall in state.inside:
            marks = self.around.sounds.get(self.hall, NO_MARKS)
            return room_lines(state.inside[self.hall], look, Reader(state, look.zone), notices, marks)
        if self.peer is None:
            return home_lines(state, look, notices, self.around)
        if self.talk is not None:
            return talk_lines(self.talk, look, notices)
        conversation = state.conversation(self.peer)
        what = look, self._count, self.new_after
        drawn = self._drawn
        if drawn is None or drawn[0] is not conversation or drawn[1] != what:
            lines = conversation_lines(
                state, self.peer, look, new_after=self.new_after, notices=notices, drawn=self._drawn_posts
            )
            drawn = self._drawn = conversation, what, lines
        return drawn[2]
