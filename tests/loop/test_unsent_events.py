"""An event that the bus does not take is tried again and again, and a person hears of it."""

from __future__ import annotations

from localcloud.cloud import LocalCloud
from localcloud.services.eventbridge import BusFault
from tests.loop.world import EVENTS, go_on, template_without

HERE = "eu-west-2"


def test_people_hear_of_events_that_have_been_unsent_for_a_quarter_of_an_hour() -> None:
    """SQS leaves what was tried three times out of its age: the number has to tell."""
    with LocalCloud(template=template_without(EVENTS)) as cloud:  # and no checker asks
        cloud.services.events.add_fault(BusFault(HERE, 1.0))
        write(cloud)

        go_on(cloud, 14 * 60)
        early = rang(cloud)
        go_on(cloud, 6 * 60)

        assert (early, rang(cloud)) == (False, True)


def write(cloud: LocalCloud) -> None:
    headers = {"idempotency-key": "a-key-of-a-test", "content-type": "application/json"}
    host, body = f"{HERE}.{cloud.topology.domain}", b'{"author": "ada", "text": "Tea at four?"}'
    answer = cloud.kernel.finish(cloud.door.request(HERE, host, "POST", "/messages", headers, body))
    assert answer.status == 201


def rang(cloud: LocalCloud) -> bool:
    """Whether the alarm told people."""
    published = cloud.services.notifications.published.values()
    return any(f"{HERE}-unsent-events" in told.subject for topic in published for told in topic)
