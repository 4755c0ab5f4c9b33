"""CloudFormation's parameters, conditions and intrinsic functions, evaluated for one stack."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

NO_VALUE = object()
"""What `AWS::NoValue` evaluates to: the property that has it is left out."""


class TemplateError(Exception):
    """The template asks for something that cannot be evaluated or deployed here; says where."""


Lookup = Callable[[str], Any]
GetAtt = Callable[[str, str], Any]


class Evaluator:
    """Evaluates a template's values for one stack.

    `ref` gives a resource's physical id, `get_att` its attributes; both raise TemplateError.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        given: Mapping[str, str],
        pseudo: Mapping[str, Any],
        ref: Lookup,
        get_att: GetAtt,
    ) -> None:
        self._mappings = template.get("Mappings", {})
        self._conditions = template.get("Conditions", {})
        self._pseudo = pseudo
        self._ref, self._get_att = ref, get_att
        self.parameters = parameters(template, given)
        self._settled: dict[str, bool] = {}

    def condition(self, name: str) -> bool:
        """Whether a condition of the template holds for this stack."""
        if name not in self._conditions:
            raise TemplateError(f"no condition {name!r}")
        if name not in self._settled:
            self._settled[name] = bool(self.value(self._conditions[name], f"Conditions.{name}"))
        return self._settled[name]

    def value(self, value: Any, path: str) -> Any:
        """A value with every intrinsic function evaluated. Raises TemplateError with the path."""
        if isinstance(value, Mapping):
            if len(value) == 1:
                ((name, argument),) = value.items()
                if name in ("Ref", "Condition") or str(name).startswith("Fn::"):
                    return self._function(str(name), argument, path)
            made = {key: self.value(inner, f"{path}.{key}") for key, inner in value.items()}
            return {key: inner for key, inner in made.items() if inner is not NO_VALUE}
        if isinstance(value, list):
            made_list = [self.value(inner, f"{path}[{n}]") for n, inner in enumerate(value)]
            return [inner for inner in made_list if inner is not NO_VALUE]
        return value

    def _function(self, name: str, argument: Any, path: str) -> Any:
        function = _FUNCTIONS.get(name)
        if function is None:
            raise TemplateError(f"{path}: the local cloud does not evaluate {name}")
        return function(self, argument, path)

    def ref(self, name: str) -> Any:
        """What Ref gives: a pseudo parameter, a parameter, or a resource's physical id."""
        if name in self._pseudo:
            return self._pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self._ref(name)

    def get_att(self, dotted: str) -> Any:
        """What Fn::GetAtt gives for `Resource.Attribute`."""
        resource, _, attribute = dotted.partition(".")
        return self._get_att(resource, attribute)

    def find_in_map(self, argument: Any, path: str) -> Any:
        """Fn::FindInMap of three values."""
        top, first, second = (self.value(part, path) for part in argument)
        try:
            return self.value(self._mappings[top][first][second], path)
        except KeyError:
            raise TemplateError(f"{path}: no {top}.{first}.{second} in Mappings") from None

    def substitute(self, argument: Any, path: str) -> str:
        """Fn::Sub, both forms."""
        text, local = (argument, {}) if isinstance(argument, str) else argument
        values = {key: self.value(inner, path) for key, inner in local.items()}

        def replace(found: re.Match[str]) -> str:
            name = found[1]
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in values:
                return str(values[name])
            return str(self.get_att(name) if "." in name else self.ref(name))

        return re.sub(r"\$\{([^}]+)\}", replace, text)


def parameters(template: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    """The stack's parameters, checked as CloudFormation checks them."""
    declared = template.get("Parameters", {})
    unknown = set(given) - set(declared)
    if unknown:
        raise TemplateError(f"the template has no parameter {', '.join(sorted(unknown))}")
    values: dict[str, Any] = {}
    for name, spec in declared.items():
        value = given.get(name, spec.get("Default"))
        if value is None:
            raise TemplateError(f"parameter {name} has no default and was not given")
        allowed, pattern = spec.get("AllowedValues"), spec.get("AllowedPattern")
        if allowed is not None and value not in allowed:
            raise TemplateError(f"parameter {name} is {value!r}: allowed are {allowed}")
        if pattern is not None and not re.fullmatch(pattern, str(value)):
            raise TemplateError(f"parameter {name} is {value!r}: it must match {pattern}")
        listed = spec["Type"].startswith(("CommaDelimitedList", "List<"))
        values[name] = [part.strip() for part in str(value).split(",")] if listed else value
    return values


def _select(this: Evaluator, argument: Any, path: str) -> Any:
    index, items = argument
    chosen = this.value(items, path)
    at = int(this.value(index, path))
    if not 0 <= at < len(chosen):
        raise TemplateError(f"{path}: Fn::Select of {at} from {len(chosen)} values")
    return chosen[at]


def _get_att(this: Evaluator, argument: Any, _path: str) -> Any:
    return this.get_att(argument if isinstance(argument, str) else ".".join(argument))


def _join(this: Evaluator, argument: Any, path: str) -> str:
    return str(argument[0]).join(str(part) for part in this.value(argument[1], path))


def _split(this: Evaluator, argument: Any, path: str) -> list[str]:
    return str(this.value(argument[1], path)).split(str(argument[0]))


def _if(this: Evaluator, argument: Any, path: str) -> Any:
    name, then, otherwise = argument
    return this.value(then if this.condition(name) else otherwise, path)


def _equals(this: Evaluator, argument: Any, path: str) -> bool:
    left, right = (this.value(part, path) for part in argument)
    return bool(left == right)


def _ref(this: Evaluator, argument: Any, _path: str) -> Any:
    return NO_VALUE if argument == "AWS::NoValue" else this.ref(str(argument))


_FUNCTIONS: dict[str, Callable[[Evaluator, Any, str], Any]] = {
    "Ref": _ref,
    "Condition": lambda this, argument, _: this.condition(argument),
    "Fn::GetAtt": _get_att,
    "Fn::Sub": lambda this, argument, path: this.substitute(argument, path),
    "Fn::Join": _join,
    "Fn::Split": _split,
    "Fn::Select": _select,
    "Fn::If": _if,
    "Fn::Equals": _equals,
    "Fn::And": lambda this, argument, path: all(this.value(part, path) for part in argument),
    "Fn::Or": lambda this, argument, path: any(this.value(part, path) for part in argument),
    "Fn::Not": lambda this, argument, path: not this.value(argument[0], path),
    "Fn::FindInMap": lambda this, argument, path: this.find_in_map(argument, path),
}


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
                text = inner if isinstance(inner, str) else inner[0]
                names = re.findall(r"\$\{([^!}][^}]*)\}", text)
                found |= {name.split(".")[0] for name in names}
                if not isinstance(inner, str):
                    found |= references(inner[1])
            else:
                found |= references(inner)
    elif isinstance(value, list):
        for inner in value:
            found |= references(inner)
    return found
