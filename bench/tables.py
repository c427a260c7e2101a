"""Markdown tables of results: medians, their range, and what Veche's figure is relative to each other one."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .machine import QUIET

Row = dict[str, Any]

PER_CPU = "per_server_cpu_s"
GENERATOR_BOUND = 90
"""From so many percent of the generator's core on a rate may be the generator's, not the server's."""
OWN = ("start", "micro", "people", "conference")

COLUMNS: dict[str, tuple[str, ...]] = {
    "direct": ("msgs_s", "p50_ms", "p99_ms", PER_CPU),
    "light": ("p50_ms", "p99_ms"),
    "offline": ("stored_s", "drained_s", "drain_server_cpu", "drain_gen_cpu", PER_CPU),
    "login": ("logins_s", "p50_ms", "p99_ms", PER_CPU),
    "idle": ("kib_per_session", "sessions", "rss_before_mib", "rss_after_mib", "idle_server_cpu"),
    "start": ("ready_ms", "ready_cpu_ms", "rss_mib", "first_ready_ms", "first_rss_mib"),
    "micro": ("per_s", "us", "commits_s"),
    "people": ("deliveries_s", "ms", "max_ms", "sessions", "kib_per_session", "idle_server_cpu", "login_s", "again_s"),
    "conference": (
        "deliveries_s",
        "comings_s",
        "creates_s",
        "joins_s",
        "signals_s",
        "p50_ms",
        "p99_ms",
        "ratio_off",
        "ratio_full",
        "kib_per_conference",
        "ready_ms",
        "back_s",
        "lost",
        "wrong",
        "server_cpu",
        "gen_cpu",
        "other_cpu",
    ),
}
"""Ratios are made of the first figure of a scenario, and of what the server did per second of its CPU."""
COMMON = ("lost", "server_cpu", "gen_cpu", "other_cpu")
CASE = ("pairs", "window", "rate", "count", "work")
"""What tells the cases of one scenario apart; shown where it is known."""


@dataclass
class Line:
    """One line of a table: all the runs of one peer, as it was set up, in one case."""

    label: tuple[str, ...]
    case: tuple[str, ...]
    runs: list[Row] = field(default_factory=list[Row])

    @property
    def quiet(self) -> list[Row]:
        """Runs that other work disturbed count only if there are no others."""
        return [run for run in self.runs if run.get("other_cpu", 0) <= QUIET] or self.runs

    @property
    def disturbed(self) -> bool:
        return self.quiet[0].get("other_cpu", 0) > QUIET


def read(files: Iterable[Path]) -> list[Row]:
    rows: list[Row] = []
    for file in files:
        rows += [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
    return rows


def number(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def figure(runs: Sequence[Row], name: str) -> str:
    values = [run[name] for run in runs if run.get(name) is not None]
    if not values:
        return "-"
    middle = number(statistics.median(values))
    if min(values) == max(values):
        return middle
    return f"{middle} [{number(min(values))}-{number(max(values))}]"


def ratio(ours: Line, theirs: Line, name: str) -> float | None:
    """Ours over theirs: the median over the rounds that have both (one ran after the other), else of the medians."""
    by_round = {(run.get("run"), run["rep"]): run[name] for run in theirs.quiet if run.get(name)}
    paired = [
        run[name] / by_round[key]
        for run in ours.quiet
        if run.get(name) and (key := (run.get("run"), run["rep"])) in by_round
    ]
    if paired:
        return statistics.median(paired)
    both = [[run[name] for run in line.quiet if run.get(name)] for line in (ours, theirs)]
    return statistics.median(both[0]) / statistics.median(both[1]) if all(both) else None


def _case(row: Row) -> tuple[str, ...]:
    shown = ((name, row[name]) for name in CASE if row.get(name) is not None)
    return tuple(f"{name} {value:g}" if isinstance(value, int | float) else str(value) for name, value in shown)


def _label(row: Row) -> tuple[str, ...]:
    return row["peer"], row["persist"], "TLS" if row["tls"] else "plain", row["opt"]


def _notes(line: Line) -> str:
    notes = ["disturbed"] if line.disturbed else []
    if statistics.median(run.get("gen_cpu", 0) for run in line.quiet) >= GENERATOR_BOUND:
        notes.append("generator-bound")
    return f" ({', '.join(notes)})" if notes else ""


def _ratios(lines: Sequence[Line], line: Line, names: Sequence[str]) -> list[str]:
    """Veche as it is, over this line, in the same case."""
    for ours in lines:
        _, _, link, options = ours.label
        if ours.label[0] == "veche" and not options and ours.case == line.case and link == line.label[2]:
            if ours is line:
                break
            found = [ratio(ours, line, name) for name in names]
            return ["-" if value is None else f"{value:.2f}" for value in found]
    return ["" for _ in names]


def table(scenario: str, rows: Iterable[Row]) -> str:
    """One table, in the order in which things were first measured; the cases of a scenario follow each other."""
    found: dict[tuple[Any, ...], Line] = {}
    for row in rows:
        if row["scenario"] == scenario and "error" not in row:
            case, label = _case(row), _label(row)
            found.setdefault((case, label), Line(label, case)).runs.append(row)
    if not found:
        return ""
    order = list(dict.fromkeys(line.case for line in found.values()))
    lines = sorted(found.values(), key=lambda line: order.index(line.case))
    columns = COLUMNS[scenario] + (() if scenario in OWN else COMMON)
    compared = [] if scenario in OWN else [columns[0], *(name for name in columns if name == PER_CPU)]
    head = ["case", "peer", "stores in", "link", "options", "runs"]
    head += [f"veche / this: {name}" for name in compared] + list(columns)
    out = [f"### {scenario}", "", "| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    for line in lines:
        cells = [", ".join(line.case), *line.label, f"{len(line.quiet)}{_notes(line)}"]
        cells += _ratios(lines, line, compared) + [figure(line.quiet, name) for name in columns]
        out.append("| " + " | ".join(cells) + " |")
    return "\n".join(out)


def report(files: Iterable[Path]) -> str:
    rows = read(files)
    parts = [text for scenario in COLUMNS if (text := table(scenario, rows))]
    failed = [row for row in rows if "error" in row]
    if failed:
        parts.append(
            "### failed\n\n" + "\n".join(f"- {row['scenario']}, {row['peer']}: {row['error']}" for row in failed)
        )
    return "\n\n".join(parts)
