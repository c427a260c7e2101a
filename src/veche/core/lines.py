"""Bytes to lines, bounded.

A line ends with LF; a CR before it is left for the codecs, which accept it.  The common case, a chunk of whole lines,
is one `split`; a line in many tiny chunks grows one bytearray, so it costs linear time and no more memory than the
limit and one chunk.

Source: rows M01, M02; ARCHITECTURE.md, the path of one message, step 1.
"""

from __future__ import annotations


class LineTooLong(Exception):
    """A line is longer than the limit; the link cannot go on, since nobody knows where its next line begins.

    lines: the complete lines of the same `feed` that came before it, in order, without LF.
    """

    def __init__(self, lines: list[bytes]) -> None:
        super().__init__("A line is longer than the limit.")
        self.lines = lines


class LineBuffer:
    """Cuts one stream of bytes into lines.

    limit: longest line in bytes, its LF included (`packets.MAX_LINE_BYTES`).
    """

    __slots__ = ("_limit", "_rest")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes, in order, without LF; the rest is kept for the next call.

        However a stream is cut into chunks, the lines are the same.
        Raises LineTooLong when a line, complete or not, exceeds the limit; do not feed again after that.
        """
        rest, limit = self._rest, self._limit
        lines = data.split(b"\n")
        tail = lines.pop()
        fits = len(rest) + len(data) < limit
        if rest:
            if not lines:
                if not fits:
                    raise self._too_long(lines)
                rest += tail
                return lines
            if len(rest) + len(lines[0]) >= limit:
                raise self._too_long([])
            rest += lines[0]
            lines[0] = bytes(rest)
            rest.clear()
        if not fits:
            if lines and max(map(len, lines)) >= limit:
                first = next(i for i, line in enumerate(lines) if len(line) >= limit)
                raise self._too_long(lines[:first])
            if len(tail) >= limit:
                raise self._too_long(lines)
        if tail:
            rest += tail
        return lines

    def _too_long(self, before: list[bytes]) -> LineTooLong:
        self._rest.clear()
        return LineTooLong(before)
