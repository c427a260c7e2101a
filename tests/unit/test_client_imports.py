"""What the client's side imports when it starts exists on every system that Python runs on."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import veche

SOURCE = Path(veche.__file__).parent
CLIENT_SIDE = ("veche.client", "veche.terminal", "veche.cli.chat")
POSIX_ONLY = frozenset(
    {
        *("crypt", "curses", "fcntl", "grp", "nis", "posix", "pty", "pwd"),
        *("readline", "resource", "spwd", "syslog", "termios", "tty", "uvloop"),
    }
)


def test_the_client_imports_nothing_that_only_posix_has() -> None:
    """A static check of every module that starting a client loads.  Rows: A02 (partly)."""
    reached = {name: f"{name} itself" for name in modules() if name.startswith(CLIENT_SIDE)}
    waiting = list(reached)
    bad: list[str] = []
    while waiting:
        name = waiting.pop()
        for imported in imports_at_start(name):
            if imported.partition(".")[0] in POSIX_ONLY:
                bad.append(f"{name} imports {imported}; it is loaded by {reached[name]}")
            for found in with_packages(imported):
                if found not in reached:
                    reached[found] = name
                    waiting.append(found)
    assert bad == []
    assert len(reached) > 5


def test_starting_a_client_loads_no_webrtc() -> None:
    """It takes half a second, so the first conference or private session loads it."""
    script = (
        "import sys, veche.cli.chat, veche.terminal.start, veche.terminal.plain\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'av', 'aiortc', 'aioice', 'pylibsrtp'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


def modules() -> dict[str, Path]:
    """Our modules by name."""
    found: dict[str, Path] = {}
    for path in SOURCE.rglob("*.py"):
        parts = ("veche", *path.relative_to(SOURCE).with_suffix("").parts)
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def with_packages(name: str) -> Iterator[str]:
    """Our module of that name, and the packages it lies in, whose `__init__` runs first."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        if ".".join(parts[:end]) in MODULES:
            yield ".".join(parts[:end])


def imports_at_start(name: str) -> Iterator[str]:
    """What importing a module imports: not what stands in functions, for the type checker, or may fail."""
    path = MODULES[name]
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    yield from _imports(ast.parse(path.read_text(encoding="utf-8")).body, package)


def _imports(body: list[ast.stmt], package: str) -> Iterator[str]:
    for node in body:
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                base = ".".join(package.split(".")[: len(package.split(".")) - level + 1]) if level else ""
                whole = ".".join(filter(None, (base, module)))
                yield whole
                yield from (f"{whole}.{alias.name}" for alias in names)
            case ast.If() if "TYPE_CHECKING" in ast.unparse(node.test) or "platform" in ast.unparse(node.test):
                yield from _imports(node.orelse, package)
            case ast.If():
                yield from _imports([*node.body, *node.orelse], package)
            case ast.Try() if any("ImportError" in ast.unparse(one.type) for one in node.handlers if one.type):
                pass
            case ast.Try():
                yield from _imports([*node.body, *node.orelse, *node.finalbody], package)
            case ast.With() | ast.ClassDef():
                yield from _imports(node.body, package)
            case _:
                pass
