"""How Route 53's endpoint checks are set in the designs that have any: paths and threshold."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.peers.chosen import CHOSEN, best

HEALTH, CANARY = "HealthEndpointCheck", "CanaryEndpointCheck"
"""The template's own check, and one like it for the path that runs the clients' functions."""
_PATHS = {"health": ("/health",), "canary": ("/canary",), "both": ("/health", "/canary")}
_FORM = re.compile(rf"x(\d+)-({'|'.join(_PATHS)})")


@dataclass(frozen=True)
class Endpoints:
    """Which paths are asked, and after how many failed looks a checker calls them unhealthy.

    Where both are, a Region is out when either is unhealthy.
    """

    threshold: int
    asked: str
    """health, canary or both."""

    def __str__(self) -> str:
        return f"x{self.threshold}-{self.asked}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of its form as text, `x3-health`. Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None or not 1 <= int(found[1]) <= 10:
            raise ValueError(f"no setting {text!r}: write it as {TALKS_OWN}")
        return cls(int(found[1]), found[2])

    @property
    def paths(self) -> tuple[str, ...]:
        """What is asked."""
        return _PATHS[self.asked]

    def put_into(self, template: dict[str, Any], interval_s: int) -> list[str]:
        """Set the template's endpoint checks so, `interval_s` (10 or 30) apart; their names."""
        resources = template["Resources"]
        like = resources.pop(HEALTH)
        names = {"/health": HEALTH, "/canary": CANARY}
        for path in self.paths:
            check = resources[names[path]] = deepcopy(like)
            config = check["Properties"]["HealthCheckConfig"]
            config["ResourcePath"] = path
            config["RequestInterval"] = interval_s
            config["FailureThreshold"] = self.threshold
        return [names[path] for path in self.paths]


TALKS_OWN = Endpoints(3, "health")
"""Three failed looks at /health: the talk's design, and Route 53's default threshold."""


def chosen(design: str, path: Path = CHOSEN) -> Endpoints:
    """What holds for (a) or (b): the best that a sweep found, or the talk's own."""
    found = best(design, path)
    return TALKS_OWN if found is None else Endpoints.parse(found)
