# SPDX-License-Identifier: MIT
"""Builds the binding over a fake system that does what ours never does, and runs every check of
the files check_*.py over it, each in a process of its own."""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
from pathlib import Path

import pytest

from tests.support.paths import ROOT, repo_text
from tests.support.platforms import linux_only
from tests.support.processes import python, run

pytestmark = linux_only("the fake system needs POSIX; tests/windows has an unruly DLL")

CHECKS = {
    name: f"tests/fake_system/{file}.py"
    for file in ("check_delivery", "check_initial", "check_cancel", "check_circles", "check_exit")
    for name in re.findall(
        r"^def (\w+)\(\) -> None:", repo_text(f"tests/fake_system/{file}.py"), re.MULTILINE
    )
}
FLAGS = ["-std=c11", "-O1", "-g", "-fPIC", "-fvisibility=hidden", "-pthread"]
WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
# Free-threaded CPython has no limited API.
FREE_THREADED = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
LIMITED = [] if FREE_THREADED else ["-DPy_LIMITED_API=0x030B0000"]
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX") if FREE_THREADED else ".abi3.so"
WRAPPED = ("pthread_create", "eventfd", "PyThreadState_Delete")
SOURCES = ["binding/*.c", "binding/*/*.c", "base/*.c", "base/posix/*.c"]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package netioapi over the fake system."""
    compiler = next(filter(None, map(shutil.which, ("gcc", "clang", "cc"))), None)
    headers = Path(sysconfig.get_path("include"))
    lacking = None if compiler else "no C compiler"
    if not (headers / "Python.h").exists():
        lacking = f"no Python.h in {headers}"
    if lacking:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI may not skip: {lacking}")
        pytest.skip(lacking)
    assert compiler
    folder = tmp_path_factory.mktemp("fake_system")
    shutil.copytree(ROOT / "python/netioapi", folder / "netioapi")
    sources = [
        path
        for pattern in SOURCES
        for path in sorted((ROOT / "csrc").glob(pattern))
        if "windows" not in path.parts
    ]
    sources += sorted((ROOT / "tests/fake_system").glob("*.c"))
    version = re.search(r'__version__ = "(.*)"', repo_text("python/netioapi/__init__.py"))
    assert version
    run(
        [
            compiler,
            *FLAGS,
            *WARNINGS,
            "-shared",
            *(f"-Wl,--wrap={name}" for name in WRAPPED),
            *LIMITED,
            f'-DNIO_VERSION="{version[1]}"',
            *("-isystem", str(headers)),
            *("-I", str(ROOT / "csrc"), "-I", str(ROOT / "csrc/base/posix")),
            *map(str, sources),
            *("-o", str(folder / f"netioapi/_native{SUFFIX}")),
        ],
        timeout=120,
    )
    return folder


@pytest.mark.timeout(180)
@pytest.mark.parametrize("check", CHECKS)
def test_binding_over_the_fake_system_keeps_its_promise(package: Path, check: str) -> None:
    if check.startswith("failed_") and "check_delivery" in CHECKS[check]:
        pytest.importorskip("_testcapi", reason="this Python cannot make an allocation fail")
    done = python(
        ROOT / CHECKS[check],
        check,
        marker="passed",
        timeout=60,
        env={"PYTHONPATH": f"{package}{os.pathsep}{ROOT}"},
    )
    if "fork" not in check:  # 3.12 and later warn of a fork with threads
        assert done.stderr == ""
