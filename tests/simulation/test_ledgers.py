"""An acknowledged write that a ledger lacks is found, unless people find it as a dead letter."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from localcloud.calls.wire import AwsError
from localcloud.clients import AckedWrite
from localcloud.cloud import LocalCloud
from localcloud.compute.frontdoor import HttpAnswer
from localcloud.compute.lambdas import Function
from localcloud.faults.on_calls import CallFault
from localcloud.kernel import Steps
from localcloud.services.eventbridge import BusFault
from localcloud.simulation.ledgers import promised, unledgered
from tests.loop.world import THE_ALARM_RULE, THE_SCHEDULE, go_on, until, world_without

HERE, NEAR, FAR = REGIONS = ("eu-west-2", "us-east-1", "us-west-2")
TRIED_AGAIN_S = 400.0
"""A minute and two minutes between Lambda's tries; a queue's visibility time-out is 360 s."""


@pytest.fixture
def cloud() -> Iterator[LocalCloud]:
    with world_without(THE_SCHEDULE, THE_ALARM_RULE) as made:
        yield made


def acknowledged(cloud: LocalCloud, region: str = HERE, key: str = "k") -> AckedWrite:
    """A client's write, as its answer told of it."""
    answers: list[HttpAnswer] = []

    def post() -> Steps[None]:
        body = json.dumps({"author": "ada", "text": "hello"}).encode()
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        domain = cloud.topology.domain
        steps = cloud.door.request(region, domain, "POST", "/messages", headers, body)
        answers.append((yield from steps))

    cloud.kernel.finish(post())
    assert answers[0].status in (200, 201)
    told = json.loads(answers[0].body)["message"]
    at_s = float(cloud.kernel.env.now)
    return AckedWrite(told["id"], "ada", "hello", at_s, region, told["region"], told["written_at"])


def lacking(cloud: LocalCloud, write: AckedWrite) -> set[str]:
    """The Regions whose ledger lacks it."""
    return {one.region for one in unledgered(cloud, [write])}


def test_a_write_is_promised_to_every_other_regions_ledger() -> None:
    write = AckedWrite("m", "ada", "hello", 1.0, region=HERE, origin=HERE, written_at=1)

    assert promised(write, REGIONS) == (NEAR, FAR)


def test_who_answers_with_anothers_write_promises_its_own_ledger_alone() -> None:
    write = AckedWrite("m", "ada", "hello", 1.0, region=NEAR, origin=HERE, written_at=1)

    assert promised(write, REGIONS) == (NEAR,)


def test_a_write_is_missing_until_its_event_has_come(cloud: LocalCloud) -> None:
    write = acknowledged(cloud)

    assert lacking(cloud, write) == {NEAR, FAR}
    assert until(cloud, lambda: not lacking(cloud, write), within_s=20.0)


def test_a_retry_that_another_region_answers_is_entered_there(cloud: LocalCloud) -> None:
    acknowledged(cloud)
    go_on(cloud, 5.0)

    again = acknowledged(cloud, NEAR)

    assert (again.region, again.origin) == (NEAR, HERE)
    assert lacking(cloud, again) == set()


def test_an_entry_with_another_text_is_not_the_writes(cloud: LocalCloud) -> None:
    write = acknowledged(cloud)
    go_on(cloud, 20.0)
    other = AckedWrite(write.id, "ada", "goodbye", 1.0, HERE, HERE, write.written_at)

    assert lacking(cloud, write) == set()
    assert lacking(cloud, other) == {NEAR, FAR}


def test_what_waits_to_be_emitted_is_missing_until_it_is(cloud: LocalCloud) -> None:
    refuses = cloud.services.events.add_fault(BusFault(HERE, 1.0))
    write = acknowledged(cloud)
    go_on(cloud, 60.0)
    missing = lacking(cloud, write)

    cloud.services.events.remove_fault(refuses)

    assert missing == {NEAR, FAR}
    assert until(cloud, lambda: not lacking(cloud, write), within_s=TRIED_AGAIN_S)


def test_a_dead_letter_of_a_forward_is_of_one_regions_ledger(cloud: LocalCloud) -> None:
    denied = AwsError("AccessDeniedException", "not authorized", 400)
    cloud.endpoint.faults.add(CallFault(service="events", region=NEAR, caller=HERE, error=denied))
    write = acknowledged(cloud)
    go_on(cloud, 20.0)

    found_by_people = lacking(cloud, write)
    purge(cloud, HERE)

    assert found_by_people == set()
    assert lacking(cloud, write) == {NEAR}


def test_a_dead_letter_of_a_ledgers_function_is_of_its_region(cloud: LocalCloud) -> None:
    def crashes(function: Function) -> str | None:
        at_it = function.region == FAR and function.name.endswith("-ledger")
        return "Runtime.HandlerError" if at_it else None

    cloud.lambdas.crashes.append(crashes)
    write = acknowledged(cloud)
    go_on(cloud, 30.0)
    still_tried = lacking(cloud, write)
    go_on(cloud, TRIED_AGAIN_S)

    found_by_people = lacking(cloud, write)
    purge(cloud, FAR)

    assert still_tried == {FAR}
    assert found_by_people == set()
    assert lacking(cloud, write) == {FAR}


def purge(cloud: LocalCloud, region: str) -> None:
    """Somebody throws a Region's dead letters away."""
    arn = cloud.stacks[region].resources["DeadLetters"].attributes["Arn"]
    cloud.services.queues.queue(arn)._messages.clear()
