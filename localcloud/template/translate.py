"""template.yaml to plain CloudFormation, by the SAM translator itself."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

from localcloud.template.errors import TemplateError

# The SAM translator names these AWS managed policies by itself; it needs their ARNs.
MANAGED = {
    name: f"arn:aws:iam::aws:policy/service-role/{name}"
    for name in ("AWSLambdaBasicExecutionRole", "AWSLambdaSQSQueueExecutionRole")
} | {name: f"arn:aws:iam::aws:policy/{name}" for name in ("AWSXrayWriteOnlyAccess",)}
_ELSEWHERE = "s3://local/code"


@dataclass(frozen=True)
class Translated:
    """Plain CloudFormation, and where each function's code is on this machine."""

    template: Mapping[str, Any]
    code: Mapping[str, Path]


def read(path: Path) -> dict[str, Any]:
    """The template as written. Raises TemplateError when it is not YAML."""
    try:
        parsed: dict[str, Any] = yaml_parse(path.read_text())
    except OSError as error:
        raise TemplateError(f"{path}: {error.strerror}") from None
    return parsed


def without(template: Mapping[str, Any], *path: str | int) -> dict[str, Any]:
    """The template without what is at `path`: for tests of what a part is good for."""
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    inside: Any = changed
    for step in path[:-1]:
        inside = inside[step]
    del inside[path[-1]]
    return changed


def translate(
    written: Mapping[str, Any], root: Path, region: str, given: Mapping[str, str]
) -> Translated:
    """Translate a template whose local paths are relative to `root`, for one stack.

    Local code stays where it is; state-machine files are read into the template. The
    translator resolves some parameters by itself, hence `given`.
    """
    sam = copy.deepcopy(dict(written))
    code: dict[str, Path] = {}
    shared = sam.get("Globals", {}).get("Function", {}).pop("CodeUri", None)
    for name, resource in sam["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            code[name] = root / properties.get("CodeUri", shared or ".")
            properties["CodeUri"] = _ELSEWHERE
        elif resource["Type"] == "AWS::Serverless::LayerVersion":
            properties["ContentUri"] = _ELSEWHERE
        elif resource["Type"] == "AWS::Serverless::StateMachine":
            file = root / properties.pop("DefinitionUri")
            properties["Definition"] = json.loads(file.read_text())
        resource.pop("Metadata", None)
    parameters = {
        name: given.get(name, spec.get("Default", ""))
        for name, spec in sam.get("Parameters", {}).items()
    }
    translator = Translator(MANAGED, Parser(), boto_session=boto3.Session(region_name=region))
    try:
        plain = translator.translate(sam_template=sam, parameter_values=parameters)
    except InvalidDocumentException as error:
        causes = "; ".join(str(cause.message) for cause in error.causes)
        raise TemplateError(f"template.yaml: {causes}") from None
    return Translated(plain, code)
