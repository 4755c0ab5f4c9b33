"""Finished runs, one short line each: a bench that is stopped goes on where it was.

The file is kept with the code, so that hours of work do not hang on one machine. A line is a
JSON list, the first one names what stands where: a fifth of what objects would take.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from benchmarks.fingerprints import ROOT

RUNS = ROOT / "benchmarks" / "results" / "runs.jsonl"
OWN = RUNS.with_name("own-runs.jsonl")
"""Of scenarios that are a user's own: kept beside, and not with the code."""
Codes = Mapping[tuple[str, str], str]
"""Fingerprints by design and scenario."""


@dataclass(frozen=True)
class Figures:
    """One run of one design. Seconds are simulated, from the fault; None: it did not happen."""

    design: str
    scenario: str
    seed: int
    code: str
    """Fingerprint of what the outcome hangs on."""
    ok: bool
    mitigated_s: float | None
    client_errors: int
    requests: int
    moves: int
    drains_apart_s: float | None
    """The shortest time between two drains of one Region; None where none had two."""
    wrong_moves: int
    acknowledged: int
    lost: int
    cpu_s: float


_NAMES = [one.name for one in fields(Figures)]


def add(figures: Figures, path: Path = RUNS) -> None:
    """Append one run. A file of other figures than these is begun anew."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = path.read_text() if path.exists() else ""
    head = _line(_NAMES)
    if not text.startswith(head):
        path.write_text(head)
    with path.open("a") as file:
        file.write(("\n" if text[-1:] not in ("", "\n") else "") + _line(_values(figures)))


def finished(codes: Codes, path: Path = RUNS) -> list[Figures]:
    """The runs of this code, each once.

    A line that was cut off by a crash is left out.
    """
    current = (run for run in _runs_in(path) if run.code == codes.get((run.design, run.scenario)))
    return list({_key(run): run for run in current}.values())


def tidy(codes: Codes, path: Path = RUNS) -> None:
    """In order, and without runs that were made again by this code: the file is committed, and
    should change where a figure does. Runs of other code stay until then: they were hours."""
    kept = {_key(run): run for run in [*_runs_in(path), *finished(codes, path)]}
    lines = [_line(_NAMES), *(_line(_values(kept[key])) for key in sorted(kept))]
    path.write_text("".join(lines))


def _key(run: Figures) -> tuple[str, str, int]:
    return run.scenario, run.design, run.seed


def _values(run: Figures) -> list[Any]:
    return list(asdict(run).values())


def _line(values: Iterable[Any]) -> str:
    return json.dumps(list(values), separators=(",", ":")) + "\n"


def _runs_in(path: Path) -> Iterator[Figures]:
    text = path.read_text() if path.exists() else ""
    if not text.startswith(_line(_NAMES)):
        return
    for line in text.splitlines()[1:]:
        try:
            yield Figures(**dict(zip(_NAMES, json.loads(line), strict=True)))
        except (ValueError, TypeError):
            continue  # cut off as it was written: that run is made again
