"""One seed, one history: whatever is late, lost or doubled is the same again."""

from __future__ import annotations

from localcloud.services import Disturbance
from tests.localcloud.services.test_alarms import listen, put_alarm
from tests.localcloud.services.test_events import entry, put, to_lambda
from tests.localcloud.services.world import LONDON, VIRGINIA, World


def history(seed: int) -> tuple[str, str]:
    """What happened in a busy quarter of an hour: the transcript, and every function's calls."""
    world = World(seed)
    with world.kernel:
        world.endpoint.open()
        try:
            world.eventual("t", LONDON, VIRGINIA)
            to_lambda(world)
            listen(world)
            put_alarm(world)
            for n in range(60):
                region = (LONDON, VIRGINIA)[n % 2]
                world.put(region, "t", f"{n % 7}", text=region)
                put(world, entry(n))
                world.run(0.2)
            world.services.replication.disturb(Disturbance(source=LONDON))
            world.put(LONDON, "t", "held")
            world.run(900)
        finally:
            world.endpoint.close()
        return world.kernel.transcript(), repr(world.lambdas.calls)


def test_the_same_seed_gives_the_same_history_event_for_event() -> None:
    assert history(3) == history(3)


def test_another_seed_gives_another_history() -> None:
    assert history(3) != history(4)
