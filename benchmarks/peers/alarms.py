"""What rings the alarms of the designs that wait for them: which settings there are, which holds.

The settings are those of the template's four alarms on what clients meet, one minute long, and
whether another Region's alarms have to be quiet. The alarm on an endpoint check's
HealthCheckStatus stays as it is: checkers that agree are behind it already.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from benchmarks.peers.chosen import CHOSEN, best

CLIENT_ALARMS = ("ApiErrorsAlarm", "WriteErrorsAlarm", "WriteLatencyAlarm", "ThrottlesAlarm")
"""Those of the template that say how a Region serves its clients."""
_SHARES = ("ApiErrorsAlarm", "WriteErrorsAlarm")
"""Those of them that judge a share of what was asked."""
_LEAST = re.compile(r">= \d+,")
"""In their expressions: how much a minute must have for its figure to count."""
_FORM = re.compile(r"(\d+)%-(\d)of(\d)-(\d+)(-green)?")


@dataclass(frozen=True)
class Setting:
    """When such an alarm rings."""

    percent: int
    """Above this share of a minute's requests (or writes) failed, it is a bad minute."""
    datapoints: int
    """So many bad minutes of the last `of`."""
    of: int
    least_requests: int
    """Fewer requests are no figure; nor are half as many writes, which are half of requests."""
    other_green: bool = False
    """A Region is left only while no alarm rings for some other one."""

    def __str__(self) -> str:
        green = "-green" if self.other_green else ""
        return f"{self.percent}%-{self.datapoints}of{self.of}-{self.least_requests}{green}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Of its form as text, `10%-1of1-20`. Raises ValueError."""
        found = _FORM.fullmatch(text)
        if found is None or not 1 <= int(found[2]) <= int(found[3]):
            raise ValueError(f"no setting {text!r}: write it as {TEMPLATES_OWN}")
        percent, datapoints, of, least = map(int, found.groups()[:4])
        return cls(percent, datapoints, of, least, other_green=found[5] is not None)


TEMPLATES_OWN = Setting(10, 1, 1, 20)
"""The template's thresholds, on a single minute instead of two in a row."""


def chosen(design: str, path: Path = CHOSEN) -> Setting:
    """What holds for (c) or (d): the best that a sweep found, or the template's own."""
    found = best(design, path)
    return TEMPLATES_OWN if found is None else Setting.parse(found)


def with_alarms(template: Mapping[str, Any], setting: Setting) -> dict[str, Any]:
    """The template with its alarms on clients set so."""
    changed = deepcopy(dict(template))
    for name in CLIENT_ALARMS:
        properties = changed["Resources"][name]["Properties"]
        properties["DatapointsToAlarm"] = setting.datapoints
        properties["EvaluationPeriods"] = setting.of
        least = setting.least_requests
        if name != "ApiErrorsAlarm":
            least = max(1, least // 2)
        for query in properties["Metrics"]:
            if "Expression" in query:
                query["Expression"] = _LEAST.sub(f">= {least},", query["Expression"])
        if name in _SHARES:
            properties["Threshold"] = setting.percent / 100
    return changed
