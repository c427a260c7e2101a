"""The client runs where POSIX is not: nothing on its import path needs it."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

POSIX_ONLY = frozenset(
    ["fcntl", "termios", "tty", "pty", "pwd", "grp", "resource", "posix", "syslog", "curses", "readline", "uvloop"]
)
STARTS = ("veche.cli.chat", "veche.terminal.start", "veche.terminal.plain", "veche.client")


def source_of(module: str) -> Path | None:
    spec = importlib.util.find_spec(module)
    return Path(spec.origin) if spec is not None and spec.origin is not None else None


def imports_of(module: str, path: Path, *, anywhere: bool) -> set[str]:
    """The modules that one imports: at its top, or in its functions too."""
    found: set[str] = set()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    tree = ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree) if anywhere else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parts = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parts, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
    return found


def test_nothing_on_the_import_path_of_the_client_is_posix_only() -> None:
    """Rows: A02."""
    seen: set[str] = set()
    todo = list(STARTS)
    while todo:
        module = todo.pop()
        if module in seen:
            continue
        seen.add(module)
        try:
            path = source_of(module)
        except ModuleNotFoundError:
            continue  # a name in a module, not a module
        if path is None:
            continue
        assert not {name.partition(".")[0] for name in imports_of(module, path, anywhere=False)} & POSIX_ONLY, module
        todo += [name for name in imports_of(module, path, anywhere=True) if name.startswith("veche.")]
    assert {"veche.core.scram", "veche.net.tls", "veche.client.slots", "veche.terminal.frame"} <= seen
    assert not any(name.startswith(("veche.server", "veche.storage")) for name in seen)


def test_the_client_is_imported_where_those_modules_do_not_exist() -> None:
    """Rows: A02."""
    names = sorted(POSIX_ONLY - {"posix"})  # the standard library itself needs that one here
    script = f"""
import asyncio, subprocess, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name in {names!r}:
            raise ModuleNotFoundError(name)
for name in {names!r}:
    sys.modules.pop(name, None)
sys.meta_path.insert(0, Absent())
import veche.cli.chat, veche.terminal.start, veche.terminal.plain, veche.client.slots
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
