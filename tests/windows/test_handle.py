# SPDX-License-Identifier: MIT
"""Watcher.handle(): other code waits for it as for any event of Windows."""

from __future__ import annotations

import ctypes
import threading

import pytest

from netioapi import NetioError, Watcher
from tests.windows.support import ROUTE, kernel32, no_handle_left, route_row

pytestmark = pytest.mark.usefixtures("link")
SET, TIMEOUT = 0, 258


def wait(*handles: int, timeout: int) -> int:
    """The number of the first handle that is set."""
    kernel, array = kernel32(), (ctypes.c_void_p * len(handles))(*handles)
    kernel.WaitForMultipleObjects.argtypes = [
        ctypes.c_uint32,
        ctypes.c_void_p,
        ctypes.c_int,
        ctypes.c_uint32,
    ]
    return int(kernel.WaitForMultipleObjects(len(handles), array, 0, timeout))


def test_handle_is_set_while_changes_wait() -> None:
    with no_handle_left(), Watcher("route") as watcher, Watcher("address") as other:
        both = other.handle(), watcher.handle()
        assert both == (other.handle(), watcher.handle())
        assert wait(*both, timeout=0) == TIMEOUT
        ROUTE.put(route_row(1))
        for _ in range(2):  # a wait does not reset it
            assert wait(*both, timeout=60_000) == SET + 1
        assert watcher.read(timeout=0) is not None
        assert wait(*both, timeout=0) == TIMEOUT


def test_stop_ends_a_wait_for_the_handle() -> None:
    with Watcher("route") as watcher:
        found: list[int] = []
        thread = threading.Thread(
            target=lambda: found.append(wait(watcher.handle(), timeout=60_000))
        )
        thread.start()
        watcher.stop()
        thread.join(60)
        assert found == [SET]


def test_handle_of_a_closed_watcher_raises() -> None:
    watcher = Watcher()
    watcher.close()
    for ask in (watcher.handle, watcher.fileno):
        with pytest.raises(ValueError, match="watcher is closed"):
            ask()


def test_fileno_raises_and_names_the_handle() -> None:
    with (
        Watcher() as watcher,
        pytest.raises(NetioError, match=r"no descriptor.*handle\(\)") as caught,
    ):
        watcher.fileno()
    assert (caught.value.code, caught.value.function) == (50, "Watcher.fileno")
