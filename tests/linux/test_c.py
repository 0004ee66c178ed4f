# SPDX-License-Identifier: MIT
"""Builds the C tests (tests/c) with every warning an error, plain and sanitized, and runs them.
Each program prints `ok` at its end."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.linux.c_programs import (
    CSRC,
    FLAGS,
    INCLUDES,
    SANITIZERS,
    TOWER,
    VALGRIND,
    Program,
    build,
    compiler,
    missing,
    run_program,
    unavailable,
)
from tests.linux.namespace import Namespace
from tests.support.processes import run

QUEUE = [
    f"base/{name}.c"
    for name in ("queue", "coalesce", "unseen_deletes", "chunk", "change", "extra", "taken")
]
POSIX = [f"base/posix/{name}.c" for name in ("event", "lock", "pages", "seed", "thread")]
ROWS = (
    *("rtnetlink/decode/rows.c", "rtnetlink/decode/interface_row.c"),
    *("base/*.c", "base/posix/*.c"),
)
MEMORY = ["malloc", "calloc", "nio_pages_new", "nio_pages_free"]


PROGRAMS = [
    Program("filter_test", ("base/filter.c",)),
    Program(
        "socket_filter_test",
        (
            *("rtnetlink/socket/socket_filter.c", "rtnetlink/socket/table_set.c"),
            *("rtnetlink/mirror/subscriber.c", "base/filter.c", *QUEUE, *POSIX),
        ),
    ),
    Program("store_test", ("base/store.c", *POSIX)),
    Program(
        "route_dump_test",
        ("base/extra.c", "rtnetlink/mirror/route_dump.c", "rtnetlink/mirror/route_gaps.c"),
    ),
    Program("held_routes_test", tuple(TOWER)),
    Program("queue_test", (*QUEUE, *POSIX)),
    Program("queue_merge_test", (*QUEUE, *POSIX)),
    Program("queue_edge_test", (*QUEUE, *POSIX), wraps=tuple(MEMORY)),
    Program(
        "queue_model_test",
        (*QUEUE, *POSIX),
        sanitizers=("plain", "address", "thread"),
        arguments=(("thread", "200000"),),
    ),
    Program(
        "debug_test",
        ("base/debug.c", "base/posix/fork.c", "base/posix/stderr.c", *POSIX),
        sanitizers=("plain", "address", "thread"),
    ),
    Program(
        "event_thread_test",
        tuple(POSIX),
        wraps=("pthread_create",),
        sanitizers=("plain", "address", "thread"),
    ),
    Program("rows_test", ROWS),
    Program("interface_row_test", ROWS),
    Program(
        "debug_cancel_test",
        ("base/debug.c", "base/posix/fork.c", *POSIX),
        sanitizers=("plain", "address", "thread"),
    ),
    Program(
        "process_test",
        ("binding/process.c", "base/posix/fork.c", *POSIX),
        wraps=("pthread_atfork",),
        sanitizers=("plain", "address", "thread"),
    ),
    Program(
        "subscription_test",
        (
            *(
                f"iphlpapi/{name}.c"
                for name in (
                    "bearers",
                    "partial_key",
                    "registrations",
                    "silence",
                    "rows",
                    "row_cache",
                    "row_updates",
                    "row_tables",
                    "subscription",
                )
            ),
            *("base/*.c", "base/posix/*.c"),
        ),
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


def each(programs: list[Program]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(
        ("program", "sanitizer"),
        [
            pytest.param(
                program,
                sanitizer,
                id=f"{program.name}-{sanitizer}",
                marks=[pytest.mark.slow] if sanitizer != "plain" else [],
            )
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
    """The CHECK macros: a program with a failed check does not print `ok` and exit with 0."""
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
