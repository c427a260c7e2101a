"""web/src/core/saslprep-tables.ts: the tables of RFC 3454 that SASLprep asks, for the browser client.

Browsers know today's Unicode and not that of version 3.2, nor directions of writing.  Ranges of code points are written
as the lengths of what is out and in by turns, in base 36, since the tables travel to every browser that needs them.
"""

from __future__ import annotations

import stringprep
import sys
from collections.abc import Callable, Iterator

from .generated import write_or_check

HEAD = """\
// The tables of RFC 3454 that SASLprep asks (Unicode 3.2): lengths of what is out and in by turns, in base 36.
// Written by tools/saslprep.py; do not edit.  python3 dev.py vectors
"""
TABLES: dict[str, tuple[Callable[[str], bool], ...]] = {
    "MAPPED_TO_NOTHING": (stringprep.in_table_b1,),
    "MAPPED_TO_SPACE": (stringprep.in_table_c12,),
    "UNASSIGNED": (stringprep.in_table_a1,),
    "PROHIBITED": (
        *(stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4),
        *(stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8),
        stringprep.in_table_c9,
    ),
    "RIGHT_TO_LEFT": (stringprep.in_table_d1,),
    "LEFT_TO_RIGHT": (stringprep.in_table_d2,),
}


def saslprep_files() -> dict[str, str]:
    """The generated file by its name below the root."""
    lines = [f'export const {name} =\n  "{" ".join(runs(tests))}";\n' for name, tests in TABLES.items()]
    return {"web/src/core/saslprep-tables.ts": "\n".join([HEAD, *lines])}


def runs(tests: tuple[Callable[[str], bool], ...]) -> Iterator[str]:
    """The lengths of the runs of code points that pass none of the tests and some, by turns."""
    start, is_in = 0, False
    for code in range(sys.maxunicode + 1):
        if any(test(chr(code)) for test in tests) != is_in:
            yield base36(code - start)
            start, is_in = code, not is_in
    if is_in:
        yield base36(sys.maxunicode + 1 - start)


def base36(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, 36)
        digits = "0123456789abcdefghijklmnopqrstuvwxyz"[digit] + digits
        if not number:
            return digits


if __name__ == "__main__":
    sys.exit(write_or_check(saslprep_files(), "vectors"))
