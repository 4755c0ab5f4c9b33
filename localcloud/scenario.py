"""Scenarios: what goes wrong, where and when, and what should come of it; one YAML file each.

docs/scenarios.md tells the format for people who write their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localcloud.fault_kinds import ACTING, KINDS, REGIONLESS
from localcloud.yaml_reader import Reader, ScenarioError

CATALOGUE = Path(__file__).parent / "scenarios"
MOVED, LEFT, HELD = "moved", "left", "held"
EXPECTATIONS = (MOVED, LEFT, HELD)
LONGEST_S = 86_400.0

__all__ = ["CATALOGUE", "Fault", "Scenario", "ScenarioError", "load", "names", "parse"]


@dataclass(frozen=True)
class Fault:
    """A fault of the world's: `kind` in `region`, for `for_s` simulated seconds.

    It begins at `at_s`, counted from when clients begin; or `delay_s` after a workflow has
    entered the state `after_step`. It strikes `times` times, every `every_s` seconds.
    `region` may be `acting`: the Region in which the newest failover or recovery runs.
    """

    kind: str
    region: str
    at_s: float = 0.0
    for_s: float = 0.0
    after_step: str | None = None
    delay_s: float = 0.0
    every_s: float = 0.0
    times: int = 1
    settings: Mapping[str, float | str] = field(default_factory=dict)

    @property
    def ends_at_s(self) -> float:
        """When its last strike is over, of a fault that begins at a time."""
        return self.at_s + self.every_s * (self.times - 1) + self.for_s

    def in_force(self, since_s: float, until_s: float) -> bool:
        """Whether it strikes at some moment between the two, if it begins at a time."""
        begins = (self.at_s + self.every_s * number for number in range(self.times))
        return any(begun <= until_s and since_s <= begun + self.for_s for begun in begins)


@dataclass(frozen=True)
class Scenario:
    """What a run does to the system: a drill by workflow, faults of the world's own, or both.

    `expect`: `moved` (Sidestep drains `regions`, clients leave and come back), `left` (clients
    leave and come back, by whatever means) or `held` (nothing moves).
    """

    name: str
    why: str
    expect: str
    regions: tuple[str, ...]
    faults: tuple[Fault, ...] = ()
    drill_region: str | None = None
    drill_ends: str = "SUCCEEDED"
    requests_per_s: float = 1.5
    most_moves: int | None = None
    """How many moves there may be at most; None: a drain and a restore of each Region."""
    policy: Mapping[str, Any] = field(default_factory=dict)


def names() -> list[str]:
    """The catalogue's scenarios."""
    return sorted(path.stem for path in CATALOGUE.glob("*.yaml"))


def load(name_or_path: str) -> Scenario:
    """A scenario of the catalogue by name, or of the user's own by its file's path.

    Raises ScenarioError, with the line, when there is none or it does not hold together.
    """
    own = Path(name_or_path)
    path = own if own.suffix in (".yaml", ".yml") else CATALOGUE / f"{name_or_path}.yaml"
    if not path.is_file():
        raise ScenarioError(
            f"no scenario {name_or_path!r}: choose one of {', '.join(names())}, "
            "or give the path of a .yaml file"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}:1: not a text file in UTF-8") from None
    return parse(text, str(own if own == path else path.name))


_FIELDS = {
    *("name", "why", "expect", "regions", "drill", "faults", "requests_per_s"),
    *("most_moves", "policy"),
}


def parse(text: str, source: str) -> Scenario:
    """A scenario from its YAML. Raises ScenarioError with source and line."""
    reader = Reader(source)
    root = reader.compose(text)
    top = reader.mapping(root, _FIELDS, "a scenario")
    expect = reader.one_of(top, "expect", root, EXPECTATIONS)
    if "drill" not in top and "faults" not in top:
        raise reader.error(root, "nothing happens: give a drill, or faults, or both")
    drill = reader.mapping(top["drill"], {"region", "ends"}, "drill") if "drill" in top else {}
    faults = tuple(
        _fault(reader, node) for node in reader.sequence(top.get("faults"), "faults", "fault")
    )
    drill_region = reader.text(drill, "region", top["drill"]) if drill else None
    regions = tuple(
        reader.plain(node) for node in reader.sequence(top.get("regions"), "regions", "Region")
    )
    if not regions and drill_region is not None:
        regions = (drill_region,)
    if not regions:
        regions = tuple(dict.fromkeys(f.region for f in faults if _is_harm(f)))[:1]
    if not regions and expect != HELD:
        raise reader.error(root, "regions is missing: which Regions is this about?")
    return Scenario(
        name=reader.text(top, "name", root),
        why=" ".join(reader.text(top, "why", root).split()),
        expect=expect,
        regions=regions,
        faults=faults,
        drill_region=drill_region,
        drill_ends=reader.text(drill, "ends", None) if "ends" in drill else "SUCCEEDED",
        requests_per_s=reader.number(top, "requests_per_s", root, 0.001, 100.0, default=1.5),
        most_moves=(
            int(reader.number(top, "most_moves", root, 0, 1000)) if "most_moves" in top else None
        ),
        policy=reader.values(top.get("policy"), "policy"),
    )


def _is_harm(fault: Fault) -> bool:
    return bool(fault.region) and fault.region != ACTING and not KINDS[fault.kind].aside


_FAULT_FIELDS = {
    *("kind", "region", "at_s", "for_s", "after_step", "delay_s", "every_s", "times"),
}


def _fault(reader: Reader, node: Any) -> Fault:
    kinds = sorted(KINDS)
    known = {name for kind in KINDS.values() for name in kind.settings}
    fields = reader.mapping(node, _FAULT_FIELDS | known, "a fault")
    kind = reader.text(fields, "kind", node)
    if kind not in KINDS:
        raise reader.error(fields["kind"], f"no fault {kind!r}: choose one of {', '.join(kinds)}")
    allowed = KINDS[kind].settings
    for name in fields:
        if name in known and name not in allowed:
            has = ", ".join(sorted(allowed)) or "none"
            raise reader.error(fields[name], f"the fault {kind} has no {name!r} (it has {has})")
    if ("at_s" in fields) == ("after_step" in fields):
        raise reader.error(node, "when does it begin? Give at_s or after_step, and not both")
    for_s = reader.number(fields, "for_s", node, 0, LONGEST_S)
    times = int(reader.number(fields, "times", node, 1, 1000, default=1))
    every_s = reader.number(fields, "every_s", node, 0, LONGEST_S, default=0)
    if times > 1 and every_s <= for_s:
        raise reader.error(node, f"every_s must be longer than for_s to strike {times} times")
    wanted = kind not in REGIONLESS
    return Fault(
        kind=kind,
        region=reader.text(fields, "region", node) if wanted or "region" in fields else "",
        at_s=reader.number(fields, "at_s", node, 0, LONGEST_S, default=0),
        for_s=for_s,
        after_step=reader.text(fields, "after_step", node) if "after_step" in fields else None,
        delay_s=reader.number(fields, "delay_s", node, 0, LONGEST_S, default=0),
        every_s=every_s,
        times=times,
        settings={name: setting.read(reader, fields, node) for name, setting in allowed.items()},
    )
