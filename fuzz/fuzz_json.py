"""Fuzz the JSON form of a line until interrupted or a bug is found:  python -m fuzz.fuzz_json [libFuzzer options]"""

# pyright: basic, reportMissingImports=false, reportMissingModuleSource=false, reportAttributeAccessIssue=false

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["fuzz", "veche"]):
    from fuzz import targets

from fuzz.seeds import seed_directory

if __name__ == "__main__":
    atheris.Setup([*sys.argv, seed_directory("json")], targets.json_line)
    atheris.Fuzz()
