"""Query answers what moto's own Query answers, and costs no more than its answer."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.dynamodb.models.table import Table

from localcloud.services.tables import LocalTable
from tests.localcloud.services.world import LONDON, World

INDEXED = {
    "AttributeDefinitions": [
        {"AttributeName": "day", "AttributeType": "S"},
        {"AttributeName": "at", "AttributeType": "N"},
    ],
    "GlobalSecondaryIndexes": [
        {
            "IndexName": "history",
            "KeySchema": [
                {"AttributeName": "day", "KeyType": "HASH"},
                {"AttributeName": "at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
        },
        {
            "IndexName": "days",
            "KeySchema": [{"AttributeName": "day", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "KEYS_ONLY"},
        },
    ],
}

small = st.sampled_from(["a", "b", "c"])
number = st.integers(0, 5)
action = st.one_of(
    st.tuples(st.just("put"), small, small, small, number),
    st.tuples(st.just("bare"), small, small),
    st.tuples(st.just("update"), small, small, small, number),
    st.tuples(st.just("delete"), small, small),
)
condition = st.sampled_from(
    ["", "= :x", "< :x", "<= :x", "> :x", ">= :x", "BETWEEN :x AND :y", "begins"]
)


def key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def act(client: Any, name: str, pk: str, sk: str, *rest: Any) -> None:
    """One write of the history that the two tables share."""
    if name == "put":
        day, at = rest
        more = {"day": {"S": day}, "at": {"N": str(at)}}
        client.put_item(TableName="tab", Item={**key(pk, sk), **more})
    elif name == "bare":
        client.put_item(TableName="tab", Item=key(pk, sk))
    elif name == "delete":
        client.delete_item(TableName="tab", Key=key(pk, sk))
    else:
        day, at = rest
        client.update_item(
            TableName="tab",
            Key=key(pk, sk),
            UpdateExpression="SET #d = :d, #a = :a",
            ExpressionAttributeNames={"#d": "day", "#a": "at"},
            ExpressionAttributeValues={":d": {"S": day}, ":a": {"N": str(at)}},
        )


def question(index: str | None, hashed: str, how: str, x: int, y: int) -> dict[str, Any]:
    """A Query of the table or an index."""
    names = {"#h": "pk" if index is None else "day"}
    values: dict[str, Any] = {":h": {"S": hashed}}
    asked: dict[str, Any] = {"TableName": "tab", "KeyConditionExpression": "#h = :h"}
    if index:
        asked["IndexName"] = index
    if how and index != "days" and not (how == "begins" and index):
        text = index is None
        names["#r"] = "sk" if text else "at"
        low, high = sorted((x, y))
        values[":x"] = {"S": "abcdef"[low]} if text else {"N": str(low)}
        if how == "begins":
            asked["KeyConditionExpression"] += " AND begins_with(#r, :x)"
        else:
            asked["KeyConditionExpression"] += f" AND #r {how}"
        if "BETWEEN" in how:
            values[":y"] = {"S": "abcdef"[high]} if text else {"N": str(high)}
    return asked | {"ExpressionAttributeNames": names, "ExpressionAttributeValues": values}


def pages(client: Any, asked: dict[str, Any]) -> list[tuple[Any, Any, Any]]:
    """Every page of the answer: items, count looked at, and where the next begins."""
    found, start = [], None
    for _ in range(50):
        more = {"ExclusiveStartKey": start} if start else {}
        page = client.query(**asked, **more)
        start = page.get("LastEvaluatedKey")
        found.append((page["Items"], page["ScannedCount"], start))
        if not start:
            break
    return found


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(action, max_size=25),
    st.sampled_from([None, "history", "days"]),
    small,
    condition,
    number,
    number,
    st.sampled_from([0, 1, 2, 5]),
    st.booleans(),
)
def test_query_gives_motos_own_answer_page_by_page(
    world: World,
    history: list[tuple[Any, ...]],
    index: str | None,
    hashed: str,
    how: str,
    x: int,
    y: int,
    limit: int,
    forward: bool,
) -> None:
    client = world.client("dynamodb", LONDON)
    world.make_table("tab", LONDON, **{name: list(INDEXED[name]) for name in INDEXED})
    try:
        for step in history:
            act(client, *step)
        asked = question(index, hashed, how, x, y) | {"ScanIndexForward": forward}
        if limit:
            asked["Limit"] = limit
        ours = pages(client, asked)
        table = world.dynamodb.table(LONDON, "tab")
        table.__class__ = Table
        motos = pages(client, asked)
        assert ours == motos
    finally:
        client.delete_table(TableName="tab")


@pytest.mark.parametrize("index", ["history", None])
def test_the_cost_of_a_query_does_not_grow_with_the_table(world: World, index: str | None) -> None:
    world.make_table("tab", LONDON, **{name: list(INDEXED[name]) for name in INDEXED})
    table: LocalTable = world.dynamodb.table(LONDON, "tab")
    client = world.client("dynamodb", LONDON)
    asked = question(index, "a", "", 0, 0) | {"Limit": 10, "ScanIndexForward": False}

    def cost() -> int:
        """Python calls made by one Query: unlike seconds, the same on every machine."""
        calls = 0

        def count(*_: Any) -> None:
            nonlocal calls
            calls += 1

        sys.setprofile(count)
        try:
            client.query(**asked)
        finally:
            sys.setprofile(None)
        return calls

    def fill(start: int, count: int) -> None:
        for n in range(start, start + count):
            more = {"day": {"S": "a"}, "at": {"N": str(n)}}
            table.put_item({**key("a", f"{n:05}"), **more})

    fill(0, 50)
    cost()
    small_table = cost()
    fill(50, 3000)
    assert cost() < 1.5 * small_table
