"""The frame of the screen: where things stand, which key does what, and the line to write in.

What is shown and what keys mean is decided by `Actions`; here is only prompt_toolkit.  What is being typed is in a
buffer of its own that no arrival touches (row T39).

Source: rows A02, T39.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

from prompt_toolkit.application import Application
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.input import Input
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.layout import (
    BufferControl,
    ConditionalContainer,
    Dimension,
    Float,
    FloatContainer,
    FormattedTextControl,
    HSplit,
    Layout,
    UIContent,
    UIControl,
    VSplit,
    Window,
)
from prompt_toolkit.layout.menus import CompletionsMenu
from prompt_toolkit.layout.processors import BeforeInput, PasswordProcessor, Transformation
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.styles import Style

from .render import Fragments, Line

WIDE = 100
"""From so many columns on, the list of people stands beside a conversation."""
SIDE = 28
COLOURS = {
    "title": "reverse",
    "status": "reverse",
    "status.bad": "reverse bold",
    "time": "ansibrightblack",
    "meta": "ansibrightblack",
    "name": "ansicyan bold",
    "me": "ansigreen bold",
    "read": "ansigreen",
    "retracted": "ansibrightblack italic",
    "edited": "ansibrightblack",
    "reply": "ansibrightblack",
    "reaction": "ansiyellow",
    "day": "ansibrightblack",
    "new": "ansired bold",
    "unread": "bold",
    "file": "ansicyan",
    "here": "reverse",
    "heading": "ansibrightblack bold",
    "group": "bold",
    "online": "ansigreen",
    "away": "ansiyellow",
    "offline": "ansibrightblack",
    "unknown": "ansibrightblack",
    "request": "ansimagenta bold",
    "private": "ansimagenta bold reverse",
    "side": "ansibrightblack",
    "notice": "ansiblue",
    "error": "ansired",
    "prompt": "bold",
}
NO_COLOURS = {
    "title": "reverse",
    "status": "reverse",
    "status.bad": "reverse bold",
    "name": "bold",
    "me": "bold",
    "new": "bold",
    "unread": "bold",
    "here": "reverse",
    "heading": "bold",
    "group": "bold",
    "request": "bold",
    "private": "bold reverse",
    "error": "bold",
    "prompt": "bold",
}


class Actions(Protocol):
    """What stands in the frame, and what the keys do."""

    def title(self, width: int) -> Fragments: ...

    def pane(self, width: int, height: int) -> list[Line]:
        """At most `height` lines."""
        ...

    @property
    def has_side(self) -> bool:
        """Something stands beside the pane, where there is room."""
        ...

    def side(self, width: int, height: int) -> list[Line]:
        """What stands there; at most `height` lines."""
        ...

    @property
    def edge(self) -> str:
        """The sign between the two."""
        ...

    def progress(self, width: int) -> list[Line]:
        """What is on its way: lines above the one to write in."""
        ...

    def status(self, width: int) -> Fragments: ...

    def prompt(self) -> str: ...

    def entered(self, text: str) -> bool:
        """The person pressed Enter.  Returns whether the text stays, since nothing could be done with it."""
        ...

    def typing(self, text: str) -> None:
        """What stands in the line has changed."""
        ...

    def completions(self, text: str) -> Iterable[tuple[str, int, str]]:
        """(what to insert, where from the cursor, what it means) for the text before the cursor."""
        ...

    def key_pressed(self) -> None: ...

    def scroll(self, direction: int) -> None:
        """A page up (-1) or down (1)."""
        ...

    def step(self, direction: int) -> None:
        """To the next (1) or the one before (-1) of the conversations."""
        ...

    def next_unread(self) -> None: ...

    def cancel(self) -> None:
        """Ctrl-C on an empty line: stop what is on its way."""
        ...


class Question(NamedTuple):
    """Something the person must answer before they write on."""

    text: str
    is_secret: bool
    answer: asyncio.Future[str]


class Frame:
    """The application of prompt_toolkit around `actions`.  keys, output: of a test; by default the terminal's."""

    def __init__(
        self, actions: Actions, *, colours: bool = True, keys: Input | None = None, output: Output | None = None
    ) -> None:
        self._actions = actions
        self._question: Question | None = None
        self._input = Buffer(
            multiline=True,
            completer=_Completer(actions),
            complete_while_typing=Condition(lambda: self._input.text.startswith("/")),
            accept_handler=lambda buffer: actions.entered(buffer.text),
            on_text_changed=lambda buffer: actions.typing(buffer.text),
        )
        self._answer = Buffer(multiline=False, accept_handler=self._answered)
        self._app: Application[Exception | None] = Application(
            layout=self._layout(),
            key_bindings=self._keys(),
            style=Style.from_dict(COLOURS if colours else NO_COLOURS),
            color_depth=None if colours else ColorDepth.DEPTH_1_BIT,
            full_screen=True,
            mouse_support=False,
            input=keys,
            output=output,
            min_redraw_interval=0.03,
        )
        self.has_unicode = "utf" in self._app.output.encoding().lower()

    async def run(self) -> Exception | None:
        """Show the screen until `leave`; returns what that was given."""
        self._app.key_processor.before_key_press += self._key_pressed
        return await self._app.run_async()

    def _key_pressed(self, _: object) -> None:
        self._actions.key_pressed()

    def leave(self, error: Exception | None = None) -> None:
        """End `run`.  Harmless when it has ended."""
        if self._app.future is not None and not self._app.future.done():
            self._app.exit(result=error)

    def redraw(self) -> None:
        """Something that is shown has changed."""
        self._app.invalidate()

    def ring(self) -> None:
        """The terminal's bell."""
        self._app.output.bell()

    @property
    def columns(self) -> int:
        """Of the whole screen."""
        return self._app.output.get_size().columns

    @property
    def width(self) -> int:
        """Of the pane."""
        return self.columns - (SIDE + 2 if self._has_side() else 0)

    def _has_side(self) -> bool:
        return self.columns >= WIDE and self._actions.has_side

    async def ask(self, text: str, *, is_secret: bool = False) -> str:
        """Put a question in the place of the line.  Raises CancelledError when the person does not want to answer."""
        question = Question(text, is_secret, asyncio.get_running_loop().create_future())
        self._question = question
        self._answer.reset()
        self._app.layout.focus(self._answer_window)
        self.redraw()
        try:
            return await question.answer
        finally:
            self._question = None
            self._answer.reset()
            self._app.layout.focus(self._input_window)
            self.redraw()

    def _answered(self, buffer: Buffer) -> bool:
        if self._question is not None and not self._question.answer.done():
            self._question.answer.set_result(buffer.text)
        return False

    # -- layout

    def _layout(self) -> Layout:
        actions = self._actions
        asks = Condition(lambda: self._question is not None)
        self._input_window = Window(
            BufferControl(self._input, input_processors=[BeforeInput(actions.prompt, style="class:prompt")]),
            height=Dimension(min=1, max=6),
            dont_extend_height=True,
            wrap_lines=True,
        )
        self._answer_window = Window(
            BufferControl(
                self._answer,
                input_processors=[
                    _PasswordIf(lambda: self._question is not None and self._question.is_secret),
                    BeforeInput(lambda: self._question.text if self._question else "", style="class:prompt"),
                ],
            ),
            height=1,
        )
        rows = HSplit(
            [
                Window(
                    FormattedTextControl(lambda: FormattedText(actions.title(self.columns))),
                    height=1,
                    style="class:title",
                ),
                VSplit(
                    [
                        ConditionalContainer(
                            VSplit(
                                [
                                    Window(_Side(actions), width=SIDE, always_hide_cursor=True),
                                    Window(width=1, char=lambda: actions.edge, style="class:side"),
                                    Window(width=1),
                                ]
                            ),
                            Condition(self._has_side),
                        ),
                        Window(_Pane(actions), always_hide_cursor=True),
                    ]
                ),
                ConditionalContainer(
                    Window(
                        FormattedTextControl(lambda: FormattedText(joined(actions.progress(self.columns)))),
                        dont_extend_height=True,
                    ),
                    Condition(lambda: bool(actions.progress(self.columns))),
                ),
                ConditionalContainer(self._input_window, ~asks),
                ConditionalContainer(self._answer_window, asks),
                Window(
                    FormattedTextControl(lambda: FormattedText(actions.status(self.columns))),
                    height=1,
                    style="class:status",
                ),
            ]
        )
        menu = Float(CompletionsMenu(max_height=8), xcursor=True, ycursor=True)
        return Layout(FloatContainer(rows, [menu]), focused_element=self._input_window)

    # -- keys

    def _keys(self) -> KeyBindings:
        keys, actions, line = KeyBindings(), self._actions, self._input
        asks = Condition(lambda: self._question is not None)
        is_empty = Condition(lambda: self._question is None and not line.text)

        @keys.add("enter", filter=~asks)
        def _(event: KeyPressEvent) -> None:
            if line.complete_state is not None and line.complete_state.current_completion is not None:
                line.complete_state = None
            else:
                line.validate_and_handle()

        @keys.add("enter", filter=asks)
        def _(event: KeyPressEvent) -> None:
            self._answer.validate_and_handle()

        @keys.add("escape", "enter", filter=~asks)
        @keys.add("c-j", filter=~asks)
        def _(event: KeyPressEvent) -> None:
            line.insert_text("\n")

        @keys.add("tab", filter=~asks)
        def _(event: KeyPressEvent) -> None:
            found = list(actions.completions(line.document.text_before_cursor))
            if len(found) == 1:  # at once, so that a fast Tab does not wait for the menu
                text, start, _ = found[0]
                line.delete_before_cursor(-start)
                line.insert_text(text)
            elif line.complete_state is not None:
                line.complete_next()
            else:
                line.start_completion(insert_common_part=True)

        @keys.add("s-tab", filter=~asks)
        def _(event: KeyPressEvent) -> None:
            line.complete_previous()

        @keys.add("pageup", eager=True)
        def _(event: KeyPressEvent) -> None:
            actions.scroll(-1)

        @keys.add("pagedown", eager=True)
        def _(event: KeyPressEvent) -> None:
            actions.scroll(1)

        @keys.add("c-n", eager=True, filter=~asks)
        def _(event: KeyPressEvent) -> None:
            actions.step(1)

        @keys.add("c-p", eager=True, filter=~asks)
        def _(event: KeyPressEvent) -> None:
            actions.step(-1)

        @keys.add("escape", "a", filter=~asks)
        def _(event: KeyPressEvent) -> None:
            actions.next_unread()

        @keys.add("c-c")
        @keys.add("<sigint>")
        def _(event: KeyPressEvent) -> None:
            if self._question is not None:
                self._question.answer.cancel()
            elif line.text:
                line.reset()
            else:
                actions.cancel()

        @keys.add("c-d", filter=is_empty, eager=True)
        def _(event: KeyPressEvent) -> None:
            self.leave()

        return keys


def joined(lines: list[Line]) -> Fragments:
    """Lines as one text."""
    return [part for i, line in enumerate(lines) for part in ([("", "\n")] if i else []) + line.fragments]


class _Completer(Completer):
    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
        for text, start, meaning in self._actions.completions(document.text_before_cursor):
            yield Completion(text, start_position=start, display_meta=meaning)


class _PasswordIf(PasswordProcessor):
    """Hides what is typed while a secret is asked for."""

    def __init__(self, is_secret: Callable[[], bool]) -> None:
        super().__init__()
        self._is_secret = is_secret

    def apply_transformation(self, ti: Any) -> Any:
        return super().apply_transformation(ti) if self._is_secret() else Transformation(ti.fragments)


class _Pane(UIControl):
    """The conversation, its end at the bottom."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def create_content(self, width: int, height: int) -> UIContent:
        lines = self._actions.pane(width, height)
        empty = height - len(lines)
        return UIContent(
            lambda i: FormattedText(lines[i - empty].fragments if i >= empty else []),
            line_count=height,
            show_cursor=False,
        )


class _Side(UIControl):
    """What stands beside the conversation, its beginning at the top."""

    def __init__(self, actions: Actions) -> None:
        self._actions = actions

    def create_content(self, width: int, height: int) -> UIContent:
        lines = self._actions.side(width, height)
        return UIContent(
            lambda i: FormattedText(lines[i].fragments if i < len(lines) else []), line_count=height, show_cursor=False
        )
