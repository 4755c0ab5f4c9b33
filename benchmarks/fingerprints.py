"""What a run's figures hang on, as fingerprints: Sidestep's runs', the peers', random worlds'."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.peers.designs import Design
from benchmarks.peers.run import without_workflows
from localcloud.scenario import Scenario

ROOT = Path(__file__).resolve().parent.parent
_BOTH = (
    "localcloud",
    "functions",
    "sidestepctl/report.py",
    "benchmarks/one_run.py",
    "benchmarks/dns_moves.py",
)
"""The world, what is deployed in it, and the judge."""
_OURS = ("statemachines", "template.yaml")
_PEERS = ("benchmarks/peers",)
"""And how each is set, and the template as it deploys it, which has no control plane of ours."""
_ASIDE = ("localcloud/simulation", "localcloud/scenarios")
"""Folders that no run of the bench enters; its own scenario is told apart below."""
_DECIDING = (
    "capacity", "decide", "evidence", "findings", "handover", "holds", "ledger", "maintenance",
    "recheck", "replication", "returning", "silence", "traffic", "votes",
)  # fmt: skip
NOT_THEIRS = (
    "functions/sidestep/control",
    *(f"functions/sidestep/core/{name}.py" for name in _DECIDING),
)
"""What only our control plane runs: no function of the API takes anything from it."""


@dataclass(frozen=True)
class Fingerprints:
    """Of this code. Each changes when anything changes that may change an outcome of its side."""

    ours: str
    peers: str

    def of(self, design: Design, scenario: Scenario) -> str:
        """Of one design's runs of one scenario: its side's, how a peer is set and what it deploys,
        and what the scenario does to it.

        Of our state machines a peer's run knows only which states its faults name, and that is
        in the scenario as it is put to it.
        """
        peer = design.template is not None
        told = replace(without_workflows(scenario) if peer else scenario, why="")
        as_set = json.dumps((design.setting, design.template())) if design.template else ""
        digest = hashlib.sha256((repr(told) + as_set).encode()).hexdigest()
        return (self.peers if peer else self.ours)[:8] + digest[:6]


def fingerprints(root: Path = ROOT) -> Fingerprints:
    """Of the code under `root`."""
    return Fingerprints(
        ours=_digest(root, _BOTH + _OURS, _ASIDE),
        peers=_digest(root, _BOTH + _PEERS, (*_ASIDE, *NOT_THEIRS)),
    )


def worlds(root: Path = ROOT) -> str:
    """What a random world hangs on, besides its seed."""
    names = ("localcloud", "functions", *_OURS)
    return _digest(root, names, ("localcloud/scenarios",))


def _digest(root: Path, names: Iterable[str], aside: Iterable[str]) -> str:
    digest = hashlib.sha256()
    left_out = [root / name for name in aside]
    for name in names:
        top = root / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            out = any(aside == path or aside in path.parents for aside in left_out)
            if path.suffix in (".py", ".yaml", ".json") and not out:
                digest.update(path.relative_to(root).as_posix().encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
