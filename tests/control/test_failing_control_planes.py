"""A failover succeeds by data planes alone, whatever becomes of control planes on its way.

The real definition and the real handlers, from the claim to the incident's being put down.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.asl.scripts import Throw
from tests.control.control_plane import COORDINATION, LONDON, OPEN, OREGON, VIRGINIA, ControlPlane
from tests.control.real_steps import LEFT, carry_out

Trouble = Callable[[ControlPlane], None]
UNTOLD: dict[str, Any] = {
    "Tell that it is drained": Throw("SNS.SdkClientException"),
    "Tell the bus that it is drained": Throw("EventBridge.SdkClientException"),
    "Announce the outcome": Throw("SNS.SdkClientException"),
    "Announce it on the bus": Throw("EventBridge.SdkClientException"),
}


def refusing(operation: str, code: str, region: str = "*") -> Trouble:
    return lambda plane: plane.refusing.update({(operation, region): code})


def silent(service: str, region: str = "*") -> Trouble:
    return lambda plane: plane.silent.add((service, region))


def losing(operation: str, region: str) -> Trouble:
    return lambda plane: plane.lost.add((operation, region))


def everything(plane: ControlPlane) -> None:
    """Route 53 away, the left Region dark, one warden and one coordination Region gone."""
    for service, region in (
        ("route-53", "*"),
        ("*", LONDON),
        ("dynamodb", OREGON),
        ("*", COORDINATION[0]),
    ):
        plane.silent.add((service, region))


ROUTE_53: dict[str, Trouble] = {
    "throttles": refusing("GetHealthCheck", "Throttling"),
    "throttles half-way": refusing("UpdateHealthCheck", "Throttling"),
    "times out": silent("route-53"),
    "denies": refusing("GetHealthCheck", "AccessDenied"),
    "denies half-way": refusing("UpdateHealthCheck", "AccessDenied"),
    "knows no such check": refusing("GetHealthCheck", "NoSuchHealthCheck"),
    "does it and its answer is lost": losing("UpdateHealthCheck", "global"),
}
PARTLY: dict[str, Trouble] = {
    "one warden is silent": silent("dynamodb", OREGON),
    "one warden throttles": refusing(
        "UpdateItem", "ProvisionedThroughputExceededException", OREGON
    ),
    "one warden denies": refusing("UpdateItem", "AccessDeniedException", OREGON),
    "the Region being left is dark": silent("*", LONDON),
    "a coordination Region is gone": silent("*", COORDINATION[0]),
    "the answer to the claim is lost": losing("UpdateItem", COORDINATION[0]),
}


def failed_over(plane: ControlPlane, **scripted: Any) -> Any:
    """A failover of London that a person started in Virginia."""
    return carry_out(plane, "failover", {"region": LONDON}, scripted=LEFT | scripted)


def assert_london_is_drained(plane: ControlPlane, execution: Any) -> None:
    assert (execution.status, execution.output["what"]) == (
        "SUCCEEDED",
        "drained, clients have left",
    )
    control = plane.control()
    assert (control.of(LONDON).state, control.serving) == ("DRAINED", 2)
    assert not control.of(LONDON).unfinished
    assert VIRGINIA in plane.marked()


@pytest.mark.parametrize("trouble", ROUTE_53)
def test_the_gate_drains_while_route_53s_control_plane(
    warm_plane: ControlPlane, trouble: str
) -> None:
    ROUTE_53[trouble](warm_plane)

    execution = failed_over(warm_plane)

    assert_london_is_drained(warm_plane, execution)
    assert warm_plane.control().of(LONDON).toggle != "shut"  # an observer puts it right


@pytest.mark.parametrize("trouble", PARTLY)
def test_partial_success_is_success(warm_plane: ControlPlane, trouble: str) -> None:
    PARTLY[trouble](warm_plane)

    assert_london_is_drained(warm_plane, failed_over(warm_plane))


def test_all_of_it_at_once(warm_plane: ControlPlane) -> None:
    everything(warm_plane)

    execution = failed_over(warm_plane, **UNTOLD)

    assert_london_is_drained(warm_plane, execution)
    assert execution.output["announced"] == {"topic": False, "bus": False}


GATE_FAILED = {"Drain by the gate": Throw("CoordinationUnavailable")}
"""It fails before it changes anything, past its retries; the toggle's step finds all well again."""


def test_a_gate_that_failed_before_it_counted_the_region_out_leaves_that_to_the_toggle(
    warm_plane: ControlPlane,
) -> None:
    execution = failed_over(warm_plane, **GATE_FAILED)

    assert (execution.status, execution.output["what"]) == (
        "SUCCEEDED",
        "drained, clients have left",
    )
    control = warm_plane.control()
    assert (control.of(LONDON).state, control.serving) == ("DRAINED", 2)
    assert control.of(LONDON).toggle == "shut"


def test_the_last_serving_region_is_kept_when_only_the_toggle_can_tell(
    warm_plane: ControlPlane,
) -> None:
    warm_plane.drained(OREGON)
    warm_plane.before["GetHealthCheck"] = lambda: pytest.fail("the switch was looked at")

    def meanwhile(state: str, _step: object) -> None:
        if state == "Check again":  # since the check, the only other Region has gone
            warm_plane.drained(VIRGINIA, here=OREGON)

    given = {"region": LONDON}
    execution = carry_out(
        warm_plane, "failover", given, scripted=LEFT | GATE_FAILED, after=meanwhile
    )

    assert (execution.status, execution.output["what"]) == ("SUCCEEDED", "stood down")
    control = warm_plane.control()
    assert (control.of(LONDON).state, control.of(LONDON).unfinished) == ("SERVING", False)
    assert warm_plane.switches.threshold[f"toggle-{LONDON}"] == OPEN


def test_a_right_that_is_taken_away_half_way_is_handed_over_and_nothing_is_left_open(
    warm_plane: ControlPlane,
) -> None:
    """The marks are refused at both wardens and the switch, too: the drain is undone."""
    for operation, region in (("UpdateItem", VIRGINIA), ("UpdateItem", OREGON)):
        warm_plane.refusing[operation, region] = "AccessDeniedException"
    warm_plane.refusing["UpdateHealthCheck", "*"] = "AccessDenied"

    execution = failed_over(warm_plane)

    assert (execution.status, execution.error) == ("FAILED", "NeitherSwitch")
    control = warm_plane.control()
    assert (control.of(LONDON).state, control.serving) == ("SERVING", 3)
    assert not control.of(LONDON).unfinished
    assert warm_plane.marked() == set()
