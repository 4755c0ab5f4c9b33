"""The kernel: one clock, one seed, and synchronous code that takes simulated time."""

from __future__ import annotations

import os
import secrets
import time
import uuid
from datetime import UTC, datetime

import pytest
import simpy

from localcloud.kernel import START, Kernel, Killed, Steps


def test_every_clock_of_the_process_tells_simulated_time() -> None:
    with Kernel() as kernel:
        seen = []

        def look() -> None:
            time.sleep(90)
            seen.append((time.time(), datetime.now(UTC)))

        kernel.process(kernel.call(look))
        kernel.run()

    assert seen[0][0] == START.timestamp() + 90
    assert seen[0][1] == datetime.fromtimestamp(START.timestamp() + 90, UTC)


def test_two_synchronous_functions_run_side_by_side() -> None:
    with Kernel() as kernel:
        order: list[str] = []

        def work(name: str, pause: float) -> None:
            order.append(f"{name} starts")
            time.sleep(pause)
            order.append(f"{name} ends")

        kernel.process(kernel.call(work, "slow", 5))
        kernel.process(kernel.call(work, "fast", 1))
        kernel.run()

    assert order == ["slow starts", "fast starts", "fast ends", "slow ends"]


def test_an_error_in_a_fiber_is_the_callers_error() -> None:
    with Kernel() as kernel:

        def fail() -> None:
            time.sleep(1)
            raise ValueError("broken")

        process = kernel.process(kernel.call(fail))
        with pytest.raises(ValueError, match="broken"):
            kernel.run(until=process)


def test_a_stopped_fiber_cannot_swallow_its_end() -> None:
    with Kernel() as kernel:
        ran: list[str] = []

        def stubborn() -> None:
            try:
                time.sleep(10)
            except Exception:  # noqa: BLE001  # what a careless handler does
                ran.append("swallowed")
            finally:
                try:
                    time.sleep(1)
                except Killed:
                    ran.append("cannot even wait while dying")
                    raise

        def steps() -> Steps[None]:
            work = kernel.process(kernel.call(stubborn))
            yield kernel.env.timeout(2)
            work.interrupt("stop")
            with pytest.raises(simpy.Interrupt):
                yield work

        kernel.run(until=kernel.process(steps()))

    assert ran == ["cannot even wait while dying"]


def test_each_fiber_has_its_own_environment_variables() -> None:
    with Kernel() as kernel:
        seen: list[str | None] = []

        def look() -> None:
            seen.append(os.environ.get("WHERE"))
            time.sleep(1)
            seen.append(os.environ.get("WHERE"))

        kernel.process(kernel.call(look, environ={"WHERE": "a"}))
        kernel.process(kernel.call(look, environ={"WHERE": "b"}))
        kernel.run()

    assert seen == ["a", "b", "a", "b"]
    assert "WHERE" not in os.environ


def test_the_same_seed_gives_the_same_chance_and_identifiers() -> None:
    def draw(seed: int) -> tuple[float, float, uuid.UUID, str]:
        with Kernel(seed) as kernel:
            drawn = kernel.random.random(), kernel.fork("x").random()
            return *drawn, uuid.uuid4(), secrets.token_hex()

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)


def test_streams_of_chance_do_not_disturb_one_another() -> None:
    with Kernel(3) as kernel:
        kernel.fork("other").random()
        with_other = kernel.fork("mine").random()
    with Kernel(3) as kernel:
        assert kernel.fork("mine").random() == with_other


def test_outside_a_fiber_waiting_takes_no_simulated_time() -> None:
    with Kernel() as kernel:
        kernel.wait(100)
        assert kernel.env.now == 0
