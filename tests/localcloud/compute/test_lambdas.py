"""The Lambda service: isolation, warmth, time-outs, errors, as on AWS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from localcloud.compute.lambdas import (
    COLD_START_S,
    IDLE_KEPT_S,
    Function,
    Invocation,
    Lambdas,
)
from localcloud.kernel import Kernel
from localcloud.network.reach import Network

SOURCE = """
import os, time
REGION = os.environ["AWS_REGION"]
seen = []

def handler(event, context):
    seen.append(event.get("n"))
    if event.get("sleep"):
        time.sleep(event["sleep"])
    if event.get("fail"):
        raise KeyError("no such thing")
    if event.get("odd"):
        return object()
    print("said", event.get("n"))
    return {"region": REGION, "now": os.environ["AWS_REGION"], "seen": list(seen),
            "left": context.get_remaining_time_in_millis()}
"""


class Service:
    """The Lambda service with one function in two Regions."""

    def __init__(self, code: Path, seed: int = 1) -> None:
        self.code = code
        self.kernel, self.network = Kernel(seed), Network()
        self.lambdas = Lambdas(self.kernel, self.network)
        for region in ("eu-west-2", "us-east-1"):
            self.lambdas.add(
                Function(
                    name="f",
                    region=region,
                    arn=f"arn:aws:lambda:{region}:123456789012:function:f",
                    handler="pack.mod.handler",
                    code=code,
                    role_arn="arn:aws:iam::123456789012:role/f",
                    environ={"AWS_REGION": region},
                    timeout_s=3,
                )
            )

    def invoke(self, payload: Any, region: str = "eu-west-2", name: str = "f") -> Invocation:
        steps = self.lambdas.invoke(region, name, payload)
        done: Invocation = self.kernel.run(until=self.kernel.process(steps))
        return done


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    (tmp_path / "pack").mkdir()
    (tmp_path / "pack" / "mod.py").write_text(SOURCE)
    made = Service(tmp_path)
    with made.kernel:
        yield made


def test_a_warm_environment_keeps_its_state_and_skips_the_cold_start(service: Service) -> None:
    first, second = service.invoke({"n": 1}), service.invoke({"n": 2})

    assert second.payload["seen"] == [1, 2]
    assert first.duration_s >= COLD_START_S[0] > second.duration_s


def test_regions_share_no_state_and_see_their_own_environment(service: Service) -> None:
    service.invoke({"n": 1})
    there = service.invoke({"n": 2}, region="us-east-1")

    assert there.payload["seen"] == [2]
    assert (there.payload["region"], there.payload["now"]) == ("us-east-1", "us-east-1")


def first_starts_s(seed: int, code: Path, before: str | None = None) -> list[float]:
    """How long six environments of a function take to begin, another having been used `before`."""
    service = Service(code, seed)
    with service.kernel:
        if before is not None:
            service.invoke({}, region=before)
        called = [
            service.kernel.process(service.lambdas.invoke("eu-west-2", "f", {"sleep": 1}))
            for _ in range(6)
        ]
        service.kernel.run(until=service.kernel.env.all_of(called))
        return [one.value.duration_s - 1 for one in called]  # type: ignore[union-attr]  # ended


def test_each_cold_start_takes_a_time_of_its_own_within_the_stated_range(service: Service) -> None:
    starts = first_starts_s(1, service.code)

    assert len(set(starts)) == 6
    assert all(COLD_START_S[0] <= start <= COLD_START_S[1] for start in starts)


def test_cold_starts_are_the_seeds_and_the_functions_own(service: Service) -> None:
    starts = first_starts_s(1, service.code)

    assert first_starts_s(1, service.code, before="us-east-1") == pytest.approx(starts)
    assert first_starts_s(2, service.code) != pytest.approx(starts)


def test_an_environment_is_kept_for_some_idle_minutes_and_no_longer(service: Service) -> None:
    shortest, longest = IDLE_KEPT_S
    service.invoke({"n": 0})

    service.kernel.run(until=service.kernel.env.now + shortest - 1)
    soon = service.invoke({"n": 1})
    service.kernel.run(until=service.kernel.env.now + longest)
    late = service.invoke({"n": 2})

    assert (soon.payload["seen"], late.payload["seen"]) == ([0, 1], [2])


def test_what_is_used_again_and_again_stays_warm(service: Service) -> None:
    for n in range(10):
        service.kernel.run(until=service.kernel.env.now + IDLE_KEPT_S[0] - 1)
        last = service.invoke({"n": n})

    assert last.payload["seen"] == list(range(10))


def test_two_at_once_run_in_two_environments(service: Service) -> None:
    both = [
        service.kernel.process(service.lambdas.invoke("eu-west-2", "f", {"n": n, "sleep": 1}))
        for n in (1, 2)
    ]
    service.kernel.run(until=service.kernel.env.all_of(both))

    assert [process.value.payload["seen"] for process in both] == [[1], [2]]  # type: ignore[union-attr]  # ended


def test_a_function_that_runs_too_long_is_stopped_and_its_environment_thrown_away(
    service: Service,
) -> None:
    late = service.invoke({"n": 1, "sleep": 60})
    after = service.invoke({"n": 2})

    assert late.error is not None
    assert late.error["errorType"] == "Sandbox.Timedout"
    shortest, longest = COLD_START_S
    assert shortest + 3 <= late.duration_s <= longest + 3
    assert after.payload["seen"] == [2]


def test_of_a_runtime_that_was_ended_its_error_has_a_type_or_has_none(service: Service) -> None:
    late = [service.invoke({"sleep": 60}) for _ in range(20)]
    failed = [service.invoke({"fail": True}) for _ in range(20)]

    assert {one.untyped for one in late} == {True, False}
    assert {one.untyped for one in failed} == {False}


def test_the_remaining_time_is_told_in_simulated_milliseconds(service: Service) -> None:
    assert service.invoke({"n": 1, "sleep": 1}).payload["left"] == 2000


def test_a_handlers_error_is_its_answer(service: Service) -> None:
    failed = service.invoke({"fail": True})

    assert failed.error == {"errorType": "KeyError", "errorMessage": "'no such thing'"}


def test_an_answer_that_is_not_json_is_an_error(service: Service) -> None:
    failed = service.invoke({"odd": True})

    assert failed.error is not None
    assert "not JSON serializable" in failed.error["errorMessage"]


def test_what_a_handler_prints_is_its_log(service: Service) -> None:
    assert service.invoke({"n": 5}).output == "said 5\n"


def test_an_unknown_function_is_said(service: Service) -> None:
    failed = service.invoke({}, name="g")

    assert failed.error is not None
    assert failed.error["errorType"] == "ResourceNotFoundException"


def test_a_throttled_function_does_not_run(service: Service) -> None:
    service.lambdas.throttle("eu-west-2", "f")
    refused = service.invoke({"n": 1})
    service.lambdas.throttle("eu-west-2", "f", on=False)

    assert refused.error is not None
    assert refused.error["errorType"] == "TooManyRequestsException"
    assert service.invoke({"n": 2}).payload["seen"] == [2]


def warmed(service: Service, environments: int) -> float:
    """So many environments are idle; the time."""
    used = [
        service.kernel.process(service.lambdas.invoke("eu-west-2", "f", {"sleep": COLD_START_S[1]}))
        for _ in range(environments)
    ]
    service.kernel.run(until=service.kernel.env.all_of(used))
    return float(service.kernel.env.now)


def test_a_lost_region_stops_what_runs_there_in_the_order_it_began(service: Service) -> None:
    began = warmed(service, 20)
    ended: list[int] = []

    def follow(n: int) -> Any:
        yield from service.lambdas.invoke("eu-west-2", "f", {"n": n, "sleep": 2})
        ended.append(n)

    for n in range(20):
        service.kernel.process(follow(n))
    service.kernel.run(until=began + 1)
    service.lambdas.kill_all("eu-west-2")
    service.kernel.run(until=began + 1.1)

    assert ended == list(range(20))


def test_a_lost_region_stops_what_runs_there(service: Service) -> None:
    began = warmed(service, 1)
    process = service.kernel.process(service.lambdas.invoke("eu-west-2", "f", {"sleep": 2}))
    service.kernel.run(until=began + 1)
    service.lambdas.kill_all("eu-west-2")
    ended: Any = service.kernel.run(until=process)

    assert ended.error["errorType"] == "Runtime.ExitError"
    assert service.kernel.env.now == began + 1


def test_what_was_only_starting_in_a_lost_region_never_runs(service: Service) -> None:
    process = service.kernel.process(service.lambdas.invoke("eu-west-2", "f", {"n": 1}))
    service.kernel.run(until=COLD_START_S[0] / 2)
    service.lambdas.kill_all("eu-west-2")
    stopped: Any = service.kernel.run(until=process)

    assert stopped.error["errorType"] == "Runtime.ExitError"
    assert service.invoke({"n": 2}).payload["seen"] == [2]
