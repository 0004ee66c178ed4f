# SPDX-License-Identifier: MIT
"""Importing the package: it starts and opens nothing, imports little, and checks its binary."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

import netioapi
from tests.support.paths import ROOT
from tests.support.processes import python


def test_version_is_the_same_in_package_extension_and_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert netioapi.__version__ == netioapi._native.__version__ == project["version"]


def test_all_lists_existing_names_once() -> None:
    assert sorted(netioapi.__all__) == sorted(set(netioapi.__all__))
    for name in netioapi.__all__:
        assert getattr(netioapi, name) is not None


def test_import_starts_no_thread_and_opens_no_descriptor() -> None:
    program = """
import os, sys
def state():
    if sys.platform == "win32":
        return None  # there only the imported modules can be checked
    return os.listdir("/proc/self/task"), sorted(os.listdir("/proc/self/fd"))
before = state()
modules = set(sys.modules)
import netioapi
assert state() == before, state()
heavy = {"asyncio", "socket", "typing", "ipaddress", "dataclasses", "threading", "json", "re"}
assert not (set(sys.modules) - modules) & heavy, (set(sys.modules) - modules) & heavy
print("nothing")
"""
    assert python(program, marker="nothing").stderr == ""


def test_import_with_a_binary_of_another_version_raises(tmp_path: Path) -> None:
    source = Path(netioapi.__file__).parent
    folder = tmp_path / "netioapi"
    # Wine 8 lacks CopyFile2, by which copy2() copies on Windows from 3.12 on.
    shutil.copytree(source, folder, copy_function=shutil.copyfile)
    init = folder / "__init__.py"
    text = init.read_text(encoding="utf-8")
    assert '__version__ = "' in text
    init.write_text(text.replace('__version__ = "', '__version__ = "1'), encoding="utf-8")
    program = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import netioapi"
    done = python(program, code=1)
    assert "ImportError: netioapi 1" in done.stderr
    assert "install it again" in done.stderr


@pytest.mark.parametrize("name", sorted(netioapi.__all__))
def test_every_public_name_has_a_docstring(name: str) -> None:
    assert getattr(netioapi, name).__doc__
