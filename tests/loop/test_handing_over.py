"""A failover that is half done and that nobody may finish is told to people, with commands that
finish it or undo it: through the real template, workflows and handlers."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from localcloud.cloud import LocalCloud, Topology
from sidestep.core.control import CLOCK_SKEW_MS
from sidestep.core.policy import Policy
from tests.control.pasted import Command, commands_in
from tests.loop.world import break_health, executions, go_on, start, states, until

LEFT, HOLDER = "eu-west-2", "us-east-1"
TAKEN_OVER_S = Policy().lease_s + CLOCK_SKEW_MS // 1000
ROUNDS_S = 25.0
"""Two rounds and a little."""
ORDERS = ["observe_only", "pause"]


@contextmanager
def half_done(order: str) -> Iterator[LocalCloud]:
    """A Region's failover ends as it has begun to drain, and then an order withholds automation."""
    policy: Mapping[str, Any] = {"observe_only": True} if order == "observe_only" else {}
    with LocalCloud(topology=Topology(policy=policy)) as cloud:
        cloud.start()
        go_on(cloud, 14)  # every Region has voted and registered
        if order == "observe_only":
            start(cloud, HOLDER, "failover", {"region": LEFT})  # nothing else would begin one
        else:
            break_health(cloud, LEFT)
        assert until(cloud, lambda: states(cloud)[LEFT] == "DRAINING", 60)
        for region in cloud.topology.regions:
            for running in executions(cloud, region, "failover"):
                if running.status == "RUNNING":
                    cloud.client("stepfunctions", region).stop_execution(executionArn=running.arn)
        if order == "pause":
            cloud.kernel.finish(_paused(cloud))
        yield cloud


def _paused(cloud: LocalCloud) -> Any:
    cloud.pause(7200)
    yield cloud.kernel.env.timeout(0)


def told(cloud: LocalCloud) -> list[str]:
    """What people were told to do, on any Region's topic."""
    topics = cloud.services.notifications.published.values()
    subject = f"Sidestep needs you: {LEFT}"
    return [one.message for topic in topics for one in topic if one.subject == subject]


def paste(cloud: LocalCloud, command: Command) -> None:
    client = cloud.client("stepfunctions", command.region)
    getattr(client, command.operation)(**command.given)


def mode(command: Command) -> tuple[str, str]:
    workflow = str(command.given["stateMachineArn"]).rsplit("-", 1)[-1]
    return workflow, json.loads(command.given["input"])["mode"]


@pytest.mark.parametrize("order", ORDERS)
def test_a_person_is_told_once_and_can_finish_it(order: str) -> None:
    with half_done(order) as cloud:
        go_on(cloud, TAKEN_OVER_S - 20)
        early = told(cloud)
        go_on(cloud, 20 + ROUNDS_S)
        (message,) = told(cloud)
        finish, _ = commands_in(message)

        assert early == []
        assert (order if order == "observe_only" else "paused by operator") in message
        assert mode(finish) == ("failover", "manual")
        go_on(cloud, 60)
        assert len(told(cloud)) == 1
        assert states(cloud)[LEFT] == "DRAINING"
        paste(cloud, finish)
        assert until(cloud, lambda: states(cloud)[LEFT] == "DRAINED", 60)
        assert len(told(cloud)) == 1


@pytest.mark.parametrize("order", ORDERS)
def test_a_person_can_undo_it_instead(order: str) -> None:
    with half_done(order) as cloud:
        go_on(cloud, TAKEN_OVER_S + ROUNDS_S)
        _, undo = commands_in(told(cloud)[0])

        assert mode(undo) == ("recovery", "forced")
        paste(cloud, undo)
        assert until(cloud, lambda: states(cloud)[LEFT] == "PROBATION", 600)
