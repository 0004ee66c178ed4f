# SPDX-License-Identifier: MIT
"""Every allocation and every system call of the tower fails in turn (tests/c/faults.h): the call
succeeds or gives a clear error, nothing leaks or hangs, and streams become exact again."""

from __future__ import annotations

import importlib.metadata
import os
import re
import shutil
import sys
from pathlib import Path

import pytest

from netioapi import _native
from tests.linux.c_programs import TOWER, Program, build, compiler, run_program, unavailable
from tests.linux.namespace import Namespace
from tests.support.paths import ROOT
from tests.support.processes import python, run

FAULTS = re.findall(r"^    X\((\w+)\)", (ROOT / "tests/c/faults.h").read_text(), re.MULTILINE)
COUNTED = ("free", "munmap", "clock_gettime")
EVERY = os.environ.get("NETIOAPI_FAULTS") == "all"
PROGRAM = Program(
    "tower_faults_test",
    ("../tests/c/faults.c", *TOWER),
    wraps=(*FAULTS, *COUNTED),
    sanitizers=("plain", "address"),
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("sanitizer", "step"),
    [
        pytest.param("plain", 120, id="few"),
        pytest.param("plain", 12, id="plain", marks=pytest.mark.slow),
        pytest.param("address", 9, id="address", marks=pytest.mark.slow),
    ],
)
def test_tower_survives_every_fault(
    sanitizer: str, step: int, tmp_path: Path, seed: int, netns: Namespace
) -> None:
    """With NETIOAPI_FAULTS=all each call fails once; otherwise a sample of them."""
    step = 1 if EVERY else step
    run_program(build(PROGRAM, sanitizer, tmp_path), str(seed), str(step), timeout=550)


def build_extension(folder: Path) -> Path:
    """Builds a package whose extension has fault injection; the folder to import it from."""
    try:
        old = int(importlib.metadata.version("setuptools").split(".")[0]) < 77
    except importlib.metadata.PackageNotFoundError:
        old = True
    if old or compiler() is None:
        unavailable("no C compiler, or no setuptools of 77 or later")
    tree, built = folder / "tree", folder / "built"
    for part in ("csrc", "python", "tests/c"):
        shutil.copytree(ROOT / part, tree / part)
    for part in ("setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, tree / part)
    command = f"import os; os.chdir({str(tree)!r}); exec(open('setup.py').read())"
    run(
        [sys.executable, "-c", command, "-q", "build_ext", "--build-lib", str(built)],
        env={"NETIOAPI_FAULTS": "1"},
        timeout=200,
    )
    # Without the extension of an in-place build, which would replace the one just built.
    without = shutil.ignore_patterns("_native*.so")
    shutil.copytree(
        tree / "python/netioapi", built / "netioapi", ignore=without, dirs_exist_ok=True
    )
    return built


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_public_api_survives_every_fault(tmp_path: Path, seed: int, netns: Namespace) -> None:
    built = build_extension(tmp_path)
    path = os.pathsep.join(filter(None, [str(built), str(ROOT), os.environ.get("PYTHONPATH")]))
    step = "1" if EVERY else "6"
    scenario = ROOT / "tests/linux/fault_scenario.py"
    python(scenario, str(seed), step, marker="done", timeout=850, env={"PYTHONPATH": path})


def test_ordinary_build_has_no_fault_injection() -> None:
    assert _native.__file__ is not None
    assert b"nio_fault" not in Path(_native.__file__).read_bytes()
