"""Finished runs, one JSON object a line: a bench that is stopped goes on where it was."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from localcloud.scenario import Scenario

ROOT = Path(__file__).resolve().parent.parent
RUNS = ROOT / "benchmarks" / "results" / "runs.jsonl"
_ASIDE = "simulation"
"""A folder of the local cloud that no run of the bench enters."""
_MATTERS = ("functions", "statemachines", "localcloud", "benchmarks/peers", "template.yaml")
"""What a run's outcome hangs on, besides its scenario and seed."""


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
    wrong_moves: int
    acknowledged: int
    lost: int
    cpu_s: float


def fingerprint() -> str:
    """Changes when anything changes that may change an outcome."""
    digest = hashlib.sha256()
    for name in _MATTERS:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.suffix in (".py", ".yaml", ".json") and _ASIDE not in path.parts:
                digest.update(str(path.relative_to(ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def add(figures: Figures, path: Path = RUNS) -> None:
    """Append one run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(asdict(figures)) + "\n")


def finished(code: str, path: Path = RUNS) -> Iterator[Figures]:
    """The runs of this code; a line that was cut off by a crash is left out."""
    if not path.exists():
        return
    for line in path.read_text().splitlines():
        try:
            figures = Figures(**json.loads(line))
        except (ValueError, TypeError):
            continue  # cut off as it was written: that run is made again
        if figures.code == code:
            yield figures


def key(design: str, scenario: Scenario | str, seed: int) -> tuple[str, str, int]:
    """What tells runs apart."""
    return design, scenario if isinstance(scenario, str) else scenario.name, seed
