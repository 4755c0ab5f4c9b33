"""Do a definition's transitions hold together: targets, reachability, an end, names, variables.

Step Functions refuses what this refuses as MISSING_TRANSITION_TARGET, MISSING_END_STATE and
DUPLICATE_STATE_NAME (API_ValidateStateMachineDefinitionDiagnostic).
"""

from __future__ import annotations

from collections.abc import Iterator

from localcloud.asl import model
from localcloud.asl.errors import DefinitionError


def check(flow: model.Flow) -> None:
    """Raises DefinitionError for the first thing wrong in a machine's states, at any depth."""
    _check(flow, "", set(), frozenset())


def _check(flow: model.Flow, where: str, names: set[str], outer: frozenset[str]) -> None:
    if flow.start_at not in flow.states:
        raise DefinitionError(
            f"There is no state '{flow.start_at}' to start at", f"{where}/StartAt"
        )
    for state in flow.states.values():
        place = f"{where}/States/{state.name}"
        if state.name in names:
            raise DefinitionError(f"Two states are called '{state.name}'", place)
        names.add(state.name)
        for target in _targets(state):
            if target not in flow.states:
                raise DefinitionError(f"There is no state '{target}' to go to", place)
        for variable in _variables(state):
            if variable in outer:
                raise DefinitionError(
                    f"The variable '{variable}' is assigned in an enclosing scope too: a branch "
                    "can read it but not assign it",
                    place,
                )
    for lost in sorted(flow.states.keys() - _reachable(flow)):
        raise DefinitionError(f"No state leads to '{lost}'", f"{where}/States/{lost}")
    if not any(_ends(state) for state in flow.states.values()):
        raise DefinitionError("No state ends it: MISSING_END_STATE", f"{where}/States")
    scope = outer.union(*(_variables(state) for state in flow.states.values()))
    for state in flow.states.values():
        for inside, inner in _inner(state, f"{where}/States/{state.name}"):
            _check(inner, inside, names, scope)


def _targets(state: model.State) -> list[str]:
    targets = [] if state.next is None else [state.next]
    if isinstance(state, model.Choice):
        targets += [rule.next for rule in state.rules]
    if isinstance(state, model.Working):
        targets += [catcher.next for catcher in state.catch]
    return targets


def _ends(state: model.State) -> bool:
    return state.next is None and not isinstance(state, model.Choice)


def _reachable(flow: model.Flow) -> set[str]:
    reached: set[str] = set()
    ahead = [flow.start_at]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += _targets(flow.states[name])
    return reached


def _variables(state: model.State) -> set[str]:
    """Every variable the state may assign."""
    templates = [state.assign]
    if isinstance(state, model.Choice):
        templates += [rule.assign for rule in state.rules]
    if isinstance(state, model.Working):
        templates += [catcher.assign for catcher in state.catch]
    return {name for template in templates if template is not None for name in template.source}


def _inner(state: model.State, where: str) -> Iterator[tuple[str, model.Flow]]:
    if isinstance(state, model.Parallel):
        for index, branch in enumerate(state.branches):
            yield f"{where}/Branches[{index}]", branch
    elif isinstance(state, model.Map):
        yield f"{where}/ItemProcessor", state.processor
