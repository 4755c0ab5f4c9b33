"""Logs, traces and metrics: how a handler module gets its own.

A handler module makes one of each at import and holds them: no state is kept here, and
none is shared by two execution environments in one process (as in the local cloud).
Powertools' plain `Metrics` would share what it collects, in class attributes;
`EphemeralMetrics` keeps it in the instance. Its `Logger` would share handler, formatter
and keys (the request's id!) with every logger of its service's name; ours does not.
"""

from __future__ import annotations

import logging
import sys
import warnings
from typing import TextIO

from aws_lambda_powertools import Logger, Tracer
from aws_lambda_powertools.metrics import EphemeralMetrics

# A handler that fails before it measured anything has its own error to tell: Powertools'
# `flush_metrics` (metrics/provider/base.py) would add a warning to it.
warnings.filterwarnings("ignore", message="No application metrics to publish", category=UserWarning)


class _StandardOutput(logging.StreamHandler[TextIO]):
    """Writes to what `sys.stdout` is at the time of the line, as `print` and EMF metrics do."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:
        return sys.stdout

    @stream.setter
    def stream(self, _: TextIO) -> None:
        """Not settable: `sys.stdout` decides."""


class _OwnLogger(Logger):
    """Powertools' logger on a standard logger of its own, not of the process's registry."""

    def _get_logger(self) -> logging.Logger:  # Powertools 3: where its standard logger comes from
        return logging.Logger(self.service)


def logger() -> Logger:
    """A structured logger, named by POWERTOOLS_SERVICE_NAME, at POWERTOOLS_LOG_LEVEL."""
    return _OwnLogger(logger_handler=_StandardOutput(), utc=True)


def tracer() -> Tracer:
    """An X-Ray tracer; it does nothing outside of Lambda."""
    return Tracer()


def metrics(**dimensions: str) -> EphemeralMetrics:
    """EMF metrics in POWERTOOLS_METRICS_NAMESPACE, under `dimensions` and nothing else.

    Without any, under the one dimension `service`, POWERTOOLS_SERVICE_NAME. An alarm has to
    name a metric's dimensions exactly, so what is in them is said in the contract page.
    """
    if not dimensions:
        return EphemeralMetrics()
    collected = EphemeralMetrics(service="")
    # As defaults: dimensions that are only added last until the first flush.
    collected.set_default_dimensions(**dimensions)
    return collected
