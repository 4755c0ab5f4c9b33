"""When what was measured can be read: late, each series for itself, and in parts.

An AWS service sends a metric once a minute, at a second of its own, and what was sent takes a
while to be there. So a minute that has just ended is there in part, or not at all, or for one
series and not for the next; and nothing in the answer says which.
"""

from __future__ import annotations

from localcloud.kernel import Kernel
from localcloud.services import modelled
from localcloud.services.metrics import MetricId, MetricStore, Sample

MINUTE_S = 60
LATEST_S = MINUTE_S + modelled.METRIC_INGESTION_S[1]
"""After so long every minute is whole: one that was sent just too early waits for the next time."""


class Visible:
    """The metric store as GetMetricData and GetMetricStatistics show it at this moment.

    A series' lateness is drawn for each of its minutes from a stream of its own, so that no
    other chance moves with it and a minute once seen never shrinks. It goes by the values' time
    stamps: what is put for a past minute is seen at once.
    """

    def __init__(self, kernel: Kernel, metrics: MetricStore) -> None:
        self._kernel, self._metrics = kernel, metrics

    def sample(self, metric: MetricId, start: int, period: int) -> Sample:
        """What can be read by now of `period` seconds from `start` (epoch seconds)."""
        values, sets = [], []
        for minute in range(start // MINUTE_S * MINUTE_S, start + period, MINUTE_S):
            first = max(start, minute)
            end = min(start + period, self._seen_until(metric, minute))
            if first < end:
                part = self._metrics.sample(metric, first, end - first)
                values += part.values
                sets += part.sets
        return Sample(values, sets)

    def _seen_until(self, metric: MetricId, minute: int) -> int:
        """The second before which everything that one minute holds can be read."""
        now, whole = self._kernel.now, minute + MINUTE_S
        if now < minute or now >= whole + LATEST_S:
            return minute if now < minute else whole
        chance = self._kernel.fork(f"visible/{metric}/{minute}")
        late = chance.uniform(*modelled.METRIC_INGESTION_S)
        if not metric.namespace.startswith("AWS/"):
            return min(whole, int(now - late))  # sent as it is measured
        sent = minute + chance.randrange(MINUTE_S)
        if now < sent + late:
            return minute
        return sent if now < sent + MINUTE_S + late else whole
