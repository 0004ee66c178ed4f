# SPDX-License-Identifier: MIT
"""Builds the C tests (tests/c) with every warning an error, plain and under sanitizers, and runs
them. Each program prints `ok` at its end; its tests are read there, not here."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.linux.namespace import Namespace
from tests.support.paths import ROOT
from tests.support.processes import run

CSRC = ROOT / "csrc"
FLAGS = ["-std=c11", "-O1", "-g", "-pthread", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
INCLUDES = [f"-I{ROOT / path}" for path in ("csrc", "csrc/base/posix", "tests/c", "tests/fuzz")]
CHILD = "-DCHILD_HAS_THREADS=0"  # of a fork: sanitizers do not outlive one
SANITIZERS = {
    "plain": [],
    # Undefined behaviour ends the program: otherwise it is only printed.
    "address": ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", CHILD],
    "thread": ["-fsanitize=thread", CHILD],
}
# Only where it is asked for (tools/sanitize valgrind): it takes long, and few machines have it. Of
# the tower's programs those that flood without a pause are left out: one thread at a time, the
# reader never catches up with the flood.
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
QUEUE = [
    f"base/{name}.c" for name in ("queue", "coalesce", "unseen_deletes", "chunk", "change", "taken")
]
POSIX = [f"base/posix/{name}.c" for name in ("event", "lock", "pages", "thread")]
TOWER = ["base/*.c", "base/posix/*.c", "rtnetlink/**/*.c"]
MEMORY = ["malloc", "calloc", "nio_pages_new", "nio_pages_free"]


@dataclass(frozen=True)
class Program:
    """tests/c/NAME.c, what of csrc it is linked with, and the functions it puts itself before.

    `arguments` follow the seed, by sanitizer: a sanitized program does less of the same."""

    name: str
    sources: tuple[str, ...]
    wraps: tuple[str, ...] = ()
    sanitizers: tuple[str, ...] = ("plain", "address")
    arguments: tuple[tuple[str, str], ...] = ()

    def less(self, sanitizer: str) -> list[str]:
        return [argument for name, argument in self.arguments if name == sanitizer]


PROGRAMS = [
    Program("filter_test", ("base/filter.c",)),
    Program(
        "socket_filter_test",
        (
            *("rtnetlink/socket/socket_filter.c", "rtnetlink/socket/table_set.c"),
            *("rtnetlink/mirror/subscriber.c", "base/filter.c", *QUEUE, *POSIX),
        ),
    ),
    Program("queue_test", (*QUEUE, *POSIX)),
    Program("queue_edge_test", (*QUEUE, *POSIX), wraps=tuple(MEMORY)),
    Program(
        "queue_model_test",
        (*QUEUE, *POSIX),
        sanitizers=("plain", "address", "thread"),
        arguments=(("thread", "200000"),),
    ),
    Program(
        "event_thread_test",
        tuple(POSIX),
        wraps=("pthread_create",),
        sanitizers=("plain", "address", "thread"),
    ),
]
ALL = ("plain", "address", "thread")
TOWER_PROGRAMS = [
    Program("tower_cancel_test", tuple(TOWER), sanitizers=ALL),
    Program(
        "tower_stream_test",
        tuple(TOWER),
        sanitizers=(*ALL, VALGRIND),
        arguments=((VALGRIND, "2"),),
    ),
    Program(
        "tower_tables_test",
        tuple(TOWER),
        sanitizers=(*ALL, VALGRIND),
        arguments=(("plain", "50"), ("address", "5"), ("thread", "2"), (VALGRIND, "0")),
    ),
    Program(
        "tower_flood_test",
        tuple(TOWER),
        sanitizers=ALL,
        arguments=(("plain", "500"), ("address", "100"), ("thread", "60")),
    ),
]


def unavailable(reason: str) -> None:
    """Skip, with the reason; but what CI has no compiler for is a failure."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI may not skip: {reason}")
    pytest.skip(reason)


@cache
def compiler() -> str | None:
    return next(filter(None, map(shutil.which, ("gcc", "clang", "cc"))), None)


@cache
def missing(sanitizer: str) -> str | None:
    """Why programs with this sanitizer cannot be built or run here; None where they can."""
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
    """Once for all programs: what each of them shares with others is most of it."""
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
    """The built program, in this folder of a run's folder; skips the test where that cannot be."""
    if (reason := missing(sanitizer)) is not None:
        unavailable(reason)
    cc = compiler()
    assert cc is not None
    binary = folder / f"{name}-{sanitizer}"
    objects = [str(compiled(source, sanitizer, folder.parent)) for source in sources]
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


def each(programs: list[Program]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("program", "sanitizer"),
        [
            pytest.param(program, sanitizer, id=f"{program.name}-{sanitizer}")
            for program in programs
            for sanitizer in SANITIZERS
            if sanitizer in program.sanitizers or (sanitizer == VALGRIND and programs is PROGRAMS)
        ],
    )


@pytest.mark.timeout(240)
@each(PROGRAMS)
def test_c_program_passes(program: Program, sanitizer: str, tmp_path: Path, seed: int) -> None:
    run_program(build(program, sanitizer, tmp_path), str(seed), *program.less(sanitizer))


@pytest.mark.timeout(320)
@each(TOWER_PROGRAMS)
def test_tower_program_passes(
    program: Program, sanitizer: str, tmp_path: Path, seed: int, netns: Namespace
) -> None:
    """The rtnetlink tower as a plain C library, in a network of its own."""
    binary = build(program, sanitizer, tmp_path)
    run_program(binary, str(seed), *program.less(sanitizer), timeout=220)


def test_base_links_without_a_tower(tmp_path: Path) -> None:
    if (reason := missing("plain")) is not None:
        unavailable(reason)
    cc = compiler()
    assert cc is not None
    sources = [str(path) for room in ("base", "base/posix") for path in (CSRC / room).glob("*.c")]
    options = ["-shared", "-fPIC", *FLAGS, *INCLUDES, "-Wl,--no-undefined"]
    run([cc, *options, *sources, "-o", str(tmp_path / "base.so")])


def test_failed_check_fails_the_program(tmp_path: Path) -> None:
    """The house's own macro: a program whose check fails does not end with `ok` and 0."""
    if (reason := missing("plain")) is not None:
        unavailable(reason)
    cc = compiler()
    assert cc is not None
    source, binary = tmp_path / "wrong.c", tmp_path / "wrong"
    source.write_text('#include "check.h"\nint main(void) { CHECK_EQUAL(1, 2); puts("ok"); }\n')
    run([cc, *FLAGS, *INCLUDES, str(source), "-o", str(binary)])
    with pytest.raises(AssertionError, match="1 is 1, and 2 is 2"):
        run_program(binary)


def test_missing_compiler_fails_in_ci_and_skips_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no C compiler"):
        unavailable("no C compiler")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="no C compiler"):
        unavailable("no C compiler")
