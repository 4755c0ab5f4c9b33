"""The whole loop once, by the command `sidestep drill`: its promises, held against its history.

Nothing here asks the workflows what they did: the figures are worked out again from the
requests that clients made, the health checks that DNS heard of, and the replicas.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner

from localcloud.run import Outcome, Run
from sidestepctl.main import cli
from sidestepctl.report import Report, report_of

pytestmark = pytest.mark.xdist_group("the loop")

COMMAND = ("drill", "--seed", "1", "--json", "--history")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "drill.md"
BROKEN = "eu-west-2"
UNDELIVERED = {
    "alarm.action_failed",
    "event.no_bus",
    "event.undelivered",
    "function_error",
    "lambda.event_dropped",
    "notification.refused",
    "stream.batch_dropped",
}
"""History kinds of what went wrong on the way: docs/architecture.md, "the services"."""


class Told(NamedTuple):
    """A run: its outcome, what is reported of it, and its history."""

    outcome: Outcome
    report: Report
    history: list[dict[str, Any]]
    printed: dict[str, Any]
    """The report as the command printed it."""

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The history's events of one kind."""
        return [event for event in self.history if event["kind"] == kind]

    @property
    def began(self) -> float:
        """When the drill's fault was there."""
        return float(next(e["t"] for e in self.of("drill_fault") if e["injected"]))

    def moved(self, what: str) -> float:
        """When the Region was drained or restored."""
        (move,) = (m for m in self.of("move") if m["what"] == what)
        return float(move["t"])


@pytest.fixture(scope="module")
def drill(tmp_path_factory: pytest.TempPathFactory) -> Told:
    history = tmp_path_factory.mktemp("drill") / "history.jsonl"
    outcomes: list[Outcome] = []
    carry_out = Run.carry_out

    def overheard(run: Run) -> Outcome:
        outcomes.append(carry_out(run))
        return outcomes[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "carry_out", overheard)
        ran = CliRunner(mix_stderr=False).invoke(cli, [*COMMAND, str(history)])
    assert (ran.exit_code, ran.stderr) == (0, ""), ran.output
    events = [json.loads(line) for line in history.read_text().splitlines()]
    return Told(outcomes[0], report_of(outcomes[0]), events, json.loads(ran.stdout))


def test_the_loop_closes(drill: Told) -> None:
    assert drill.report.why == []
    assert drill.report.ok


def test_the_printed_report_is_what_its_page_says(drill: Told) -> None:
    page = PAGE.read_text()

    assert json.loads(drill.report.to_json()) == drill.printed
    assert re.findall(r"^\| `(\w+)` \|", page, re.M) == list(drill.printed)
    for part in ("clients", "writes"):
        described = re.search(rf"^\| `{part}` \| .*$", page, re.M)
        assert described is not None
        assert set(drill.printed[part]) <= set(re.findall(r"`(\w+)`", described[0]))


def test_a_drill_that_closed_says_when_and_who_moved(drill: Told) -> None:
    printed = drill.printed

    assert (printed["ok"], printed["why"], printed["seed"]) == (True, [], 1)
    assert 0 < printed["detected_s"] < printed["mitigated_s"] < printed["recovered_s"]
    assert all(":execution:sidestep-demo-" in move["by"] for move in printed["moves"])


def test_the_history_is_one_json_object_a_line_in_the_order_of_time(drill: Told) -> None:
    assert [e["t"] for e in drill.history] == sorted(e["t"] for e in drill.history)
    assert {"step", "vote", "decision", "move", "request", "health_check", "lag"} <= {
        e["kind"] for e in drill.history
    }


def test_the_region_that_was_broken_is_moved_once_out_and_once_back_and_no_other(
    drill: Told,
) -> None:
    assert [(m["what"], m["region"]) for m in drill.of("move")] == [
        ("drain", BROKEN),
        ("restore", BROKEN),
    ]


def test_detected_is_when_the_first_failover_was_started(drill: Told) -> None:
    started = min(e["t"] for e in drill.of("workflow") if e["machine"] == "failover")

    assert drill.report.detected_s == round(started - drill.began, 1)


def test_mitigated_is_the_last_request_that_a_client_sent_to_the_region_before_its_return(
    drill: Told,
) -> None:
    sent = [e["t"] for e in drill.of("request") if e["region"] == BROKEN]
    last = max(at for at in sent if drill.began <= at < drill.moved("restore"))

    # The history has a request when it was answered, the report when it was sent.
    assert drill.report.mitigated_s == pytest.approx(last - drill.began, abs=1.0)
    assert last > drill.moved("drain")


def test_recovered_is_when_clients_were_back_and_the_incident_was_closed(drill: Told) -> None:
    answered = [e["t"] for e in drill.of("request") if e["region"] == BROKEN and e["status"]]
    back = min(at for at in answered if at > drill.moved("restore"))
    (incident,) = drill.outcome.incidents
    closed = float(incident["closed_at"]) / 1000 - drill.outcome.epoch

    expected = max(back, closed) - drill.began
    assert drill.report.recovered_s == pytest.approx(expected, abs=1.0)


def test_what_clients_saw_is_counted_from_their_requests(drill: Told) -> None:
    requests = drill.of("request")
    failed = [e for e in requests if e["status"] is None or e["status"] >= 500]
    answered = Counter(e["region"] for e in requests if e["status"] is not None)

    assert drill.report.clients.requests == len(requests)
    assert drill.report.clients.errors == len(failed)
    assert drill.report.clients.by_region == {
        region: round(answered[region] / answered.total(), 4) for region in drill.outcome.regions
    }


def test_a_health_check_that_errs_costs_clients_nothing(drill: Told) -> None:
    assert drill.report.clients.errors == 0


def test_while_the_region_was_left_the_others_answered_everybody(drill: Told) -> None:
    assert drill.report.mitigated_s is not None
    left, restored = drill.began + drill.report.mitigated_s + 1, drill.moved("restore")
    meanwhile = {e["region"] for e in drill.of("request") if left < e["t"] < restored}

    assert meanwhile == {"us-east-1", "us-west-2"}


def test_no_acknowledged_write_is_lost_or_missing_anywhere(drill: Told) -> None:
    acknowledged = [e for e in drill.of("request") if e["status"] == 201]
    audit = drill.outcome.audit

    assert drill.report.writes.acknowledged == len(acknowledged) > 100
    assert audit is not None
    assert (audit.lost, dict(audit.missing), audit.altered) == ((), {}, ())
    assert drill.report.writes.lost == 0


def test_dns_left_the_region_by_both_switches_and_every_check_is_back_in_the_end(
    drill: Told,
) -> None:
    last, was_out = {}, set()
    for event in drill.of("health_check"):
        last[event["name"]] = event["healthy"]
        if event["t"] > drill.began and not event["healthy"]:
            was_out.add(event["name"].removeprefix(f"sidestep-demo-{BROKEN}-"))

    assert {"Warden1Check", "Warden2Check", "RegionCheck"} <= was_out
    assert set(last.values()) == {True}


def test_every_region_serves_in_the_end_and_nobody_holds_anything(drill: Told) -> None:
    control = drill.outcome.control
    regions = control["regions"]

    assert {region: state["state"] for region, state in regions.items()} == dict.fromkeys(
        drill.outcome.regions, "SERVING"
    )
    assert [state["holder"] for state in regions.values()] == ["", "", ""]
    assert control["serving"] == 3
    assert regions[BROKEN]["toggle"] == "open"


def test_of_all_observers_that_proposed_it_one_execution_moved_the_region(drill: Told) -> None:
    by = {(m["what"], m["by"].rsplit(":", 1)[-1]) for m in drill.of("move")}

    assert by == {("drain", "demo-eu-west-2-1"), ("restore", "demo-eu-west-2-1-r1")}
    assert drill.outcome.control["token"] == 2


def test_nothing_of_the_region_that_was_left_had_a_part_in_leaving_it(drill: Told) -> None:
    moving = {e["region"] for e in drill.of("workflow") if e["machine"] in ("failover", "recovery")}

    assert BROKEN not in moving


def test_the_incident_tells_what_was_seen_what_was_done_and_how_it_ended(drill: Told) -> None:
    (incident,) = drill.outcome.incidents
    steps = [step["step"] for step in incident["steps"]]

    assert (incident["region"], incident["mode"], incident["status"]) == (
        BROKEN,
        "automatic",
        "closed",
    )
    assert incident["diagnosis"] == "health_failing"
    assert any("answered 503" in reason for reason in incident["reasons"])
    assert list(dict.fromkeys(steps)) == [
        *("claimed", "gate", "toggle", "drained", "repaired", "probation", "closed")
    ]
    assert incident["gate"]["marks"] == {"us-east-1": True, "us-west-2": True}
    assert incident["toggle"]["set"]
    assert (incident["at_risk"]["count"], incident["at_risk"]["complete"]) == (0, True)
    assert incident["replication_back"]["caught_up"]
    assert incident["traffic_back"]["dns_moved"]
    assert {"caught_up", "why"} <= incident["replication"].keys()
    assert (incident["repaired"], incident["lost"], incident["conflicts"]) == (0, 0, [])
    assert incident["opened_at"] < incident["closed_at"]


def test_each_step_of_the_incident_names_its_holder_and_tokens_only_grow(drill: Told) -> None:
    (incident,) = drill.outcome.incidents
    steps = incident["steps"]

    assert all(step["holder"].startswith("arn:aws:states:") for step in steps)
    assert [step["token"] for step in steps] == sorted(step["token"] for step in steps)
    assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)


def test_a_decision_to_move_names_its_evidence_and_what_would_change_it(drill: Told) -> None:
    decided = [d for d in drill.report.decisions if d["action"] in ("failover", "recovery")]

    assert {(d["region"], d["action"]) for d in decided} == {
        (BROKEN, "failover"),
        (BROKEN, "recovery"),
    }
    for decision in decided:
        assert decision["would_change"]
        evidence = "answered 503, not 200" if decision["action"] == "failover" else "healthy for"
        assert any(evidence in reason for reason in decision["reasons"])


def test_people_are_told_of_the_drain_and_of_the_recovery(drill: Told) -> None:
    subjects = [e["subject"] for e in drill.of("notification")]

    assert [s for s in subjects if s.startswith("Sidestep")] == [
        f"Sidestep: {BROKEN} drained, switches set",
        f"Sidestep: {BROKEN} drained",
        f"Sidestep: {BROKEN} recovered",
    ]


def test_no_function_failed_and_nothing_that_was_sent_got_lost(drill: Told) -> None:
    assert [e for e in drill.history if e["kind"] in UNDELIVERED] == []


def test_every_workflow_succeeded(drill: Told) -> None:
    ended = Counter(e["status"] for e in drill.of("workflow") if e["status"] != "RUNNING")

    assert set(ended) == {"SUCCEEDED"}
