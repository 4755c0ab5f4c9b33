"""AWS's own tools find nothing wrong with the template, and build it."""

from __future__ import annotations

import os
import re
import struct
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.template.one_stack import ROOT, TEMPLATE, functions, written

BIN = Path(sys.executable).parent
RUNTIME = "3.13"
NAMED = os.environ.get("LAYER_PYTHON", f"python{RUNTIME}")
MAGIC = 3571
"""How bytecode of Python 3.13 begins (CPython 3.13, Lib/importlib/_bootstrap_external.py)."""
HASHED_AND_UNCHECKED = 1
"""Flags of bytecode that is taken without a look at its source (PEP 552)."""


def has_runtime() -> bool:
    """Whether this machine has the Python that the functions will run in."""
    try:
        asked = subprocess.run([NAMED, "--version"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False
    return asked.stdout.startswith(f"Python {RUNTIME}.")


def run(*command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env={
            **os.environ,
            "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}",
            "PYTHON": sys.executable,
            "SAM_CLI_TELEMETRY": "0",
            "AWS_DEFAULT_REGION": "eu-west-2",
            **environ,
        },
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_cfn_lint_has_nothing_to_say_and_is_told_to_ignore_nothing() -> None:
    done = run("cfn-lint", str(TEMPLATE))
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr
    assert "cfn-lint" not in TEMPLATE.read_text()
    assert not [name for name in (".cfnlintrc", ".cfnlintrc.yaml") if (ROOT / name).exists()]


def test_sam_validates_the_template() -> None:
    done = run("sam", "validate", "--lint", "--template", str(TEMPLATE))
    assert done.returncode == 0, done.stdout + done.stderr


def test_sam_builds_the_layer_for_arm64_without_a_compiler(tmp_path: Path) -> None:
    compiles = has_runtime()
    done = run(
        "sam", "build", "--template", str(TEMPLATE),
        "--build-dir", str(tmp_path / "build"), "--cache-dir", str(tmp_path / "cache"),
        LAYER_BYTECODE="compiled" if compiles else "none",
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "WARNING" not in said, said
    layer = tmp_path / "build" / "Dependencies" / "python"
    for package in ("aws_lambda_powertools", "aws_xray_sdk", "boto3", "dns", "fastjsonschema"):
        assert (layer / package).is_dir()
    compiled = [path.name for path in layer.rglob("*.so")]
    assert compiled != []
    assert [name for name in compiled if "cpython-313-aarch64" not in name] == []
    sources = {path.relative_to(layer) for path in layer.rglob("*.py")}
    bytecode = {
        (path.parent.parent / f"{path.name.split('.')[0]}.py").relative_to(layer): path
        for path in layer.rglob("*.pyc")
    }
    assert bytecode.keys() == (sources if compiles else set())
    heads = {path.read_bytes()[:8] for path in bytecode.values()}
    assert heads <= {struct.pack("<H2sI", MAGIC, b"\r\n", HASHED_AND_UNCHECKED)}


def test_the_layer_is_not_built_slow_by_oversight(tmp_path: Path) -> None:
    """A Python that is not the runtime's is refused, and what to do is said."""
    other = tmp_path / "python3.13"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    done = subprocess.run(
        ["make", "build-Dependencies", f"ARTIFACTS_DIR={tmp_path}", f"LAYER_PYTHON={other}"],
        cwd=ROOT / "layer",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "LAYER_PYTHON=" in done.stderr
    assert "LAYER_BYTECODE=none" in done.stderr
    assert not (tmp_path / "python").exists()


def test_the_layer_has_the_versions_that_everything_is_tested_with() -> None:
    def pinned(path: str) -> dict[str, str]:
        lines = (ROOT / path).read_text()
        return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", lines, flags=re.MULTILINE))

    layer, tested = pinned("layer/requirements.txt"), pinned("requirements/dev.txt")
    assert {"aws-lambda-powertools", "boto3", "botocore", "dnspython"} <= set(layer)
    assert layer == {name: tested.get(name) for name in layer}


def test_the_layer_has_what_the_handlers_ask_for_in_pyproject() -> None:
    base = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    asked = (ROOT / "layer" / "requirements.in").read_text().splitlines()[1:]
    assert {line for line in base if not line.startswith("click")} == set(asked)


def test_every_function_takes_its_code_as_it_is_and_its_dependencies_from_the_layer() -> None:
    resources = written()["Resources"]
    for name in functions():
        assert resources[name]["Metadata"] == {"SkipBuild": True}
    assert resources["Dependencies"]["Metadata"] == {
        "BuildMethod": "makefile",
        "BuildArchitecture": "arm64",
    }
    assert written()["Globals"]["Function"]["Layers"] == [{"Ref": "Dependencies"}]
