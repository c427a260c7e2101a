#!/usr/bin/env python3
"""The server of the classic profile: `python3 server.py <server_port> <block_duration> <timeout> [-d]`.

Run it in the folder that holds credentials.txt.  See docs/classroom.md.
"""

import sys

from client import run

if __name__ == "__main__":
    sys.exit(run("server", sys.argv[1:]))
