"""Which setting holds for each peer: the best that a sweep found, if one was made."""

from __future__ import annotations

import json
from pathlib import Path

CHOSEN = Path(__file__).resolve().parent.parent / "results" / "sweep.json"
"""What the sweep found best for each design."""


def best(design: str, path: Path = CHOSEN) -> str | None:
    """A design's best setting as text; None where no sweep tried it."""
    if not path.exists():
        return None
    found = json.loads(path.read_text())["designs"].get(design)
    return None if found is None else str(found["best"])
