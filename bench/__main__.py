"""python -m bench: measure, and make tables of what was measured."""

from __future__ import annotations

import argparse
import asyncio
import gc
import importlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import uvloop

from . import machine, tables
from .peers import PEERS, Peer, Setup
from .plan import Plan
from .scenarios import SCENARIOS, Figures

STANDARD = (
    Plan("direct", pairs=50, window=32),
    Plan("direct", pairs=400, window=1),
    Plan("light"),
    Plan("offline"),
    Plan("login"),
    Plan("idle"),
)
"""What is measured when nothing is asked for: batches (the best case of every server) and messages that travel alone
(the honest cost of one), latency, people who are away, logins, memory."""
OWN = ("start", "micro", "people", "files", "swarm", "conference")
"""What only Veche has."""
RATES = ("msgs_s", "logins_s", "stored_s")


@dataclass(frozen=True)
class Subject:
    """One peer as it is set up."""

    kind: type[Peer]
    persist: str
    options: tuple[tuple[str, str], ...]

    @property
    def opt(self) -> str:
        return ",".join(f"{key}={value}" for key, value in self.options)

    def __str__(self) -> str:
        return ":".join([self.kind.name, self.persist, *([self.opt] if self.options else [])])


def parse_options(text: str) -> dict[str, str]:
    pairs = [part.partition("=") for part in text.split(",") if part]
    return {key: value or "1" for key, _, value in pairs}


def subjects(text: str, common: dict[str, str]) -> list[Subject]:
    """`name[:persist[:option=value[:option=value ...]]]`, comma separated."""
    found: list[Subject] = []
    for item in text.split(","):
        name, _, rest = item.partition(":")
        persist, _, own = rest.partition(":")
        kind = PEERS.get(name)
        if kind is None:
            raise SystemExit(f"no peer {name}; there are {', '.join(PEERS)}")
        persist = persist or kind.persist_modes[0]
        if persist not in kind.persist_modes:
            raise SystemExit(f"{name} stores in: {', '.join(kind.persist_modes)}; not in {persist}")
        options = {key: value for key, value in common.items() if key in kind.options}
        options |= parse_options(own.replace(":", ","))
        if unknown := options.keys() - kind.options:
            raise SystemExit(f"{name} has no option {', '.join(sorted(unknown))}")
        found.append(Subject(kind, persist, tuple(sorted(options.items()))))
    known = frozenset[str]().union(*(subject.kind.options for subject in found))
    if unknown := common.keys() - known:
        raise SystemExit(f"none of these peers has an option {', '.join(sorted(unknown))}")
    return found


def installed(wanted: Sequence[Subject]) -> list[Subject]:
    reasons = {kind: kind.missing() for kind in dict.fromkeys(subject.kind for subject in wanted)}
    if missing := [reason for reason in reasons.values() if reason]:
        print("left out: " + "; ".join(missing), file=sys.stderr)
    return [subject for subject in wanted if not reasons[subject.kind]]


def plans(args: argparse.Namespace) -> list[Plan]:
    asked = {name: value for name in ("pairs", "window", "rate", "count", "members", "at_once", "sessions", "secs",
                                      "warm", "limit") if (value := getattr(args, name)) is not None}  # fmt: skip
    found: list[Plan] = []
    for name in args.scenario.split(",") if args.scenario else dict.fromkeys(plan.scenario for plan in STANDARD):
        standard = [plan for plan in STANDARD if plan.scenario == name] or [Plan(name)]
        if name == "direct" and asked.keys() & {"pairs", "window"}:
            standard = [Plan(name)]
        found += [replace(plan, **asked) for plan in standard]
    return found


async def run_once(subject: Subject, plan: Plan, tls: bool, keep: bool) -> Figures:
    """One measurement: a fresh server in a folder of its own."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    peer = subject.kind(Setup(folder, tls, subject.persist, dict(subject.options), plan))
    try:
        await peer.start()
        async with asyncio.timeout(plan.limit):
            return await SCENARIOS[plan.scenario](peer, plan)
    except Exception as error:
        error.add_note(machine.tail_of(peer.log))
        raise
    finally:
        await peer.stop()
        if keep:
            print(f"kept: {folder}", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def measure(subject: Subject, plan: Plan, args: argparse.Namespace) -> Figures:
    figures: Figures = {}
    for attempt in range(1 + args.retry):
        try:
            figures = uvloop.run(run_once(subject, plan, not args.plain, args.keep))
        except Exception as error:
            if args.trace:
                raise
            return failed(error)
        finally:
            gc.collect()
        if attempt:
            figures["tries"] = attempt + 1
        if figures.get("other_cpu", 0) <= machine.QUIET:
            break
    rate = next((figures[name] for name in RATES if figures.get(name)), None)
    if rate and figures.get("server_cpu"):
        figures["per_server_cpu_s"] = round(rate * 100 / figures["server_cpu"])
    return figures


def measure_own(plan: Plan, args: argparse.Namespace) -> Iterator[Figures]:
    try:
        module = importlib.import_module(f".{plan.scenario}", __package__)
        yield from module.measure(plan)
    except Exception as error:
        if args.trace:
            raise
        yield failed(error)


def failed(error: Exception) -> Figures:
    """What went wrong, and the last words of the server."""
    return {"error": f"{type(error).__name__}: {error}"[:400], "log": "\n".join(getattr(error, "__notes__", []))}


def results(chosen: Sequence[Subject], args: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """The peers take turns in every case (A B A B), so that their ratio holds when the machine drifts."""
    run = time.strftime("%Y-%m-%dT%H:%M:%S")
    for plan in plans(args):
        for rep in range(args.repeat):
            if plan.scenario in OWN:
                facts = {"peer": "veche", "scenario": plan.scenario, "tls": 0, "persist": "sqlite", "rep": rep,
                         "opt": "", "run": run}  # fmt: skip
                for figures in measure_own(plan, args):
                    yield {**facts, **figures}
                continue
            for subject in chosen:
                if plan.scenario in subject.kind.without.get(subject.persist, ()):
                    if rep == 0:
                        print(f"{subject} has no {plan.scenario}", file=sys.stderr)
                    continue
                facts = {"peer": subject.kind.name, "scenario": plan.scenario, "tls": int(not args.plain),
                         "persist": subject.persist, "rep": rep, "opt": subject.opt, "run": run}  # fmt: skip
                yield {**facts, **measure(subject, plan, args)}


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measure Veche beside other servers: one JSON line per result.",
        epilog="`python -m bench table FILE...` prints Markdown tables of such lines.",
    )
    scenarios = ", ".join([*SCENARIOS, *OWN])
    made.add_argument(
        "scenario", nargs="?", help=f"comma separated; {scenarios}; without: all that other servers have too"
    )
    peers = "; ".join(f"{name} ({', '.join(kind.persist_modes)})" for name, kind in PEERS.items())
    options = "; ".join(f"{name}: {', '.join(sorted(kind.options))}" for name, kind in PEERS.items() if kind.options)
    peer_form = "NAME[:STORES-IN[:OPTION=VALUE...]],..."
    made.add_argument("--peer", default="veche,router", metavar=peer_form, help=peers)
    made.add_argument("--opt", default="", metavar="K=V,...", help=f"options of every peer that has them; {options}")
    made.add_argument("--repeat", type=int, default=1)
    made.add_argument("--secs", type=float, help="length of a timed window (4)")
    made.add_argument("--warm", type=float, help="time before it (1.5)")
    made.add_argument("--out", type=Path, help="append the lines to this file too")
    made.add_argument("--plain", action="store_true", help="without TLS")
    made.add_argument("--pairs", type=int, help="direct, light, offline")
    made.add_argument("--window", type=int, help="direct: undelivered messages of one pair")
    made.add_argument("--rate", type=float, help="light: messages a second (500)")
    made.add_argument("--count", type=int, help="offline, start: messages (20,000; 100,000); login: logins (1,000)")
    made.add_argument("--members", type=int, help="login: accounts (200); conference: people in one")
    made.add_argument("--at-once", type=int, help="login: connections (32)")
    made.add_argument("--sessions", type=int, help="idle, people, conference: sessions (2,000)")
    made.add_argument("--retry", type=int, default=0, help="again so often when other work disturbed it")
    made.add_argument("--limit", type=float, help="hard limit of one run in seconds (400)")
    made.add_argument("--keep", action="store_true", help="keep the server's folder")
    made.add_argument("--trace", action="store_true", help="stop at the first error and show it")
    return made


def main() -> int:
    if sys.argv[1:2] == ["table"]:
        print(tables.report(Path(name) for name in sys.argv[2:]))
        return 0
    args = parser().parse_args()
    unknown = {name for name in (args.scenario or "").split(",") if name} - SCENARIOS.keys() - {*OWN}
    if unknown:
        raise SystemExit(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join([*SCENARIOS, *OWN])}")
    wanted = subjects(args.peer, parse_options(args.opt))
    chosen = [] if args.scenario and {*args.scenario.split(",")} <= {*OWN} else installed(wanted)
    machine.become_generator()
    gc.disable()
    bad = 0
    for result in results(chosen, args):
        line = json.dumps({**result, "at": time.strftime("%H:%M:%S")})
        print(line, flush=True)
        if args.out:
            with args.out.open("a") as out:
                out.write(line + "\n")
        bad += bool("error" in result or result.get("lost") or result.get("unconfirmed"))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
