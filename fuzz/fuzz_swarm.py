"""Fuzz what is read of a stranger's repository until interrupted or a bug is found.

python -m fuzz.fuzz_swarm pack|commit|folder|certificate|message [libFuzzer options]
"""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["fuzz", "veche"]):
    from fuzz import targets

TARGETS = {one.__name__: one for one in (
    targets.pack, targets.commit, targets.folder, targets.certificate, targets.message
)}  # fmt: skip

if __name__ == "__main__":
    if sys.argv[1:2] == [] or sys.argv[1] not in TARGETS:
        raise SystemExit(__doc__)
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
