# SPDX-License-Identifier: MIT
"""What the sessions of noxfile.py share: environments with this checkout or its wheel, and names of
its files. All that is made lies in .nox."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import nox
from tools import interpreters

ROOT = Path(__file__).resolve().parent.parent
PLACE = ROOT / ".nox" / "made"  # beside the environments of the sessions
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
WERROR = {"NETIOAPI_WERROR": "1"}


# ---- files


def executable(name: str) -> str:
    """The path of one of tools/ or of what .ci/needs installs."""
    return str(ROOT / "tools" / name)


def tracked(*patterns: str) -> list[str]:
    listed = ["git", "ls-files", *patterns]
    return subprocess.run(
        listed, cwd=ROOT, text=True, check=True, capture_output=True
    ).stdout.split()


def is_bash(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().strip() == b"#!/usr/bin/env bash"


def house_tests() -> list[str]:
    """The tests of the checkout: of them only that of imports depends on the Python."""
    return [path for path in tracked("tests/house/test_*.py") if not path.endswith("_import.py")]


def package_files() -> set[str]:
    return {path.removeprefix("python/") for path in tracked("python")}


def wheel_files(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


# ---- environments


def python_of(folder: Path | str) -> Path:
    """The interpreter of a virtual environment."""
    return Path(folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))


def environment(session: nox.Session, name: str, python: str) -> Path:
    """The Python of a new, empty virtual environment of another CPython than this session's."""
    place = PLACE / "environments" / name
    session.run(python, "-m", "venv", "--clear", str(place), external=True)
    return python_of(place)


def installed(session: nox.Session, extra: str) -> Path:
    """The Python of an environment with this checkout, built from source, and what the extra names.
    The sessions share it, and a clean checkout is built once."""
    place = PLACE / "environments" / extra
    if not python_of(place).exists():
        environment(session, extra, sys.executable)
    state, last = commit(), place / "commit"
    if not state or not last.exists() or last.read_text() != state:
        last.unlink(missing_ok=True)
        forget_build()
        pip = (str(python_of(place)), "-m", "pip", "install", "-q")
        session.run(*pip, f"{ROOT}[{extra}]", external=True)
        last.write_text(state)
    return python_of(place)


def forget_build() -> None:
    """Without this a module that was moved would stay in the wheel, in its old place."""
    for old in ROOT.glob("build/lib*"):
        shutil.rmtree(old)


def commit() -> str:
    """The commit that is checked out; empty where the checkout has changes."""
    git = ("git", "-C", str(ROOT))
    changes = subprocess.run([*git, "status", "--porcelain"], capture_output=True, text=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True)
    known = changes.returncode == head.returncode == 0 and not changes.stdout
    return head.stdout.strip() if known else ""


# ---- wheels


def build_wheel(session: nox.Session, folder: Path) -> None:
    """The manylinux wheel of this checkout, with warnings as errors, alone in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    oldest = interpreters.find("3.11") or sys.executable  # of which the abi3 wheel is made
    python = environment(session, "build", oldest)
    session.run(str(python), "-m", "pip", "install", "-q", *EXTRAS["wheels"], external=True)
    env = {**WERROR, "PYTHON": str(python)}
    session.run(executable("manylinux"), str(folder), env=env, external=True)


def with_wheel(session: nox.Session, name: str, wheels: Path) -> Path:
    """The Python of a new environment of CPython `name`: the wheel, and what the tests use."""
    base = interpreters.get(name, PLACE / "pythons")
    python = environment(session, f"contract-{Path(name).name}", base)
    pip = (str(python), "-m", "pip", "install", "-q")
    if interpreters.is_free_threaded(base) and not any(wheels.glob("*t-*.whl")):
        forget_build()
        session.run(*pip, "--no-deps", str(ROOT), external=True)  # it has no limited API
    else:
        found = ("--no-index", "--no-deps", "--find-links", str(wheels))
        session.run(*pip, *found, "netioapi", external=True)
    binary = "--only-binary=:all:"
    try:
        session.run(*pip, binary, *EXTRAS["test-basic"], *others("test"), external=True)
    except nox.command.CommandFailed:
        session.warn(
            f"not all that the extra `test` names has wheels for {name}: those of the rest"
        )
        session.run(*pip, binary, *EXTRAS["test-basic"], external=True)
    return python


def others(extra: str) -> list[str]:
    """What an extra names beside other extras of ours."""
    return [one for one in EXTRAS[extra] if not one.startswith("netioapi[")]
