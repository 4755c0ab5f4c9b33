"""Our interpreter and moto's, an implementation of its own, agree on every field."""

from __future__ import annotations

import pytest

from tests.asl.agreement import assert_agree
from tests.asl.cases import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_both_interpreters_come_to_the_same(case: Case) -> None:
    assert_agree(case.definition, case.given, case.answers, concurrent=case.concurrent)
