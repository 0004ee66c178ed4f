# SPDX-License-Identifier: MIT
"""The stand-in iphlpapi.dll from Python: its functions for tests (`standin/control.c`), typed, and
the numbers of its settings, figures and kinds (`standin/standin.h`)."""

from __future__ import annotations

import ctypes
import enum
import functools
import os
import sys
from typing import Any

from tests.windows.structures import Address, Interface, Route

JOURNAL = "NETIOAPI_STANDIN_JOURNAL"


class Kind(enum.IntEnum):
    """The kinds of notification for `standin_inject`."""

    INTERFACE = 0
    ADDRESS = 1
    ROUTE = 2
    TEREDO = 3
    HINT = 4
    STABLE = 5


class Setting(enum.IntEnum):
    """The settings of `standin_set`. After a reset they are as on Windows: SYNCHRONOUS_INITIAL,
    FAMILY_QUEUES, MERGE and REPEAT_STABLE 1, the others 0."""

    SYNCHRONOUS_INITIAL = 0
    OVERLAP = 1
    DELAY_MS = 2
    BLOCKED = 3
    NULL_HANDLES = 4
    FULL_ROWS = 5
    SILENT = 6
    REPEAT_STABLE = 7
    LATE = 8
    FLOOD_PAUSE_MS = 9
    READ_UNTIL = 10
    NO_TABLE = 11
    FAMILY_QUEUES = 12
    MERGE = 13
    BARE_DELETES = 14
    SERVICE_ERROR = 15
    COMPARTMENT = 16
    GONE = 17
    GONE_CODE = 18


class Figure(enum.IntEnum):
    """The figures that `standin_stat` returns."""

    LIVE = 0
    CANCELLED = 1
    CALLBACKS = 2
    GIVEN = 3
    QUEUED = 4
    ENTRY_CALLS = 5
    TABLE_CALLS = 6
    POSTED = 7
    REFUSED = 8
    RUNNING = 9
    HELD = 10
    MERGED = 11


def _loaded() -> Any:
    if sys.platform == "win32":
        return ctypes.WinDLL("iphlpapi.dll")
    raise OSError("iphlpapi.dll is a part of Windows")


def is_standin() -> bool:
    """Is the loaded iphlpapi.dll the stand-in?"""
    try:
        return bool(_loaded().standin_version() != 0)
    except AttributeError:
        return False


@functools.cache
def require_standin() -> Any:
    """The loaded iphlpapi.dll. Fails, and does not skip, where that is not the stand-in: Wine's own
    DLL would answer, and the tests would show nothing."""
    library = _loaded()
    if not is_standin():
        import pytest  # plain programs do not need it

        pytest.fail(
            "the loaded iphlpapi.dll is not the stand-in: build it (tests/windows/standin/build), "
            "put both DLLs into system32, and let Wine load it: DLL override iphlpapi=native"
        )
    row, ulong, word = ctypes.c_void_p, ctypes.c_uint32, ctypes.c_uint16
    for name, result, arguments in [
        ("standin_put_interface", ulong, [ctypes.POINTER(Interface), ctypes.c_wchar_p]),
        ("standin_delete_interface", ulong, [word, ulong]),
        ("standin_put_address", ulong, [ctypes.POINTER(Address)]),
        ("standin_delete_address", ulong, [ctypes.POINTER(Address)]),
        ("standin_put_route", ulong, [ctypes.POINTER(Route)]),
        ("standin_delete_route", ulong, [ctypes.POINTER(Route)]),
        ("standin_put_routes", ulong, [ctypes.POINTER(Route), ulong]),
        ("standin_delete_routes", ulong, [ctypes.POINTER(Route), ulong]),
        ("standin_set_teredo", ulong, [word]),
        ("standin_set_hint", ulong, [ctypes.c_int, ctypes.c_int, ulong]),
        ("standin_flood", ulong, [ctypes.POINTER(Route), ulong, ulong, ulong]),
        ("standin_flood_wait", ctypes.c_int, [ulong]),
        ("standin_flood_stop", ulong, []),
        ("standin_inject", ctypes.c_int, [ctypes.c_int, word, row, ctypes.c_int]),
        ("standin_set", ctypes.c_int, [ctypes.c_int, ulong]),
        ("standin_fail", ulong, [ctypes.c_char_p, ulong, ctypes.c_int]),
        ("standin_stat", ctypes.c_int, [ctypes.c_int]),
        ("standin_drain", ctypes.c_int, [ulong]),
        ("standin_silence", ctypes.c_int, [ctypes.c_int]),
        ("standin_hide", ulong, [ctypes.c_char_p]),
        ("standin_share", ulong, [ctypes.c_wchar_p]),
        ("standin_reset", ulong, []),
        ("GetIpForwardTable2", ulong, [word, ctypes.POINTER(ctypes.c_void_p)]),
        ("GetUnicastIpAddressTable", ulong, [word, ctypes.POINTER(ctypes.c_void_p)]),
        ("GetIpInterfaceTable", ulong, [word, ctypes.POINTER(ctypes.c_void_p)]),
        ("FreeMibTable", None, [ctypes.c_void_p]),
    ]:
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library


def share() -> None:
    """Makes one network for this process and its future children."""
    if JOURNAL not in os.environ:
        name = f"netioapi-standin-{os.getpid()}"
        checked("standin_share", name)
        os.environ[JOURNAL] = name


def checked(function: str, *arguments: object) -> None:
    """Calls a function that returns a Win32 code; any code but 0 fails the test."""
    code = getattr(require_standin(), function)(*arguments)
    assert code == 0, f"{function}: error {code}"


def configure(what: Setting, value: int = 1) -> int:
    """Changes a setting; returns its value before."""
    before: int = require_standin().standin_set(what, value)
    return before


def stat(what: Figure) -> int:
    figure: int = require_standin().standin_stat(what)
    return figure


def fail(function: str, code: int, times: int = -1) -> None:
    """Makes the next `times` calls of that Windows function fail; -1: all calls, 0: none any
    more."""
    checked("standin_fail", function.encode(), code, times)


def inject(kind: Kind, row: Any = None, type: int = 0, *, family: int = 0) -> int:
    """Calls back with this row, without a change; returns the number of registrations called."""
    pointer = None if row is None else ctypes.byref(row)
    given: int = require_standin().standin_inject(kind, family, pointer, type)
    return given


def silence(kind: Kind | None = None) -> int:
    """From now on no live registration of that kind (None: of any) hears of anything; returns
    their number."""
    silenced: int = require_standin().standin_silence(-1 if kind is None else kind)
    return silenced


def drain(timeout: float = 60) -> None:
    """Waits until no callback is queued or running."""
    drained = require_standin().standin_drain(int(timeout * 1000))
    assert drained, f"{stat(Figure.QUEUED)} queued, {stat(Figure.RUNNING)} under way"


def hide(function: str) -> None:
    """From now on this process runs on a Windows that lacks the function."""
    checked("standin_hide", function.encode())
