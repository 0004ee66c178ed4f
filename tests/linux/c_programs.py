# SPDX-License-Identifier: MIT
"""Builds C programs of tests/c and tests/fuzz with parts of csrc, plain or sanitized, and runs
them."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.processes import run

CSRC = ROOT / "csrc"
FLAGS = ["-std=c11", "-O1", "-g", "-pthread", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
INCLUDES = [f"-I{ROOT / path}" for path in ("csrc", "csrc/base/posix", "tests/c", "tests/fuzz")]
CHILD = "-DCHILD_HAS_THREADS=0"  # after a fork: sanitizers do not survive one with threads
SANITIZERS = {
    "plain": [],
    # Undefined behaviour ends the program; by default it is only printed.
    "address": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", CHILD],
    "thread": ["-fsanitize=thread", CHILD],
}
# On request alone (tools/sanitize valgrind): it takes long, and few machines have it. It leaves out
# the programs that flood the tower without a pause: valgrind runs one thread at a time, so the
# reader would never catch up.
VALGRIND = "valgrind"
if os.environ.get("NETIOAPI_VALGRIND") == "1":
    SANITIZERS[VALGRIND] = [CHILD]
UNDER_VALGRIND = [
    *(VALGRIND, "-q", "--fair-sched=yes", "--error-exitcode=99", "--leak-check=full"),
    *("--show-leak-kinds=definite", "--errors-for-leak-kinds=definite"),
]
SANITIZER_OPTIONS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=1",
    "UBSAN_OPTIONS": "print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1:die_after_fork=0",
}
TOWER = ["base/*.c", "base/posix/*.c", "rtnetlink/**/*.c"]


@dataclass(frozen=True)
class Program:
    """tests/c/NAME.c, the files of csrc that it is linked with, and the functions that it wraps.

    `arguments` follow the seed, by sanitizer: a sanitized program does less of the same.
    """

    name: str
    sources: tuple[str, ...]
    wraps: tuple[str, ...] = ()
    sanitizers: tuple[str, ...] = ("plain", "address")
    arguments: tuple[tuple[str, str], ...] = ()

    def less(self, sanitizer: str) -> list[str]:
        return [argument for name, argument in self.arguments if name == sanitizer]


def unavailable(reason: str) -> None:
    """Skips the test with that reason; in CI the reason is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI may not skip: {reason}")
    pytest.skip(reason)


@cache
def compiler() -> str | None:
    return next(filter(None, map(shutil.which, ("gcc", "clang", "cc"))), None)


@cache
def missing(sanitizer: str) -> str | None:
    """The reason why programs with this sanitizer cannot be built or run here, or None."""
    cc = compiler()
    if cc is None:
        return "no C compiler"
    if sanitizer == "plain":
        return None
    if sanitizer == VALGRIND:
        return None if shutil.which(VALGRIND) else "no valgrind"
    with tempfile.TemporaryDirectory() as folder:
        probe = f"{folder}/probe"
        command = [cc, *SANITIZERS[sanitizer], "-pthread", "-x", "c", "-", "-o", probe]
        source = "int main(void) { return 0; }"
        built = subprocess.run(command, input=source, text=True, capture_output=True)
        if built.returncode != 0:
            return f"no runtime for the sanitizer {sanitizer}: {built.stderr.strip()[-200:]}"
        ran = subprocess.run([probe], capture_output=True, text=True, timeout=30)
        if ran.returncode != 0:
            return f"the sanitizer {sanitizer} does not run here: {ran.stderr.strip()[-200:]}"
    return None


@cache
def compiled(source: Path, sanitizer: str, folder: Path) -> Path:
    """An object file, compiled once for all programs: they share most of their sources."""
    cc = compiler()
    assert cc is not None
    parts = source.resolve().relative_to(ROOT).with_suffix(".o").parts
    compiled = folder / "-".join([sanitizer, *parts])
    options = [*FLAGS, *SANITIZERS[sanitizer], *INCLUDES]
    run([cc, *options, "-c", str(source), "-o", str(compiled)])
    return compiled


def linked(
    name: str, sources: Iterable[Path], wraps: Iterable[str], sanitizer: str, folder: Path
) -> Path:
    """The linked program, in its folder; skips the test where it cannot be built."""
    if (reason := missing(sanitizer)) is not None:
        unavailable(reason)
    cc = compiler()
    assert cc is not None
    binary = folder / f"{name}-{sanitizer}"
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        made = pool.map(lambda source: compiled(source, sanitizer, folder.parent), sources)
        objects = [str(path) for path in made]
    options = [*FLAGS, *SANITIZERS[sanitizer], *(f"-Wl,--wrap={name}" for name in wraps)]
    run([cc, *options, *objects, "-o", str(binary)])
    return binary


def build(program: Program, sanitizer: str, folder: Path) -> Path:
    sources = [ROOT / "tests/c" / f"{program.name}.c"]
    for pattern in program.sources:
        sources += sorted(CSRC.glob(pattern))
    return linked(program.name, sources, program.wraps, sanitizer, folder)


def run_program(binary: Path, *arguments: str, timeout: float = 120) -> None:
    under = UNDER_VALGRIND if binary.name.endswith(f"-{VALGRIND}") else []
    done = run([*under, str(binary), *arguments], timeout=timeout, env=SANITIZER_OPTIONS)
    assert done.stdout.endswith("ok\n"), done.stdout + done.stderr
    assert done.stderr == ""
