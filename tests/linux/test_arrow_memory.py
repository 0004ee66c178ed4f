# SPDX-License-Identifier: MIT
"""The memory of columns, block by block: each block that the extension requests from malloc is
refused once, and each of Python's; whatever happens, none is leaked."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.linux.c_programs import compiler, unavailable
from tests.support.paths import ROOT
from tests.support.processes import python, run

SCRIPT = """
import ctypes, errno, sys
import netioapi
from tests.support.arrow_reader import (
    ArrowArray, ArrowArrayStream, ArrowSchema, call, described, last_error, read, release,
    schema_of, taken, within)
from tests.support.arrow_rows import KINDS, expected, random_table

try:
    import _testcapi
except ImportError:
    _testcapi = None

watched = ctypes.CDLL(None)
with open("/proc/self/maps") as file:
    places = [line.split()[0].split("-") for line in file if netioapi._native.__file__ in line]
low, high = int(places[0][0], 16), int(places[-1][1], 16)
watched.watch(ctypes.c_ulong(low), ctypes.c_ulong(high))


def take(table):
    stream = taken(table.__arrow_c_stream__(), ArrowArrayStream)
    try:
        for kind, name in ((ArrowSchema, "get_schema"), (ArrowArray, "get_next")):
            out = kind()
            result = call(stream, name, out)
            if result == errno.ENOMEM:
                assert last_error(stream) == b"not enough memory for a schema"
                assert out.release is None
                raise MemoryError
            assert result == 0
            release(out)
    finally:
        release(stream)


calls = {
    "schema": lambda table: table.__arrow_c_schema__(),
    "array": lambda table: table.__arrow_c_array__(),
    "stream": lambda table: table.__arrow_c_stream__(),
    "taken": take,
}
total = 0


def every(name, table, begin, end, most):
    # Refuses one allocation after the other.
    global total
    refused = 0
    for number in range(most):
        caught = made = None
        begin(number)
        try:
            made = calls[name](table)
        except MemoryError:
            refused += 1
        except BaseException as other:
            caught = other
        finally:
            end()
        if caught is not None:
            sys.exit(f"{name} of {table.kind}, allocation {number}: {caught!r}")
        if name == "schema" and made and described(within(made, ArrowSchema)) != whole:
            sys.exit(f"{name} of {table.kind}, allocation {number}: it lacks something")
        made = None
        left = watched.watch_live() - of_rows
        if left:
            sys.exit(f"{name} of {table.kind}, allocation {number}: {left} blocks are left")
    total += refused
    return refused


for kind in KINDS:
    whole = schema_of(random_table(kind, 0, 1))
    for count in (0, 100, 5000):
        table = random_table(kind, count, 1)
        of_rows = watched.watch_live()  # what is rare in the rows lies in blocks of its own
        for name in calls:
            watched.watch_refuse(-1)
            calls[name](table)
            asked = watched.watch_asked()
            assert asked > 20, asked  # at least one block per column: the wrapper works
            assert watched.watch_live() == of_rows
            if count < 5000:
                refused = every(name, table, watched.watch_refuse,
                                lambda: watched.watch_refuse(-1), asked + 1)
                # If the allocation for an interface name fails, there is no name.
                exactly = name == "schema" or count == 0
                assert refused == asked if exactly else refused > 20, (name, refused, asked)
                if _testcapi is not None and name != "taken":  # there ctypes allocates, too
                    every(name, table, lambda n: _testcapi.set_nomemory(n, n + 1),
                          _testcapi.remove_mem_hooks, 150)
        assert read(table)[1] == expected(table)

del table
kept = random_table("route", 100, 1).__arrow_c_array__()
assert watched.watch_live() > 20
del kept
assert watched.watch_live() == 0
print(total, "refused; done")
"""


def test_refused_allocation_raises_memory_error_and_leaks_no_block(tmp_path: Path) -> None:
    cc = compiler()
    if cc is None:
        unavailable("no C compiler")
    library = tmp_path / "watched_malloc.so"
    flags = ["-std=c11", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread"]
    run([str(cc), *flags, str(ROOT / "tests/linux/watched_malloc.c"), "-o", str(library)])
    glibc = run(["ldd", "--version"], code=None)
    if "musl" in glibc.stdout + glibc.stderr:
        pytest.skip("only glibc has names for what stands behind malloc")
    python(SCRIPT, marker="refused; done", timeout=55, env={"LD_PRELOAD": str(library)})
