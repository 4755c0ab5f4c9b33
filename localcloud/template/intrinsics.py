"""CloudFormation's parameters, conditions and intrinsic functions, evaluated for one stack.

https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from typing import Any

from localcloud.template.errors import TemplateError
from localcloud.template.parameters import parameters
from localcloud.template.stack import Resource

NO_VALUE = object()
"""What `AWS::NoValue` evaluates to: the property that has it is left out."""

_PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")
_CONDITIONS = "Conditions."


class Evaluator:
    """Evaluates a template's values for one stack. Every method raises TemplateError.

    `find` gives the resource of a logical id, None while there is none.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        given: Mapping[str, str],
        pseudo: Mapping[str, str],
        find: Callable[[str], Resource | None],
    ) -> None:
        self._mappings = template.get("Mappings", {})
        self._conditions = template.get("Conditions", {})
        self._pseudo, self._find = pseudo, find
        self.parameters = parameters(template.get("Parameters", {}), given)
        self._settled: dict[str, bool | None] = {}

    def condition(self, name: str) -> bool:
        """Whether a condition of the template holds for this stack."""
        path = f"{_CONDITIONS}{name}"
        if name not in self._conditions:
            raise TemplateError(f"{path}: there is no such condition")
        if name not in self._settled:
            self._settled[name] = None
            self._settled[name] = _boolean(self.value(self._conditions[name], path), path)
        settled = self._settled[name]
        if settled is None:
            raise TemplateError(f"{path}: it refers to itself")
        return settled

    def value(self, value: Any, path: str) -> Any:
        """A value with every intrinsic function evaluated; `path` is where it stands."""
        if isinstance(value, Mapping):
            if len(value) == 1:
                ((name, argument),) = value.items()
                # Elsewhere a lone "Condition" is a property of that name.
                condition = name == "Condition" and path.startswith(_CONDITIONS)
                if name == "Ref" or condition or str(name).startswith("Fn::"):
                    return self._function(str(name), argument, path)
            made = {key: self.value(inner, f"{path}.{key}") for key, inner in value.items()}
            return {key: inner for key, inner in made.items() if inner is not NO_VALUE}
        if isinstance(value, list):
            items = [self.value(inner, f"{path}[{n}]") for n, inner in enumerate(value)]
            return [inner for inner in items if inner is not NO_VALUE]
        return value

    def _function(self, name: str, argument: Any, path: str) -> Any:
        function = _FUNCTIONS.get(name)
        if function is None:
            raise TemplateError(f"{path}: the local cloud does not evaluate {name}")
        return function(self, argument, path)

    def ref(self, name: str, path: str) -> Any:
        """What Ref gives: a pseudo parameter, a parameter, or a resource's physical id."""
        if name == "AWS::NoValue":
            return NO_VALUE
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self._resource(name, path).physical_id

    def get_att(self, name: str, attribute: str, path: str) -> Any:
        """What Fn::GetAtt gives."""
        resource = self._resource(name, path)
        if attribute not in resource.attributes:
            raise TemplateError(
                f"{path}: the local cloud has no attribute {attribute} of {name} ({resource.type})"
            )
        return resource.attributes[attribute]

    def _resource(self, name: str, path: str) -> Resource:
        resource = self._find(name)
        if resource is None:
            raise TemplateError(f"{path}: no parameter or resource {name} in this stack")
        return resource

    def mapped(self, top: str, first: str, second: str, path: str) -> Any:
        """What Fn::FindInMap gives."""
        try:
            return self._mappings[top][first][second]
        except KeyError:
            raise TemplateError(f"{path}: no {top}.{first}.{second} in Mappings") from None


def references(value: Any) -> set[str]:
    """Names that a value refers to by Ref, GetAtt or Sub: its dependencies, and parameters."""
    found: set[str] = set()
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "Ref":
                found.add(str(inner))
            elif key == "Fn::GetAtt":
                found.add(inner.split(".")[0] if isinstance(inner, str) else inner[0])
            elif key == "Fn::Sub":
                text, local = (inner, {}) if isinstance(inner, str) else inner
                names = {name for name in _PLACEHOLDER.findall(text) if name[0] != "!"}
                found |= {name.split(".")[0] for name in names - set(local)}
                found |= references(local)
            else:
                found |= references(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= references(inner)
    return found


# -- the functions -------------------------------------------------------------------------------


def _parts(name: str, argument: Any, count: int, path: str) -> list[Any]:
    if not isinstance(argument, list) or len(argument) != count:
        raise TemplateError(f"{path}: {name} takes {count} values, not {argument!r}")
    return argument


def _text(value: Any, path: str) -> str:
    """A value as CloudFormation puts it into a string."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value)
    raise TemplateError(f"{path}: {value!r} is no text")


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise TemplateError(f"{path}: {value!r} is neither true nor false")
    return value


def _ref(this: Evaluator, argument: Any, path: str) -> Any:
    return this.ref(str(argument), path)


def _get_att(this: Evaluator, argument: Any, path: str) -> Any:
    if isinstance(argument, str):
        argument = argument.split(".", 1)
    name, attribute = _parts("Fn::GetAtt", argument, 2, path)
    return this.get_att(name, _text(this.value(attribute, path), path), path)


def _sub(this: Evaluator, argument: Any, path: str) -> str:
    """Both forms; `${!Name}` stands for `${Name}` itself."""
    if isinstance(argument, str):
        argument = [argument, {}]
    text, local = _parts("Fn::Sub", argument, 2, path)
    values = {key: this.value(inner, f"{path}.{key}") for key, inner in local.items()}

    def replace(found: re.Match[str]) -> str:
        name = found[1].strip()
        if name.startswith("!"):
            return "${" + name[1:] + "}"
        if name in values:
            return _text(values[name], path)
        if "." in name:
            resource, _, attribute = name.partition(".")
            return _text(this.get_att(resource, attribute, path), path)
        return _text(this.ref(name, path), path)

    return _PLACEHOLDER.sub(replace, text)


def _join(this: Evaluator, argument: Any, path: str) -> str:
    delimiter, items = _parts("Fn::Join", argument, 2, path)
    values = this.value(items, path)
    if not isinstance(values, list):
        raise TemplateError(f"{path}: Fn::Join of {values!r}, which is no list")
    return str(delimiter).join(_text(part, path) for part in values)


def _split(this: Evaluator, argument: Any, path: str) -> list[str]:
    delimiter, text = _parts("Fn::Split", argument, 2, path)
    return _text(this.value(text, path), path).split(str(delimiter))


def _select(this: Evaluator, argument: Any, path: str) -> Any:
    index, items = (this.value(part, path) for part in _parts("Fn::Select", argument, 2, path))
    if not isinstance(items, list) or not str(index).isdecimal() or int(index) >= len(items):
        raise TemplateError(f"{path}: Fn::Select of {index!r} from {items!r}")
    return items[int(index)]


def _if(this: Evaluator, argument: Any, path: str) -> Any:
    name, then, otherwise = _parts("Fn::If", argument, 3, path)
    return this.value(then if this.condition(name) else otherwise, path)


def _equals(this: Evaluator, argument: Any, path: str) -> bool:
    left, right = (this.value(part, path) for part in _parts("Fn::Equals", argument, 2, path))
    return _text(left, path) == _text(right, path)


def _all_of(this: Evaluator, name: str, argument: Any, path: str) -> list[bool]:
    if not isinstance(argument, list) or not 2 <= len(argument) <= MOST_CONDITIONS:
        raise TemplateError(f"{path}: {name} takes 2 to {MOST_CONDITIONS} conditions")
    return [_boolean(this.value(part, path), path) for part in argument]


MOST_CONDITIONS = 10
"""Of an Fn::And or Fn::Or (its page of the intrinsic function reference)."""


def _not(this: Evaluator, argument: Any, path: str) -> bool:
    (one,) = _parts("Fn::Not", argument, 1, path)
    return not _boolean(this.value(one, path), path)


def _find_in_map(this: Evaluator, argument: Any, path: str) -> Any:
    parts = _parts("Fn::FindInMap", argument, 3, path)
    top, first, second = (_text(this.value(part, path), path) for part in parts)
    return this.mapped(top, first, second, path)


def _base64(this: Evaluator, argument: Any, path: str) -> str:
    return base64.b64encode(_text(this.value(argument, path), path).encode()).decode()


_FUNCTIONS: dict[str, Callable[[Evaluator, Any, str], Any]] = {
    "Ref": _ref,
    "Condition": lambda this, argument, _: this.condition(argument),
    "Fn::And": lambda this, argument, path: all(_all_of(this, "Fn::And", argument, path)),
    "Fn::Base64": _base64,
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAtt": _get_att,
    "Fn::If": _if,
    "Fn::Join": _join,
    "Fn::Not": _not,
    "Fn::Or": lambda this, argument, path: any(_all_of(this, "Fn::Or", argument, path)),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
}
