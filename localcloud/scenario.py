"""Scenarios: what goes wrong, where and when, and what should come of it; one YAML file each.

docs/scenarios.md tells the format for people who write their own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from localcloud.cloud import ROOT, Topology
from localcloud.faults.kinds import ACTING, KINDS, MAY_NAME_ONE, MOMENTS, REGIONLESS
from localcloud.yaml_reader import Reader, ScenarioError, at, instead, twice
from sidestep.core.policy import problems

CATALOGUE = Path(__file__).parent / "scenarios"
MOVED, LEFT, HELD = "moved", "left", "held"
EXPECTATIONS = (MOVED, LEFT, HELD)
PAGE, TAKE_OVER, BACK_OUT = "page", "take-over", "back-out"
MUSTS = (PAGE, TAKE_OVER, BACK_OUT)
"""What may have to come about besides: docs/scenarios.md tells what each is."""
LONGEST_S = 86_400.0
ENDS = ("SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED")
"""How an execution may end: DescribeExecution's statuses, without those of one that still runs
(https://docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html)."""
_NETWORK = frozenset({"region-down", "region-isolated", "link-cut"})
"""Kinds that can strike a Region in which there is nothing but a replica of the coordination
table."""

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
    waits_s: float = 900.0
    """Of one that waits for a step: it never strikes if none has come so long after the start."""

    @property
    def ends_at_s(self) -> float:
        """When its last strike is over, at the latest."""
        at_s = self.at_s if self.after_step is None else self.waits_s + self.delay_s
        return at_s + self.every_s * (self.times - 1) + self.for_s

    def in_force(self, since_s: float, until_s: float) -> bool:
        """Whether it strikes at some moment between the two. What waits for a step may at any."""
        if self.after_step is not None:
            return True
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
    must: tuple[str, ...] = ()
    """What has to come about, too: some of `MUSTS`. It is asked of Sidestep alone."""


def names() -> list[str]:
    """The catalogue's scenarios."""
    return sorted(path.stem for path in CATALOGUE.glob("*.yaml"))


def load(name_or_path: str) -> Scenario:
    """A scenario of the catalogue by name, or of the user's own by its file's path.

    Raises ScenarioError, with the line, when there is none or it does not hold together.
    """
    own = Path(name_or_path)
    path = own if own.suffix in (".yaml", ".yml") else CATALOGUE / f"{name_or_path}.yaml"
    if path == own and not path.is_file():
        words = "give a scenario's file, or the name of one of ours, without .yaml"
        raise ScenarioError(f"no file {name_or_path}: {words}")
    if not path.is_file():
        raise ScenarioError(
            f"no scenario {name_or_path!r} (a file of yours ends in .yaml): "
            f"{instead(name_or_path, names())}"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ScenarioError(f"{path}:1: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScenarioError(f"{path}:1: not a text file in UTF-8") from None
    return parse(text, str(own if own == path else path.name))


_FIELDS = {
    *("name", "why", "expect", "regions", "drill", "faults", "requests_per_s"),
    *("most_moves", "must", "policy"),
}


def parse(text: str, source: str, topology: Topology | None = None) -> Scenario:
    """A scenario from its YAML, for a cloud of these Regions, by default a drill's.

    Raises ScenarioError with source and line.
    """
    reader = Reader(source)
    try:
        return _scenario(reader, reader.compose(text), topology or Topology())
    except RecursionError:
        raise ScenarioError(f"{source}:1: nested too deep, or within itself") from None


def _scenario(reader: Reader, root: Any, topology: Topology) -> Scenario:
    top = reader.mapping(root, _FIELDS, "a scenario")
    expect = reader.one_of(top, "expect", root, EXPECTATIONS)
    if "drill" not in top and "faults" not in top:
        raise reader.error(root, "nothing happens: give a drill, or faults, or both")
    faults = tuple(
        _fault(reader, node, topology)
        for node in reader.sequence(top.get("faults"), "faults", "fault")
    )
    drill_region, drill_ends = _drill(reader, top.get("drill"), topology)
    regions = tuple(
        _place(reader, node, topology.regions)
        for node in reader.sequence(top.get("regions"), "regions", "Region")
    )
    if expect == HELD and drill_region is not None:
        raise reader.error(top["drill"], "a drill moves a Region: expect moved, or leave it out")
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
        drill_ends=drill_ends,
        requests_per_s=reader.number(top, "requests_per_s", root, 0.001, 100.0, default=1.5),
        most_moves=reader.whole(top, "most_moves", root, 0, 1000) if "most_moves" in top else None,
        policy=_policy(reader, top.get("policy"), topology),
        must=_must(reader, top.get("must")),
    )


def _drill(reader: Reader, node: Any, topology: Topology) -> tuple[str | None, str]:
    """Its Region, None without a drill, and how it should end."""
    if node is None:
        return None, ENDS[0]
    fields = reader.mapping(node, {"region", "ends"}, "drill")
    reader.text(fields, "region", node)
    ends = reader.one_of(fields, "ends", node, ENDS) if "ends" in fields else ENDS[0]
    return _place(reader, fields["region"], topology.regions), ends


def _must(reader: Reader, node: Any) -> tuple[str, ...]:
    """What has to come about, each once."""
    wanted: list[str] = []
    for one in reader.sequence(node, "must", "of " + ", ".join(MUSTS)):
        name = reader.plain(one)
        if name not in MUSTS:
            hint = _meant(name, MUSTS) or f": choose of {', '.join(MUSTS)}"
            raise reader.error(one, f"must has no {name!r}{hint}")
        if name in wanted:
            raise reader.error(one, f"must has {name} twice")
        wanted.append(name)
    return tuple(wanted)


def _policy(reader: Reader, node: Any, topology: Topology) -> Mapping[str, Any]:
    """The policy's numbers that differ; of all that is wrong in them what stands first."""
    if node is None:
        return {}
    reader.is_mapping(node, "policy")
    given = reader.value(node)
    faults = list(twice(node))
    faults += [(at(node, one.path), one.words) for one in problems(given, topology.regions)]
    if faults:
        raise reader.error(*min(faults, key=lambda fault: int(fault[0].start_mark.line)))
    read: Mapping[str, Any] = given
    return read


def _place(reader: Reader, node: Any, known: Sequence[str]) -> str:
    """A Region, or what stands for one, that there is."""
    name = reader.plain(node)
    if name not in known:
        raise reader.error(node, f"no Region {name!r} here: choose one of {', '.join(known)}")
    return name


def _step(reader: Reader, node: Any) -> str:
    """The name of a state."""
    name = reader.plain(node)
    if name not in states():
        hint = _meant(name, states())
        raise reader.error(node, f"no state {name!r} in statemachines/*.asl.json{hint}")
    return name


def _meant(name: str, known: Sequence[str]) -> str:
    """What is close to a name that is none of these, as a question; "" for nothing."""
    near = get_close_matches(name, known, 3, 0.4)
    return f": did you mean {' or '.join(map(repr, near))}?" if near else ""


@cache
def states() -> tuple[str, ...]:
    """The names of all states of the workflows."""
    machines = sorted((ROOT / "statemachines").glob("*.asl.json"))
    return tuple(name for path in machines for name in _states_of(json.loads(path.read_text())))


def _states_of(machine: Mapping[str, Any]) -> Iterator[str]:
    for name, state in machine["States"].items():
        yield name
        for inner in [state.get("ItemProcessor"), *state.get("Branches", ())]:
            yield from _states_of(inner) if inner is not None else ()


def _is_harm(fault: Fault) -> bool:
    return bool(fault.region) and fault.region != ACTING and not KINDS[fault.kind].aside


_FAULT_FIELDS = {
    *("kind", "region", "at_s", "for_s", "after_step", "delay_s", "every_s", "times"),
}


def _fault(reader: Reader, node: Any, topology: Topology) -> Fault:
    known = {name for kind in KINDS.values() for name in kind.settings}
    fields = reader.mapping(node, _FAULT_FIELDS | known, "a fault")
    kind = reader.text(fields, "kind", node)
    if kind not in KINDS:
        raise reader.error(fields["kind"], f"no fault {kind!r}: {instead(kind, KINDS)}")
    allowed = KINDS[kind].settings
    for name in fields:
        if name in known and name not in allowed:
            has = ", ".join(sorted(allowed)) or "none"
            raise reader.error(fields[name], f"the fault {kind} has no {name!r} (it has {has})")
    if ("at_s" in fields) == ("after_step" in fields):
        raise reader.error(node, "when does it begin? Give at_s or after_step, and not both")
    if "delay_s" in fields and "after_step" not in fields:
        raise reader.error(fields["delay_s"], "delay_s counts from after_step, which is not given")
    for_s = reader.number(fields, "for_s", node, 0, LONGEST_S)
    if not for_s and kind not in MOMENTS:
        raise reader.error(fields["for_s"], "for_s is 0: a fault that lasts for no time is none")
    times = reader.whole(fields, "times", node, 1, 1000, default=1)
    every_s = reader.number(fields, "every_s", node, 0, LONGEST_S, default=0)
    if "every_s" in fields and times == 1:
        raise reader.error(fields["every_s"], "every_s says how often: give times, too")
    if times > 1 and every_s <= for_s:
        raise reader.error(node, f"every_s must be longer than for_s to strike {times} times")
    return Fault(
        kind=kind,
        region=_struck(reader, kind, fields, node, topology),
        at_s=reader.number(fields, "at_s", node, 0, LONGEST_S, default=0),
        for_s=for_s,
        after_step=_step(reader, fields["after_step"]) if "after_step" in fields else None,
        delay_s=reader.number(fields, "delay_s", node, 0, LONGEST_S, default=0),
        every_s=every_s,
        times=times,
        settings={name: setting.read(reader, fields, node) for name, setting in allowed.items()},
    )


def _struck(
    reader: Reader, kind: str, fields: Mapping[str, Any], node: Any, topology: Topology
) -> str:
    """The Region that a fault strikes, "" where it strikes none; a link's other end is there too
    and is another."""
    known = topology.regions
    if kind in _NETWORK:
        known = tuple(dict.fromkeys([*topology.regions, *topology.coordination]))
    region = ""
    if "region" in fields and kind in REGIONLESS - MAY_NAME_ONE:
        raise reader.error(fields["region"], f"{kind} strikes no single Region: leave region out")
    if kind not in REGIONLESS or "region" in fields:
        reader.text(dict(fields), "region", node)
        region = _place(reader, fields["region"], (*known, ACTING))
    if "peer" in fields and _place(reader, fields["peer"], known) == region:
        raise reader.error(fields["peer"], f"peer is {region} itself: a link has two ends")
    return region
