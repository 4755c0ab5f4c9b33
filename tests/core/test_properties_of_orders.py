"""What holds for every order of an operator and every budget: hypothesis looks for one where it
does not."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sidestep.core import holds
from sidestep.core.control import Acknowledgement, Pause
from sidestep.core.decide import FAILOVER, RECOVERY, TAKE_OVER, View, decide
from sidestep.core.maintenance import Window
from sidestep.core.policy import Policy
from tests.core.any_view import around_now, pauses, policies, views
from tests.core.views import NOW

MOVING = (FAILOVER, RECOVERY, TAKE_OVER)


@given(views(), policies)
def test_nothing_moves_in_a_paused_region_or_in_its_window_or_where_it_is_only_observed(
    view: View, policy: Policy
) -> None:
    for decision in decide(view, policy, NOW):
        held = (
            policy.observe_only
            or view.control.pause_of(decision.region, NOW) is not None
            or holds.window(decision.region, policy, NOW) is not None
        )
        assert not (held and decision.action in MOVING)


@given(views(), policies)
def test_a_pause_or_a_window_that_is_over_is_as_none(view: View, policy: Policy) -> None:
    control = view.control
    lasting = {r: p for r, p in control.paused_regions.items() if p.until_ms > NOW}
    whole = control.paused if control.paused and control.paused.until_ms > NOW else None
    swept = replace(control, paused=whole, paused_regions=lasting)
    opened = tuple(w for w in policy.maintenance if any(w.open_until(r, NOW) for r in view.regions))

    assert decide(view, policy, NOW) == decide(
        replace(view, control=swept), replace(policy, maintenance=opened), NOW
    )


@given(views(), policies)
def test_what_is_detected_is_told_whatever_is_ordered(view: View, policy: Policy) -> None:
    pause = Pause("ada", "a release", NOW + 1000)
    ordered = replace(view, control=replace(view.control, paused=pause))
    windows = (around_now("all", 0, 60),)

    for other in (
        decide(ordered, policy, NOW),
        decide(view, replace(policy, maintenance=windows, observe_only=True), NOW),
    ):
        for one, was in zip(other, decide(view, policy, NOW), strict=True):
            assert (one.impaired, one.reasons[1:]) == (was.impaired, was.reasons[1:])


@given(views(), policies, st.data())
def test_what_is_ordered_for_one_region_changes_nothing_for_another(
    view: View, policy: Policy, data: st.DataObject
) -> None:
    region = data.draw(st.sampled_from(view.regions))
    control, window = view.control, Window(region, "daily", 0, 1440)
    token = control.of(region).token
    orders = replace(
        control,
        paused_regions={**control.paused_regions, region: data.draw(pauses)},
        acknowledged={**control.acknowledged, region: Acknowledgement("x", token, "ada", NOW)},
    )
    own = replace(policy, maintenance=(*policy.maintenance, window))

    before = decide(view, policy, NOW)
    after = decide(replace(view, control=orders), own, NOW)

    for was, now in zip(before, after, strict=True):
        assert was.region == region or was == now


@given(views(), policies)
def test_an_acknowledgement_pages_nobody_more_and_holds_nothing_back(
    view: View, policy: Policy
) -> None:
    without = replace(view, control=replace(view.control, acknowledged={}))

    for was, now in zip(decide(without, policy, NOW), decide(view, policy, NOW), strict=True):
        assert now.page <= was.page
        assert was.action not in MOVING or now.action == was.action


@given(views(), policies)
def test_no_more_is_drained_in_a_day_than_the_budget(view: View, policy: Policy) -> None:
    moves = view.control.moves
    today = [m for m in moves if m.what == "drain" and NOW - m.at_ms < 86_400_000]
    small = replace(policy, max_drains_per_day=max(1, len(today)))

    if today:
        moved = [d for d in decide(view, small, NOW) if d.action in (FAILOVER, RECOVERY)]
        # Where nothing else serves a return is not backed out: it costs no drain.
        assert all(d.alone and d.action == RECOVERY for d in moved)
