"""Faults of one kind that overlap: each lasts as long as it was told, whatever another does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from localcloud.cloud import LocalCloud
from localcloud.faults.on_calls import CallFault, CallFaults
from localcloud.faults.strikes import Strikes
from localcloud.kernel import Kernel
from localcloud.scenario import Fault

HERE, THERE = "eu-west-2", "us-east-1"

HOLDS: dict[str, Callable[[LocalCloud], object]] = {
    "region-down": lambda cloud: HERE in cloud.network.down,
    "region-lost": lambda cloud: HERE in cloud.network.down,
    "region-isolated": lambda cloud: HERE in cloud.network.isolated,
    "region-dark": lambda cloud: HERE in cloud.network.dark,
    "link-cut": lambda cloud: not cloud.network.reachable(HERE, THERE),
    "stepfunctions-down": lambda cloud: HERE in cloud.stepfunctions.unavailable,
    "route53-down": lambda cloud: bool(cloud.route53.control_plane_down),
}


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    with LocalCloud() as made:
        yield made


def after(
    cloud: LocalCloud, *faults: Fault, look: Callable[[LocalCloud], object], at_s: tuple[float, ...]
) -> list[Any]:
    """What is seen of these faults so many seconds from now."""
    now_s = float(cloud.kernel.env.now)
    Strikes(
        cloud,
        tuple(
            Fault(one.kind, one.region, now_s + one.at_s, one.for_s, settings=one.settings)
            for one in faults
        ),
    )
    seen = []
    for at in at_s:
        cloud.kernel.run(until=now_s + at)
        seen.append(look(cloud))
    return seen


@pytest.mark.parametrize("kind", HOLDS)
def test_what_two_strikes_bring_about_holds_until_the_second_is_over(
    cloud: LocalCloud, kind: str
) -> None:
    settings = {"peer": THERE}
    first = Fault(kind, HERE, 1, 10, settings=settings)
    second = Fault(kind, HERE, 5, 20, settings=settings)

    seen = after(cloud, first, second, look=HOLDS[kind], at_s=(2, 12, 26))

    assert seen == [True, True, False]


def test_of_two_wrong_clocks_the_newest_that_still_stands_is_seen(cloud: LocalCloud) -> None:
    first = Fault("clock-skew", HERE, 1, 10, settings={"ahead_s": 20.0})
    second = Fault("clock-skew", HERE, 5, 20, settings={"ahead_s": -5.0})
    inner = Fault("clock-skew", HERE, 15, 4, settings={"ahead_s": 20.0})

    seen = after(
        cloud,
        *(first, second, inner),
        look=lambda cloud: cloud.lambdas.clock_ahead_s[HERE].value(0.0),
        at_s=(2, 6, 12, 16, 20, 26),
    )

    assert seen == [20.0, -5.0, -5.0, 20.0, -5.0, 0.0]


def test_of_two_shares_of_duplicates_the_newest_that_still_stands_holds(cloud: LocalCloud) -> None:
    first = Fault("duplicates", "", 1, 10, settings={"share": 0.5})
    second = Fault("duplicates", "", 5, 20, settings={"share": 0.9})
    before = cloud.services.events.delivery.duplicate_share

    seen = after(
        cloud,
        *(first, second),
        look=lambda cloud: cloud.services.events.delivery.duplicate_share,
        at_s=(2, 6, 12, 26),
    )

    assert seen == [0.5, 0.9, 0.9, before]


def test_a_call_is_late_by_all_delays_and_fails_by_the_first_failure() -> None:
    faults = CallFaults(Kernel().fork("faults"))
    faults.add(CallFault(delay_s=1.5))
    faults.add(CallFault("dynamodb", lose_response=True))
    faults.add(CallFault(delay_s=0.5))
    faults.add(CallFault("dynamodb", lose_request=True))

    late = faults.strike("sqs", "SendMessage", HERE, HERE)
    lost = faults.strike("dynamodb", "PutItem", HERE, HERE)

    assert late is not None
    assert (late.delay_s, late.only_delays) == (2.0, True)
    assert lost is not None
    assert (lost.delay_s, lost.lose_response, lost.lose_request) == (2.0, True, False)


def test_who_ends_a_pause_leaves_a_newer_one_that_another_ordered(cloud: LocalCloud) -> None:
    def pauses(cloud: LocalCloud) -> tuple[bool, list[str]]:
        control = cloud.control()
        return "paused" in control, list(control.get("paused_regions", {}))

    kind = "paused-by-operator"
    seen = after(
        cloud,
        *(Fault(kind, "", 1, 30), Fault(kind, "", 20, 40), Fault(kind, HERE, 5, 5)),
        look=pauses,
        at_s=(7, 15, 35, 62),
    )

    assert seen == [(True, [HERE]), (True, []), (True, []), (False, [])]
