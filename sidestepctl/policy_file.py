"""A policy written by hand in YAML: read, judged, and every fault told with its line."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from localcloud.yaml_reader import Reader, ScenarioError, at, twice
from sidestep.core.policy import Policy, problems

LONGEST_JSON = 2500
"""Characters of a policy. All of a function's environment variables together may have 4 KB
(https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html); the rest is others'."""


class PolicyFileError(Exception):
    """A policy file that cannot be used. `lines`: each `FILE:LINE: what is wrong`, top down."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def load(path: str, regions: Sequence[str] = ()) -> dict[str, Any]:
    """What a policy file gives, as the stack's parameter takes it. Raises PolicyFileError.

    `regions`: the guarded ones, which are all that it may name; none: any.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as error:
        raise PolicyFileError((f"{path}:1: cannot be read: {error.strerror}",)) from None
    except UnicodeDecodeError:
        raise PolicyFileError((f"{path}:1: not a text file in UTF-8",)) from None
    return parse(text, path, regions)


def parse(text: str, source: str, regions: Sequence[str] = ()) -> dict[str, Any]:
    """What a policy in YAML gives; `source` is how errors name it. Raises PolicyFileError."""
    reader = Reader(source)
    try:
        root = reader.compose(text)
        if root is None:
            return {}
        if not isinstance(root, yaml.MappingNode):
            raise reader.error(root, "a policy is a list of NAME: VALUE (docs/policy.md)")
        given = reader.value(root)
    except ScenarioError as error:
        raise PolicyFileError((str(error),)) from None
    except RecursionError:
        raise PolicyFileError((f"{source}:1: nested too deep for a policy",)) from None
    faults = list(twice(root))
    faults += [(at(root, problem.path), problem.words) for problem in problems(given, regions)]
    length = len(as_json(given)) if not faults else 0
    if length > LONGEST_JSON:
        words = f"{length} characters as JSON: a function's environment takes {LONGEST_JSON}"
        faults.append((root, words))
    if faults:
        faults.sort(key=lambda fault: int(fault[0].start_mark.line))
        raise PolicyFileError(tuple(str(reader.error(*fault)) for fault in faults))
    return dict(given)


def as_json(given: Mapping[str, Any]) -> str:
    """What the stack's parameter `Policy` takes."""
    return json.dumps(given, separators=(",", ":"))


def differing(policy: Policy) -> dict[str, tuple[Any, Any]]:
    """Name → value and default, of what is not as by default."""
    defaults = Policy()
    return {
        name: (value, getattr(defaults, name))
        for name, value in vars(policy).items()
        if value != getattr(defaults, name)
    }
