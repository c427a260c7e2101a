#!/usr/bin/env python3
"""The terminal of the classic profile: `python3 client.py [<server_ip>] <server_port>`.  See docs/classroom.md."""

import os
import subprocess
import sys
from pathlib import Path

BIN = Path(__file__).resolve().parent / ".venv" / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")


def run(part: str, words: list[str]) -> int:
    """Run the server or the client by the Python of .venv, which has the libraries, in the folder where we are."""
    if not PYTHON.exists():
        print(f"Veche is not set up yet. Run once: python3 {BIN.parent.parent / 'dev.py'} setup", file=sys.stderr)
        return 1
    command = [str(PYTHON), "-P", "-m", "veche.cli.classic", part, *words]
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(run("client", sys.argv[1:]))
