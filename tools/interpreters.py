# SPDX-License-Identifier: MIT
"""Finds CPython by version, under pyenv or on PATH, and makes the ones that Debian lacks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSIONS = ("3.11", "3.12", "3.13")  # those that the README promises
MADE = ("newest", "free-threaded")  # those that tools/pythons makes
# Building the free-threaded CPython takes minutes and finds no fault of ours: it is kept.
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "netioapi"


def version_of(python: str | Path) -> str:
    """For example "3.13"; empty where that is no Python."""
    source = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([python, "-c", source], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()


def is_free_threaded(python: str | Path) -> bool:
    source = "import sysconfig; print(bool(sysconfig.get_config_var('Py_GIL_DISABLED')))"
    done = subprocess.run([python, "-c", source], capture_output=True, text=True, check=True)
    return done.stdout.strip() == "True"


def _candidates(version: str) -> Iterator[str]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for path in sorted(pyenv.glob(f"versions/{version}.*/bin/python3"), reverse=True):
        yield str(path)
    for name in (f"python{version}", "python3"):
        if found := shutil.which(name):
            yield found
    yield sys.executable


def find(version: str) -> str | None:
    """The path of CPython `version` ("3.12"); None where this machine has none."""
    return next((path for path in _candidates(version) if version_of(path) == version), None)


def expand(names: list[str]) -> list[str]:
    """`names` with each "found" replaced by those of VERSIONS that this machine has."""
    here = [version for version in VERSIONS if find(version)] if "found" in names else []
    for version in VERSIONS:
        if "found" in names and version not in here:
            print(f"CPython {version}: not found, so not tested", flush=True)
    return [one for name in names for one in (here if name == "found" else [name])]


def get(name: str, folder: Path) -> str:
    """The path of the CPython called `name`: a version, one of MADE, or a path itself.

    "newest" is made in `folder`; the free-threaded one is kept for later runs. Raises LookupError
    where there is none, and CalledProcessError where it could not be made."""
    if name in MADE:
        place = CACHE / "pythons" / name if name == "free-threaded" else folder / name
        command = [str(ROOT / "tools/pythons"), name, str(place)]
        made = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return made.stdout.splitlines()[-1]
    found = name if os.sep in name else find(name)
    if found is None or not version_of(found):
        raise LookupError(f"no CPython {name} under pyenv or on PATH")
    return found
