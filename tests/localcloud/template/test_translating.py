"""From the template as written to plain CloudFormation, by the SAM translator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from localcloud.template.errors import TemplateError
from localcloud.template.translate import read, translate, without

SAM = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Name: {Type: String, Default: one}
Globals:
  Function: {Runtime: python3.13, CodeUri: functions/}
Resources:
  Write:
    Type: AWS::Serverless::Function
    Properties:
      Handler: write.handler
      Policies:
        - Statement:
            - {Sid: Table, Effect: Allow, Action: dynamodb:PutItem, Resource: !Sub "${Name}"}
            - {Sid: Bus, Effect: Allow, Action: events:PutEvents, Resource: "*"}
      Events:
        Tick: {Type: Schedule, Properties: {Schedule: rate(1 minute)}}
  Flow:
    Type: AWS::Serverless::StateMachine
    Properties: {DefinitionUri: flow.asl.json}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project: the template, its functions and its state machine."""
    (tmp_path / "template.yaml").write_text(SAM)
    (tmp_path / "functions").mkdir()
    states = {"Go": {"Type": "Pass", "End": True}}
    (tmp_path / "flow.asl.json").write_text(json.dumps({"StartAt": "Go", "States": states}))
    return tmp_path


def resources(root: Path, written: dict[str, Any] | None = None) -> dict[str, Any]:
    given = written if written is not None else read(root / "template.yaml")
    made: dict[str, Any] = dict(translate(given, root, "eu-west-2", {}).template["Resources"])
    return made


def test_a_function_becomes_its_role_its_rule_and_its_permission(root: Path) -> None:
    types = {name: one["Type"] for name, one in resources(root).items()}

    assert types["Write"] == "AWS::Lambda::Function"
    assert types["WriteRole"] == "AWS::IAM::Role"
    assert types["WriteTick"] == "AWS::Events::Rule"
    assert types["WriteTickPermission"] == "AWS::Lambda::Permission"


def test_code_stays_where_it_is(root: Path) -> None:
    translated = translate(read(root / "template.yaml"), root, "eu-west-2", {})

    assert translated.code["Write"] == root / "functions"


def test_a_state_machines_file_is_read_into_the_template(root: Path) -> None:
    definition = resources(root)["Flow"]["Properties"]["DefinitionString"]

    assert json.loads("".join(definition["Fn::Join"][1]))["StartAt"] == "Go"


def test_what_the_caller_changes_does_not_change_the_next_translation(root: Path) -> None:
    resources(root)["Write"].clear()
    read(root / "template.yaml")["Resources"].clear()

    assert "Handler" in resources(root)["Write"]["Properties"]


def test_a_changed_file_is_translated_anew(root: Path) -> None:
    resources(root)
    (root / "template.yaml").write_text(SAM.replace("write.handler", "other.handler"))

    assert resources(root)["Write"]["Properties"]["Handler"] == "other.handler"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("write.handler", "[unclosed"), "template.yaml"),
        (("Resources:", "Ressources:"), "it has no Resources"),
        (("CodeUri: functions/", "CodeUri: lost/"), r"Write\.Properties\.CodeUri: no folder"),
        (("flow.asl", "lost.asl"), r"Flow\.Properties\.DefinitionUri: .*lost\.asl\.json"),
        (("Handler:", "Hundler:"), "the SAM translator: .*Write"),
    ],
)
def test_what_is_wrong_with_a_template_is_told(
    root: Path, change: tuple[str, str], said: str
) -> None:
    (root / "template.yaml").write_text(SAM.replace(*change))

    with pytest.raises(TemplateError, match=said):
        resources(root)


def test_a_file_that_is_not_there_is_told(root: Path) -> None:
    with pytest.raises(TemplateError, match=r"lost\.yaml: No such file"):
        read(root / "lost.yaml")


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        (("Resources", "Flow"), "Flow"),
        (("Resources", "Write", "Properties", "Events", "Tick"), "WriteTick"),
    ],
)
def test_a_part_can_be_taken_away(root: Path, path: tuple[str, ...], gone: str) -> None:
    written = read(root / "template.yaml")

    assert gone in resources(root, written)
    assert gone not in resources(root, without(written, *path))


def test_a_statement_can_be_taken_away_by_its_sid(root: Path) -> None:
    statements = ("Resources", "Write", "Properties", "Policies", 0, "Statement")
    changed = without(read(root / "template.yaml"), *statements, "Table")

    policy = resources(root, changed)["WriteRole"]["Properties"]["Policies"][0]
    assert [one["Sid"] for one in policy["PolicyDocument"]["Statement"]] == ["Bus"]


@pytest.mark.parametrize("path", [("Resources", "Read"), ("Resources", "Write", "Events")])
def test_nothing_to_take_away_is_an_error(root: Path, path: tuple[str, ...]) -> None:
    with pytest.raises(LookupError, match="nothing at"):
        without(read(root / "template.yaml"), *path)
