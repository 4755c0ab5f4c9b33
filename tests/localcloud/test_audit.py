"""What a client was told is stored is found in every replica, or said to be missing."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest
from moto.dynamodb.models.dynamo_type import Item

from localcloud.audit import Audit, audit
from localcloud.clients import AckedWrite

HERE, THERE = "eu-west-2", "us-east-1"


def write(text: str, id_: str = "m") -> AckedWrite:
    return AckedWrite(id_, "ada", text, 1.0, region=HERE, origin=HERE, written_at=1)


class Replicas:
    """What each Region's replica holds: id and text."""

    def __init__(self, held: Mapping[str, Mapping[str, str]]) -> None:
        self._held = held

    def table(self, region: str, _: str) -> Any:
        def find(key: Any) -> Item | None:
            id_ = key[0][1].removeprefix("message#")
            if id_ not in self._held[region]:
                return None
            attributes = {"author": {"S": "ada"}, "text": {"S": self._held[region][id_]}}
            return Item(SimpleNamespace(), None, attributes)

        return SimpleNamespace(find=find)


def audited(here: Mapping[str, str], there: Mapping[str, str], *writes: AckedWrite) -> Audit:
    replicas: Any = Replicas({HERE: here, THERE: there})
    return audit(replicas, "data", (HERE, THERE), writes)


def test_a_write_that_every_replica_holds_is_nowhere_in_the_audit() -> None:
    found = audited({"m": "one"}, {"m": "one"}, write("one"))

    assert found == Audit(lost=(), missing={}, altered=(), repaired=0)


def test_a_write_that_one_replica_lacks_is_missing_there() -> None:
    assert audited({"m": "one"}, {}, write("one")).missing == {THERE: ("m",)}


def test_a_write_that_none_holds_is_lost() -> None:
    assert audited({}, {}, write("one")).lost == ("m",)


@pytest.mark.parametrize("left", ["one", "two"])
def test_of_two_bodies_acknowledged_under_one_key_either_may_be_left(left: str) -> None:
    found = audited({"m": left}, {"m": left}, write("one"), write("two"))

    assert found.not_everywhere == 0


def test_two_bodies_under_one_key_may_not_both_be_left() -> None:
    found = audited({"m": "one"}, {"m": "two"}, write("one"), write("two"))

    assert found.altered == ("m",)


def test_a_body_that_nobody_was_told_of_is_not_the_write() -> None:
    found = audited({"m": "three"}, {"m": "three"}, write("one"), write("two"))

    assert found.altered == ("m",)
