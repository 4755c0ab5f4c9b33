"""What the clients' samples say: what failed, who answered, when a Region left and came back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from localcloud.clients import ClientSample

QUIET_S = 30.0
"""A Region to which no client has sent anything for so long has been left."""


def requests(samples: Iterable[ClientSample]) -> int:
    """How many requests there were; a retry is one of its own."""
    return sum(1 for _ in samples)


def failed(sample: ClientSample) -> bool:
    """Whether the client got nothing it could use: no answer, or a 5xx."""
    return sample.status is None or sample.status >= 500


def errors(samples: Iterable[ClientSample]) -> int:
    """How many requests failed."""
    return sum(1 for sample in samples if failed(sample))


def share_by_region(samples: Iterable[ClientSample]) -> Mapping[str, float]:
    """The share (0 to 1) of the answered requests that each Region answered."""
    counts = Counter(s.region for s in samples if s.region is not None and s.status is not None)
    return {region: count / counts.total() for region, count in sorted(counts.items())}


def left_after_s(samples: Sequence[ClientSample], region: str, since_s: float) -> float | None:
    """Seconds from `since_s` to the last request sent to the Region before QUIET_S of none.

    0 when none was sent after `since_s`. None when it never stopped, or when the samples end
    before that can be told.
    """
    last = since_s
    for sample in _sent_to(samples, region):
        if sample.at_s < since_s:
            continue
        if sample.at_s - last >= QUIET_S:
            break
        last = sample.at_s
    watched_until = max((sample.at_s for sample in samples), default=since_s)
    return last - since_s if watched_until - last >= QUIET_S else None


def back_after_s(samples: Sequence[ClientSample], region: str, after_s: float) -> float | None:
    """Seconds from `after_s` to the first answer of the Region after clients had left it.

    None when it had not been left, or never answered again.
    """
    last = min((sample.at_s for sample in samples), default=after_s)
    left = False
    for sample in _sent_to(samples, region):
        left = left or sample.at_s - last >= QUIET_S
        last = sample.at_s
        if left and sample.status is not None:
            if sample.at_s >= after_s:
                return sample.at_s + sample.latency_s - after_s
            left = False  # it had come back before the time that is asked about
    return None


def _sent_to(samples: Iterable[ClientSample], region: str) -> list[ClientSample]:
    """Samples are recorded as they end; here in the order in which they were sent."""
    return sorted((s for s in samples if s.region == region), key=lambda sample: sample.at_s)
