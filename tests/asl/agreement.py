"""Holds our interpreter's run of a definition against moto's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from localcloud.asl.errors import QUERY_EVALUATION, RUNTIME
from tests.asl.motos import run_motos
from tests.asl.ours import run_ours
from tests.asl.scripts import Run

# moto leaves out what Step Functions puts before these: in which state it happened.
WORDED_OTHERWISE = (QUERY_EVALUATION, RUNTIME)


def assert_agree(
    definition: Mapping[str, Any],
    given: Any,
    answers: Mapping[str, Sequence[Any]],
    *,
    concurrent: bool = False,
) -> Run:
    """Same status, output, error, cause, states in order, and time waited; our run.

    With `concurrent` the order of states and the time waited are each interpreter's own.
    """
    ours, motos = run_ours(definition, given, answers), run_motos(definition, given, answers)
    assert (ours.status, ours.error, ours.output) == (motos.status, motos.error, motos.output)
    if ours.error not in WORDED_OTHERWISE:
        assert ours.cause == motos.cause
    if concurrent:
        assert sorted(ours.states) == sorted(motos.states)
    else:
        assert ours.states == motos.states
        assert ours.waited_s == pytest.approx(motos.waited_s)
    return ours
