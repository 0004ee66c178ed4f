# SPDX-License-Identifier: MIT
"""The C programs and the packages that are compared, built where the run can delete them."""

from __future__ import annotations

import compileall
import contextlib
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

from benchmarks.problem import Problem

SOURCES = Path(__file__).parent / "c"
# Program -> its sources. The flags are those of the extension.
PROGRAMS = {
    "receive": ("receive.c", "route.c"),
    "dump": ("dump.c", "route.c"),
    "produce": ("produce.c",),
}
FLAGS = ["-O2", "-std=c11", "-D_GNU_SOURCE", "-Wall", "-Wextra"]


def build(folder: Path) -> dict[str, str]:
    """Program -> path of the executable, in `folder`."""
    compiler = shlex.split(os.environ.get("CC", "")) or ["cc"]
    if shutil.which(compiler[0]) is None:
        raise Problem("no C compiler for the reference: apt-get install gcc libc6-dev, or set CC")
    made = {}
    for program, sources in PROGRAMS.items():
        made[program] = str(folder / program)
        command = [*compiler, *FLAGS, "-o", made[program], *(str(SOURCES / one) for one in sources)]
        _run(command)
    return made


def build_package(source: Path, folder: Path) -> Path:
    """The package of a checkout with its extension, built by the checkout's own setup.py; the
    checkout stays as it is. Returns `folder`, which PYTHONPATH takes."""
    if importlib.util.find_spec("setuptools") is None:
        raise Problem("no setuptools to build with: pip install 'setuptools>=77'")
    package = folder / "netioapi"
    shutil.copytree(
        source / "python" / "netioapi",
        package,
        ignore=shutil.ignore_patterns("*.so", "__pycache__"),
    )
    jobs = str(os.cpu_count() or 1)
    command = [sys.executable, "setup.py", "-q", "build_ext", "-j", jobs]
    command += ["--build-lib", str(folder), "--build-temp", str(folder.with_suffix(".objects"))]
    # The binary for tests, whose allocations can fail, is not what users have.
    _run(command, source, {k: v for k, v in os.environ.items() if k != "NETIOAPI_FAULTS"})
    if not list(package.glob("_native*.so")):
        raise Problem(f"{' '.join(command)} in {source} made no extension module")
    compileall.compile_dir(package, quiet=2)
    return folder


def _run(command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None) -> None:
    """To the end; Ctrl-C ends the compilers that the command started as well."""
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise
    if process.returncode != 0:
        where = f" in {cwd}" if cwd is not None else ""
        raise Problem(f"{' '.join(command)}{where} failed:\n{output.strip()[-2000:]}")
