"""The README's table, in Markdown, from benchmarks/results/scenarios.json."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- bench-scenarios -->", "<!-- /bench-scenarios -->"


def table_of(results: Mapping[str, Any]) -> str:
    """By scenario and design: time to mitigate, and under it what it cost clients; then totals."""
    names: Mapping[str, str] = results["designs"]
    rows: Sequence[Mapping[str, Any]] = results["scenarios"]
    counts = [cell["seeds"] for row in rows for cell in row["cells"].values()]
    seeds = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
    seeds += " seed" if seeds == "1" else " seeds"
    lines = [
        f"Simulated: {len(rows)} scenarios, {seeds} each, the same worlds and clients under "
        "each design. Seconds from the fault until the last client had left the Region, median "
        "(95th percentile); a run in which that never happened counts as longer than any, and – is "
        "never; *n of m*: in so many runs only. Under it, where there were any: failed requests a "
        "run, moves without need and acknowledged writes lost in all runs.",
        "",
        "| scenario | " + " | ".join(f"({key}) {name}" for key, name in names.items()) + " |",
        "|---|" + "---|" * len(names),
    ]
    lines += [_line(row, names) for row in rows]
    lines += [_total("client errors a run", "client_errors", rows, names)]
    lines += [_total("moves without need", "wrong_moves", rows, names)]
    lines += [_total("acknowledged writes lost", "lost", rows, names)]
    ratios = results["ratio_to_oracle"]
    lines += ["| of the oracle's time | " + " | ".join(_ratio(ratios[key]) for key in names) + " |"]
    return "\n".join(lines)


def put_into(page: Path, table: str, begin: str = BEGIN, end: str = END) -> None:
    """Replace what stands between the markers. Raises ValueError where they are missing."""
    text = page.read_text()
    if begin not in text or end not in text:
        raise ValueError(f"{page} lacks the markers {begin} and {end}")
    between = f"{begin}\n{table}\n{end}"
    page.write_text(
        re.sub(f"{re.escape(begin)}.*{re.escape(end)}", lambda _: between, text, flags=re.S)
    )


def _line(row: Mapping[str, Any], names: Mapping[str, str]) -> str:
    cells = [_cell(row["cells"].get(key), row["expect"]) for key in names]
    return f"| {row['scenario']} | " + " | ".join(cells) + " |"


def _cell(cell: Mapping[str, Any] | None, expect: str) -> str:
    if cell is None:
        return ""
    return "<br>".join([_time(cell, expect), *filter(None, [_cost(cell)])])


def _time(cell: Mapping[str, Any], expect: str) -> str:
    if expect == "held":
        return "moved" if cell["wrong_moves"] else "held"
    if not cell["mitigated"]:
        return "–"
    some = (
        "" if cell["mitigated"] == cell["seeds"] else f" *{cell['mitigated']} of {cell['seeds']}*"
    )
    return f"{_seconds(cell['median_s'])} ({_seconds(cell['p95_s'])}){some}"


def _cost(cell: Mapping[str, Any]) -> str:
    """What was not 0."""
    errors, wrong, lost = cell["client_errors"], cell["wrong_moves"], cell["lost"]
    said = [
        f"{errors:.0f} failed" if errors >= 1 else "<1 failed" if errors else "",
        f"**{wrong} wrong**" if wrong else "",
        f"**{lost} lost**" if lost else "",
    ]
    return ", ".join(filter(None, said))


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f}"


def _total(
    words: str, name: str, rows: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> str:
    def total(key: str) -> str:
        found = [row["cells"][key][name] for row in rows if key in row["cells"]]
        if name == "client_errors":
            return f"{sum(found) / len(found):.0f}" if found else ""
        return str(sum(found)) if found else ""

    return f"| {words} | " + " | ".join(total(key) for key in names) + " |"


def _ratio(told: Mapping[str, Any]) -> str:
    if not told["scenarios"]:
        return ""
    ratio = "–" if told["ratio"] is None else f"{told['ratio']:.2f} ×"
    return ratio + (f" *{told['missed']} of {told['scenarios']} missed*" if told["missed"] else "")
