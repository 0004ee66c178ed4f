# SPDX-License-Identifier: MIT
"""The C programs and the packages that are compared, built in a folder of the run's own."""

from __future__ import annotations

import compileall
import importlib.util
import os
import shlex
import shutil
import sys
from pathlib import Path

from benchmarks.process import Problem, run

SOURCES = Path(__file__).parent / "c"
# Program -> its sources. The flags are those of the extension.
PROGRAMS = {
    "receive": ("receive.c", "route.c"),
    "dump": ("dump.c", "route.c"),
    "produce": ("produce.c",),
}
FLAGS = ["-O2", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra"]
BUILD_TIMEOUT = 1800.0  # seconds


def build(folder: Path) -> dict[str, str]:
    """Program -> path of the executable, in `folder`."""
    compiler = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if shutil.which(compiler[0]) is None:
        raise Problem("no C compiler for the reference: apt-get install gcc libc6-dev, or set CC")
    made = {}
    for program, sources in PROGRAMS.items():
        made[program] = str(folder / program)
        run([*compiler, *FLAGS, "-o", made[program], *(str(SOURCES / one) for one in sources)])
    return made


def build_package(source: Path, folder: Path) -> Path:
    """The package of a checkout with its extension, built by the checkout's own setup.py; the
    checkout stays as it is. Returns `folder`, for PYTHONPATH."""
    if importlib.util.find_spec("setuptools") is None:
        raise Problem("no setuptools to build with: pip install 'setuptools>=77'")
    package = folder / "netioapi"
    ignored = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(source / "python" / "netioapi", package, ignore=ignored)
    command = [sys.executable, "setup.py", "-q", "build_ext", "-j", str(os.cpu_count() or 1)]
    command += ["--build-lib", str(folder), "--build-temp", str(folder.with_suffix(".objects"))]
    # The binary for tests, in which allocations can be made to fail, is slower.
    env = {name: value for name, value in os.environ.items() if name != "NETIOAPI_FAULTS"}
    run(command, cwd=source, env=env, timeout=BUILD_TIMEOUT)
    if not list(package.glob("_native*.so")):
        raise Problem(f"{shlex.join(command)} in {source} made no extension module")
    compileall.compile_dir(package, quiet=2)
    return folder
