"""template.yaml to plain CloudFormation, by the SAM translator itself."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import boto3
from samtranslator.metrics.metrics import Metrics
from samtranslator.model.exceptions import InvalidDocumentException
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse
from yaml import YAMLError

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
    """The template as written. Raises TemplateError when it cannot be read or is no mapping."""
    try:
        parsed = _parsed(path.read_text())
    except OSError as error:
        raise TemplateError(f"{path}: {error.strerror}") from None
    except YAMLError as error:
        raise TemplateError(f"{path}: {error}") from None
    if not isinstance(parsed, dict) or "Resources" not in parsed:
        raise TemplateError(f"{path}: it has no Resources")
    return copy.deepcopy(parsed)


@lru_cache(maxsize=8)
def _parsed(text: str) -> Any:
    return yaml_parse(text)


def without(template: Mapping[str, Any], *path: str | int) -> dict[str, Any]:
    """The template without what is at `path`: for tests of what a part is good for.

    A step is a key, an index, or in a list the Sid or Id of one of its mappings. Raises
    LookupError when nothing is there to take away.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(template))
    inside: Any = changed
    for step in path[:-1]:
        inside = inside[_place(inside, step, path)]
    del inside[_place(inside, path[-1], path)]
    return changed


def _place(inside: Any, step: str | int, path: tuple[str | int, ...]) -> str | int:
    """Where a step of a path leads."""
    if isinstance(inside, list):
        for n, one in enumerate(inside):
            if n == step or (isinstance(one, Mapping) and step in (one.get("Sid"), one.get("Id"))):
                return n
    elif isinstance(inside, Mapping) and step in inside:
        return step
    raise LookupError(f"nothing at {step!r} of {'.'.join(map(str, path))}")


def translate(
    written: Mapping[str, Any], root: Path, region: str, given: Mapping[str, str]
) -> Translated:
    """Translate a template whose local paths are relative to `root`, for one stack.

    Local code stays where it is; state-machine files are read into the template. The
    translator resolves some parameters by itself, hence `given`; a value that decides what
    there is has to do so by a condition. Raises TemplateError.
    """
    sam = copy.deepcopy(dict(written))
    code: dict[str, Path] = {}
    shared = sam.get("Globals", {}).get("Function", {}).pop("CodeUri", ".")
    for name, resource in sam["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            code[name] = _existing(root / properties.get("CodeUri", shared), name)
            properties["CodeUri"] = _ELSEWHERE
        elif resource["Type"] == "AWS::Serverless::LayerVersion":
            properties["ContentUri"] = _ELSEWHERE
        elif resource["Type"] == "AWS::Serverless::StateMachine" and "DefinitionUri" in properties:
            properties["Definition"] = _definition(root / properties.pop("DefinitionUri"), name)
        resource.pop("Metadata", None)
    parameters = {
        name: given.get(name, spec.get("Default", ""))
        for name, spec in sam.get("Parameters", {}).items()
    }
    # A stand-in for each value, so that a text is translated once for all worlds.
    stands_in = {name: f"<the value of {name}>" for name in parameters}
    plain = _plain(json.dumps(sam), json.dumps(stands_in), region)
    for name, value in parameters.items():
        plain = plain.replace(stands_in[name], json.dumps(str(value))[1:-1])
    return Translated(json.loads(plain), code)


@lru_cache(maxsize=64)
def _plain(sam: str, parameters: str, region: str) -> str:
    """Plain CloudFormation of a template: JSON to JSON, since the translator is slow."""
    metrics = Metrics()
    translator = Translator(
        MANAGED, Parser(), boto_session=boto3.Session(region_name=region), metrics=metrics
    )
    try:
        plain = translator.translate(
            sam_template=json.loads(sam), parameter_values=json.loads(parameters)
        )
    except InvalidDocumentException as error:
        causes = "; ".join(str(cause.message) for cause in error.causes)
        raise TemplateError(f"the SAM translator: {causes}") from None
    finally:
        metrics.publish()  # to nobody: it complains on standard error when nobody asks it to
    return json.dumps(plain)


def _existing(folder: Path, function: str) -> Path:
    if not folder.is_dir():
        raise TemplateError(f"Resources.{function}.Properties.CodeUri: no folder {folder}")
    return folder


def _definition(file: Path, machine: str) -> Any:
    try:
        return json.loads(file.read_text())
    except (OSError, json.JSONDecodeError) as error:
        where = f"Resources.{machine}.Properties.DefinitionUri"
        raise TemplateError(f"{where}: {file}: {error}") from None
