"""Embedded metric format: metrics read out of what a Lambda function printed.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from localcloud.services.metrics import Dimensions, dimensions


@dataclass(frozen=True)
class Datum:
    """One value of one metric under one set of dimensions. `at` is epoch seconds."""

    namespace: str
    name: str
    dimensions: Dimensions
    value: float
    unit: str
    at: float
    high_resolution: bool


def metrics_in(line: str) -> Iterator[Datum]:
    """The metrics in one line of output. A line that is not EMF has none, as CloudWatch sees it.

    A line that says it is EMF and breaks the format yields nothing either: CloudWatch Logs
    keeps the line and makes no metric.
    """
    if '"_aws"' not in line:
        return
    try:
        document = json.loads(line)
        directives = document["_aws"]["CloudWatchMetrics"]
        at = float(document["_aws"]["Timestamp"]) / 1000
    except (ValueError, KeyError, TypeError):
        return
    for directive in directives:
        yield from _of_directive(document, directive, at)


def _of_directive(
    document: dict[str, Any], directive: dict[str, Any], at: float
) -> Iterator[Datum]:
    for names in directive.get("Dimensions") or [[]]:
        if any(name not in document for name in names):
            continue
        where = dimensions({name: str(document[name]) for name in names})
        for metric in directive.get("Metrics", ()):
            found = document.get(metric["Name"])
            for value in found if isinstance(found, list) else [found]:
                if isinstance(value, bool) or not isinstance(value, int | float):
                    continue
                yield Datum(
                    directive["Namespace"],
                    metric["Name"],
                    where,
                    float(value),
                    metric.get("Unit", "None"),
                    at,
                    metric.get("StorageResolution") == 1,
                )
