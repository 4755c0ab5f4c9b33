"""The shape of the house: imports run one way, and what handlers share keeps no state.

A Lambda execution environment is one fresh execution of the handler's module; the local cloud
makes environments so too, in one process, which is true to Lambda only while the modules that
they share hold nothing that changes (docs/architecture.md, "Packages").
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from datetime import timezone
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {
    "sidestepctl": ROOT / "sidestepctl",
    "localcloud": ROOT / "localcloud",
    "sidestep.api": ROOT / "functions/sidestep/api",
    "sidestep.control": ROOT / "functions/sidestep/control",
    "sidestep.aws": ROOT / "functions/sidestep/aws",
    "sidestep.core": ROOT / "functions/sidestep/core",
}
MAY_IMPORT = {
    "sidestepctl": {"localcloud", "sidestep.core", "sidestep.aws"},
    "localcloud": {"sidestep.core", "sidestep.aws"},
    "sidestep.api": {"sidestep.aws", "sidestep.core"},
    "sidestep.control": {"sidestep.aws", "sidestep.core"},
    "sidestep.aws": {"sidestep.core"},
    "sidestep.core": set[str](),
}
"""What of ours a package may import, besides itself."""
OF_THE_WORLD = {
    "boto3",
    "botocore",
    "aws_lambda_powertools",
    "aws_xray_sdk",
    "dns",
    "urllib3",
    "os",
    "io",
    "socket",
    "random",
    "secrets",
    "uuid",
    "time",
    "logging",
    "threading",
    "subprocess",
    "pathlib",
}
"""What would bring I/O, the environment, the clock or chance into the core."""


def modules(package: str) -> list[str]:
    """The names of a package's modules, those of its sub-packages too."""
    folder = PACKAGES[package]
    return sorted(
        ".".join((package, *path.relative_to(folder).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        for path in folder.rglob("*.py")
    )


def source(module: str) -> Path:
    """A module's file."""
    base = ROOT / ("functions" if module.startswith("sidestep.") else ".")
    path = base.joinpath(*module.split("."))
    return path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"


def imported(module: str) -> Iterator[str]:
    """The full names of all that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(source(module).read_text())):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively: its package cannot be told"
            yield from (f"{node.module}.{name.name}" for name in node.names)


def package_of(name: str) -> str | None:
    """Which of our packages an imported name belongs to."""
    return next((p for p in PACKAGES if name == p or name.startswith(f"{p}.")), None)


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_run_one_way(package: str) -> None:
    wrong = [
        (module, name)
        for module in modules(package)
        for name in imported(module)
        if package_of(name) not in (None, package, *MAY_IMPORT[package])
    ]

    assert wrong == []


@pytest.mark.parametrize("module", modules("sidestep.core"))
def test_the_core_asks_nothing_of_the_world(module: str) -> None:
    assert {name.split(".")[0] for name in imported(module)} & OF_THE_WORLD == set()


IMMUTABLE = (str, bytes, int, float, bool, type(None), frozenset, timezone)
SHARED = [m for package in ("sidestep.core", "sidestep.aws") for m in modules(package)]


def is_constant(value: Any) -> bool:
    """Whether a global cannot change: plain values, tuples of them, types, functions, modules."""
    if isinstance(value, tuple):
        return all(is_constant(one) for one in value)
    return isinstance(value, (*IMMUTABLE, type, FunctionType, ModuleType)) or _is_typing(value)


def _is_typing(value: Any) -> bool:
    """Aliases and special forms: `Mapping[str, int]`, `Any`, the future statement's feature."""
    return type(value).__module__ in ("typing", "types", "_collections_abc", "__future__")


def globals_of(module: ModuleType) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        if not (name.startswith("__") and name.endswith("__")):
            yield name, value


@pytest.mark.parametrize("module", SHARED)
def test_what_environments_share_holds_no_state(module: str) -> None:
    """Constants only; a table in capitals that nothing in its module writes to is one."""
    imported_module = importlib.import_module(module)
    tree = ast.parse(source(module).read_text())
    tables = set(tables_of(tree))
    changing = {
        name: value
        for name, value in globals_of(imported_module)
        if not is_constant(value) and name not in tables and not from_elsewhere(value)
    }

    assert changing == {}


@pytest.mark.parametrize("module", SHARED)
def test_what_environments_share_holds_no_state_in_its_classes(module: str) -> None:
    changing = [
        f"{name}.{attribute}"
        for name, one in globals_of(importlib.import_module(module))
        if isinstance(one, type) and one.__module__ == module
        for attribute, value in vars(one).items()
        if isinstance(value, (list, dict, set)) and not attribute.startswith("__")
    ]

    assert changing == []


def tables_of(tree: ast.Module) -> Iterator[str]:
    """Module-level names in capitals that are bound once and never written to."""
    names = [
        target.id
        for node in tree.body
        if isinstance(node, (ast.Assign, ast.AnnAssign))
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name) and target.id.isupper()
    ]
    for name in names:
        if not any(_writes(node, name) for node in ast.walk(tree)):
            yield name


def _writes(node: ast.AST, name: str) -> bool:
    """Whether a statement changes what a name stands for: item, attribute, method, `global`."""
    changing = {"append", "add", "update", "pop", "clear", "setdefault", "extend", "remove"}
    if isinstance(node, ast.Global):
        return name in node.names
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, (ast.Store, ast.Del)):
        return isinstance(node.value, ast.Name) and node.value.id == name
    if isinstance(node, ast.Attribute) and node.attr in changing:
        return isinstance(node.value, ast.Name) and node.value.id == name
    return False


def from_elsewhere(value: Any) -> bool:
    """Whether it is another module's, only imported here (a decorator, an exception)."""
    return callable(value) and getattr(value, "__module__", "").split(".")[0] != "sidestep"


@pytest.mark.parametrize("module", SHARED)
def test_importing_a_shared_module_makes_no_client(module: str) -> None:
    calls = [
        node
        for statement in ast.parse(source(module).read_text()).body
        if not isinstance(statement, (ast.FunctionDef, ast.ClassDef))
        for node in ast.walk(statement)
        if isinstance(node, ast.Call) and "client" in ast.unparse(node.func).lower()
    ]

    assert calls == []
