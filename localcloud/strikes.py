"""How each kind of fault strikes the world and ends again: one entry a kind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from localcloud.cloud import LocalCloud
from localcloud.frontdoor import HttpAnswer
from localcloud.kernel import Steps
from localcloud.scenario import Fault

End = Callable[[], None]


@dataclass(frozen=True)
class Kind:
    """One kind of fault: what it is, in words, and how it begins. `begin` returns its end."""

    words: str
    begin: Callable[[LocalCloud, str], End]


def _region_down(cloud: LocalCloud, region: str) -> End:
    cloud.fail_region(region)
    return lambda: cloud.restore_region(region)


def _placed(places: Callable[[LocalCloud], set[str]]) -> Callable[[LocalCloud, str], End]:
    """A fault that is a Region's membership in one of the network's sets."""

    def begin(cloud: LocalCloud, region: str) -> End:
        places(cloud).add(region)
        return lambda: places(cloud).discard(region)

    return begin


def _health_errors(cloud: LocalCloud, region: str) -> End:
    answer = HttpAnswer(503, {"content-type": "application/json"}, b'{"status":"unhealthy"}')

    def override(where: str, method: str, path: str) -> HttpAnswer | None:
        return answer if (where, method, path) == (region, "GET", "/health") else None

    cloud.door.override.append(override)
    return lambda: cloud.door.override.remove(override)


KINDS: dict[str, Kind] = {
    "region-down": Kind("nothing in the Region answers, nothing in it runs", _region_down),
    "region-isolated": Kind(
        "the Region is cut off from all other Regions; clients reach it",
        _placed(lambda cloud: cloud.network.isolated),
    ),
    "region-dark": Kind(
        "no client or health checker reaches the Region; other Regions do",
        _placed(lambda cloud: cloud.network.dark),
    ),
    "health-errors": Kind("the Region's /health answers 503, all else works", _health_errors),
}


def strike(cloud: LocalCloud, fault: Fault) -> Steps[None]:
    """Wait for the fault's time, let it strike, and end it when its time is over."""
    yield cloud.kernel.env.timeout(max(0.0, fault.at_s - float(cloud.kernel.env.now)))
    told = {"what": fault.kind, "region": fault.region}
    cloud.kernel.log("fault", **told)
    end = KINDS[fault.kind].begin(cloud, fault.region)
    yield cloud.kernel.env.timeout(fault.for_s)
    end()
    cloud.kernel.log("fault_over", **told)
