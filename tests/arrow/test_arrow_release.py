# SPDX-License-Identifier: MIT
"""The memory of columns is released by every owner: a capsule that no consumer took from, a
consumer in any thread, without the GIL, after Python's end."""

from __future__ import annotations

import ctypes
import gc
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from netioapi import Table
from tests.support.arrow_reader import (
    ArrowArray,
    ArrowArrayStream,
    ArrowSchema,
    call,
    read,
    release,
    taken,
    within,
)
from tests.support.arrow_rows import KINDS, expected, random_table
from tests.support.leaks import leaks
from tests.support.processes import python


def leave_it(table: Table[Any]) -> None:
    table.__arrow_c_schema__()
    table.__arrow_c_array__()
    table.__arrow_c_stream__()


def release_it(table: Table[Any]) -> None:
    """Releases each struct inside its capsule, where the capsule sees it."""
    of_schema, of_array = table.__arrow_c_array__()
    for one in (
        within(table.__arrow_c_schema__(), ArrowSchema),
        within(of_schema, ArrowSchema),
        within(of_array, ArrowArray),
        within(table.__arrow_c_stream__(), ArrowArrayStream),
    ):
        release(one)


def take_it(table: Table[Any]) -> None:
    """Moves each struct out of its capsule, and releases it after the capsule."""
    of_schema, of_array = table.__arrow_c_array__()
    schema, array = taken(of_schema, ArrowSchema), taken(of_array, ArrowArray)
    stream = taken(table.__arrow_c_stream__(), ArrowArrayStream)
    of_schema = of_array = None
    batch, said = ArrowArray(), ArrowSchema()
    assert call(stream, "get_next", batch) == 0
    assert call(stream, "get_schema", said) == 0
    for one in (stream, said, array, schema, batch):
        release(one)


def fail(table: Table[Any]) -> None:
    for method in (table.__arrow_c_array__, table.__arrow_c_stream__):
        with pytest.raises(TypeError):
            method(7)


USES: list[Callable[[Table[Any]], None]] = [leave_it, release_it, take_it, fail]
each_use = pytest.mark.parametrize("use", USES, ids=lambda use: use.__name__)


@pytest.mark.parametrize("kind", KINDS)
@each_use
def test_export_leaks_no_object(kind: str, use: Callable[[Table[Any]], None]) -> None:
    table = random_table(kind, 20, 1)
    assert not leaks(lambda: use(table))


def resident_bytes() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc for the memory in use")
@each_use
def test_export_leaks_no_memory(use: Callable[[Table[Any]], None]) -> None:
    """Memory outside of Python's allocator; tests/linux/test_arrow_memory.py counts it by block."""
    table = random_table("route", 2000, 1)
    columns = 2000 * 100  # at least so many bytes
    for _ in range(5):
        use(table)
    gc.collect()
    before = resident_bytes()
    for _ in range(20):
        use(table)
    gc.collect()
    assert resident_bytes() - before < 8 * columns


def in_a_thread_of_c(function: int, argument: int) -> None:
    """Calls `function` in a thread unknown to Python, and waits with the GIL held: ctypes.PyDLL
    keeps it. A callback that needed the GIL would never return."""
    if sys.platform == "win32":
        kernel = ctypes.PyDLL("kernel32")
        kernel.CreateThread.restype = ctypes.c_void_p
        kernel.CreateThread.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_void_p] * 4]
        kernel.CreateThread.argtypes[4] = ctypes.c_uint32
        kernel.WaitForSingleObject.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        kernel.CloseHandle.argtypes = [ctypes.c_void_p]
        handle = kernel.CreateThread(None, 0, function, argument, 0, None)
        assert handle
        assert kernel.WaitForSingleObject(handle, 20_000) == 0
        kernel.CloseHandle(handle)
    else:
        libc = ctypes.PyDLL(None)
        thread = ctypes.c_ulong()
        start = (ctypes.c_void_p(function), ctypes.c_void_p(argument))
        assert libc.pthread_create(ctypes.byref(thread), None, *start) == 0
        deadline = (ctypes.c_int64 * 2)(2**31 - 1, 0)
        libc.time.restype = ctypes.c_long
        deadline[0] = libc.time(None) + 20
        assert libc.pthread_timedjoin_np(thread, None, deadline) == 0


@pytest.mark.skipif(
    sys.maxsize < 2**32,
    reason="callbacks and threads have the same calling convention on 64-bit systems alone",
)
def test_release_in_another_thread_while_the_gil_is_held_does_not_block(seed: int) -> None:
    for _ in range(20):
        table = random_table("route", 100, seed)
        of_schema, of_array = table.__arrow_c_array__()
        stream = taken(table.__arrow_c_stream__(), ArrowArrayStream)
        said = ArrowSchema()
        assert call(stream, "get_schema", said) == 0
        array = taken(of_array, ArrowArray)
        for one in (said, stream, array, taken(of_schema, ArrowSchema)):
            in_a_thread_of_c(one.release, ctypes.addressof(one))
            assert one.release is None


def test_renamed_capsule_still_releases_its_struct(seed: int) -> None:
    """A consumer may rename a capsule to mark it as used."""
    rename = ctypes.pythonapi.PyCapsule_SetName
    rename.argtypes = [ctypes.py_object, ctypes.c_char_p]
    used = b"used"  # kept alive: a capsule borrows its name
    table = random_table("address", 10, seed)

    def use() -> None:
        for capsule in (*table.__arrow_c_array__(), table.__arrow_c_stream__()):
            assert rename(capsule, used) == 0

    assert not leaks(use)
    assert read(table)[1] == expected(table)


AFTER_PYTHON = """
import ctypes, netioapi
from tests.support.arrow_reader import ArrowArray, ArrowArrayStream, ArrowSchema, taken
from tests.support.arrow_rows import random_table

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.__cxa_atexit.argtypes = [ctypes.c_void_p] * 3
table = random_table("route", 100, 1)
kinds = (ArrowSchema, ArrowArray, ArrowArrayStream)
for kind, capsule in zip(kinds, (*table.__arrow_c_array__(), table.__arrow_c_stream__())):
    one = taken(capsule, kind)
    at = libc.malloc(ctypes.c_size_t(ctypes.sizeof(one)))
    ctypes.memmove(at, ctypes.byref(one), ctypes.sizeof(one))
    assert libc.__cxa_atexit(one.release, at, None) == 0
print("done")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="uses exit handlers of the C library")
def test_release_after_the_end_of_python_is_safe() -> None:
    python(AFTER_PYTHON, marker="done")
