"""How each of our workflows is run under both interpreters: scripted answers, by state name.

A Scenario is the file's name without `.asl.json`, what the run shows, the input, and each
Task's answers in the order of its attempts (the last one goes on for ever). Answers are results
as the integration gives them (`{"Payload": …}` for `lambda:invoke`), or a Throw. A Task that is
entered without an answer fails the test by name. The runs are in `runs.py`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "statemachines"


@dataclass(frozen=True)
class Scenario:
    """One run of one workflow. `concurrent`: its branches interleave as they like."""

    workflow: str
    name: str
    given: Any
    answers: Mapping[str, Sequence[Any]]
    ends: str = "SUCCEEDED"
    concurrent: bool = False
    passes: Sequence[str] = field(default_factory=tuple)
    """States that the run must enter: what makes it the run that it says it is."""


def files() -> list[Path]:
    """Our definitions."""
    return sorted(FOLDER.glob("*.asl.json"))


def definition_of(path: Path) -> dict[str, Any]:
    """A definition with every `${Name}` filled in by something of its kind."""
    text = re.sub(r"\$\{(\w+)\}", lambda match: _stand_in(match[1]), path.read_text())
    definition: dict[str, Any] = json.loads(text)
    return definition


def tasks_of(flow: Mapping[str, Any]) -> Iterator[str]:
    """The names of all Tasks, at any depth."""
    for name, state in flow["States"].items():
        if state["Type"] == "Task":
            yield name
        for branch in state.get("Branches", []):
            yield from tasks_of(branch)
        if "ItemProcessor" in state:
            yield from tasks_of(state["ItemProcessor"])


def _stand_in(name: str) -> str:
    kinds = {
        "FunctionArn": "arn:aws:lambda:eu-west-2:123456789012:function:{}",
        "Function": "arn:aws:lambda:eu-west-2:123456789012:function:{}",
        "MachineArn": "arn:aws:states:eu-west-2:123456789012:stateMachine:{}",
        "TopicArn": "arn:aws:sns:eu-west-2:123456789012:{}",
        "Regions": "eu-west-2,us-east-1,us-west-2",
    }
    for ending, shape in kinds.items():
        if name.endswith(ending):
            return shape.format(name)
    return name
