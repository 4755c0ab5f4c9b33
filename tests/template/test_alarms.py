"""Alarms: on metrics that exist, with missing data thought about, and told to whom it concerns."""

from __future__ import annotations

import re
from typing import Any

import pytest

from sidestep.aws.alarms import NOT_ABOUT_SERVING
from tests.template.one_stack import ROOT, TEMPLATE, THREE, Stack

ALARMS = Stack("eu-west-2").of_type("AWS::CloudWatch::Alarm")
CONTRACT = (ROOT / "docs" / "architecture.md").read_text()


def what(alarm: dict[str, Any]) -> str:
    return str(alarm["AlarmName"]).removeprefix("sidestep-demo-eu-west-2-")


def metrics(alarm: dict[str, Any]) -> list[dict[str, Any]]:
    if "MetricName" in alarm:
        return [alarm]
    return [query["MetricStat"]["Metric"] for query in alarm["Metrics"] if "MetricStat" in query]


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_is_known_by_application_and_region(name: str) -> None:
    assert ALARMS[name]["AlarmName"] == f"sidestep-demo-eu-west-2-{what(ALARMS[name])}"


def test_the_alarms_are_those_of_the_contract() -> None:
    listed = CONTRACT.split("| alarm `<what>` |")[1].split("\n\n")[0]
    assert {what(alarm) for alarm in ALARMS.values()} == set(
        re.findall(r"^\| `([\w-]+)` \|", listed, flags=re.MULTILINE)
    )


@pytest.mark.parametrize("name", ALARMS)
def test_each_alarm_says_what_missing_data_means_and_why(name: str) -> None:
    assert "TreatMissingData" in ALARMS[name]
    text = TEMPLATE.read_text().split(f"  {name}:\n")[1]
    lines = text.split("TreatMissingData:")[0].splitlines()
    assert lines[-2].strip().startswith("# ")


def test_only_a_silent_observer_is_alarmed_at_by_missing_data() -> None:
    breaching = {what(a) for a in ALARMS.values() if a["TreatMissingData"] == "breaching"}
    assert breaching == {"heartbeats-missing"}


def test_an_alarm_for_people_tells_them_and_evidence_is_left_to_the_observers() -> None:
    told = {what(a) for a in ALARMS.values() if a.get("AlarmActions") == ["<Alerts>"]}
    assert told == set(NOT_ABOUT_SERVING)


@pytest.mark.parametrize("name", ALARMS)
def test_our_own_metrics_are_alarmed_at_by_their_exact_dimensions(name: str) -> None:
    published = {
        metric: dimension
        for names, dimension in re.findall(
            r"^\| (`[A-Z][^|]*) \| (?:Count|Milliseconds) \| (service=`\w+`|source)",
            CONTRACT,
            flags=re.MULTILINE,
        )
        for metric in re.findall(r"`(\w+)`", names)
    }
    for metric in metrics(ALARMS[name]):
        if metric["Namespace"] == "Sidestep":
            (dimension,) = metric["Dimensions"]
            exact = f"{dimension['Name']}=`{dimension['Value']}`"
            assert published[metric["MetricName"]] in (exact, dimension["Name"])


def test_errors_of_clients_are_counted_on_the_clients_routes_and_on_no_other() -> None:
    """Health checkers ask so often that their answers would drown the clients' errors."""
    watched = sorted(
        (metric["MetricName"], *(d["Value"] for d in metric["Dimensions"]))
        for metric in metrics(ALARMS["ApiErrorsAlarm"])
    )
    routes = (("GET", "/history"), ("POST", "/messages"))
    assert watched == [
        (name, "<Api>", method, path, "$default")
        for name in ("5xx", "Count")
        for method, path in routes
    ]


def test_no_alarm_is_straight_on_a_table_whose_missing_data_cloudwatch_ignores() -> None:
    namespaces = {m["Namespace"] for alarm in ALARMS.values() for m in metrics(alarm)}
    assert "AWS/DynamoDB" not in namespaces


@pytest.mark.parametrize("regions", [THREE[:2], THREE, (*THREE, "us-west-2", "ap-northeast-1")])
def test_lag_from_every_guarded_region_is_watched(regions: tuple[str, ...]) -> None:
    alarm = Stack("eu-west-2", regions).resources["ReplicationLagAlarm"]["Properties"]
    sources = [metric["Dimensions"][0]["Value"] for metric in metrics(alarm)]
    ids = [query["Id"] for query in alarm["Metrics"] if "MetricStat" in query]
    for query in alarm["Metrics"][:-1]:
        metric = query["MetricStat"]["Metric"]
        assert (metric["Namespace"], metric["MetricName"]) == ("Sidestep", "ReplicationLag")
        assert [dimension["Name"] for dimension in metric["Dimensions"]] == ["source"]
        assert (query["MetricStat"]["Stat"], query["MetricStat"]["Period"]) == ("Maximum", 60)
        assert query["ReturnData"] is False
    assert sources == list(regions)
    assert alarm["Metrics"][-1]["Expression"] == f"MAX([{', '.join(ids)}])"


@pytest.mark.parametrize("name", ALARMS)
def test_metric_math_names_only_metrics_that_the_alarm_has(name: str) -> None:
    queries = ALARMS[name].get("Metrics", [])
    ids = {query["Id"] for query in queries}
    for query in queries:
        used = set(re.findall(r"\b[a-z]\w*", query.get("Expression", "")))
        assert used <= ids - {query["Id"]}
    assert not queries or [query["ReturnData"] for query in queries].count(True) == 1
