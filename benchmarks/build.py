# SPDX-License-Identifier: MIT
"""The C programs, compiled where the run can throw them away."""

from __future__ import annotations

import os
import shutil
import subprocess
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
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise Problem("no C compiler for the reference: apt-get install gcc libc6-dev, or set CC")
    made = {}
    for program, sources in PROGRAMS.items():
        made[program] = str(folder / program)
        command = [compiler, *FLAGS, "-o", made[program], *(str(SOURCES / one) for one in sources)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise Problem(f"{' '.join(command)}\n{done.stderr}")
    return made
