# SPDX-License-Identifier: MIT
"""A registration that a test makes with the system's functions, without netioapi: what the system
itself reports, and on which threads."""

from __future__ import annotations

import ctypes
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.support.collector import Collector
from tests.windows.structures import AF_UNSPEC, Address, Interface, Route
from tests.windows.support import ADDRESS, INTERFACE, RowKind


class Told(NamedTuple):
    row: Any  # a copy; None: no row
    type: int
    thread: int


class SystemRegistration:
    """Keeps each notification, and then calls `then` with it."""

    def __init__(
        self,
        kind: RowKind,
        family: int = AF_UNSPEC,
        *,
        initial: bool = False,
        then: Callable[[Told], object] = lambda _: None,
    ) -> None:
        assert sys.platform == "win32"
        row_type = {INTERFACE.kind: Interface, ADDRESS.kind: Address}.get(kind.kind, Route)
        self._seen = Collector()

        @ctypes.WINFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(row_type), ctypes.c_int)
        def callback(context: object, row: Any, type: int) -> None:
            copy = row_type.from_buffer_copy(row.contents) if row else None
            told = Told(copy, type, threading.get_ident())
            self._seen(told)
            then(told)

        self._callback, self._handle = callback, ctypes.c_void_p()
        library = ctypes.WinDLL("iphlpapi.dll")
        notify = getattr(library, kind.function)
        notify.argtypes = [
            *(ctypes.c_uint16, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_uint8),
            ctypes.POINTER(ctypes.c_void_p),
        ]
        self._cancel = library.CancelMibChangeNotify2
        self._cancel.argtypes = [ctypes.c_void_p]
        pointer = ctypes.cast(callback, ctypes.c_void_p)
        self.code: int = notify(family, pointer, None, initial, ctypes.byref(self._handle))

    @property
    def told(self) -> list[Told]:
        return [told for (told,) in self._seen.events]

    @property
    def types(self) -> list[int]:
        return [told.type for told in self.told]

    def wait_count(self, count: int) -> None:
        self._seen.wait_count(count)

    def cancel(self) -> None:
        assert self._cancel(self._handle) == 0


@contextmanager
def registered(
    kind: RowKind, family: int = AF_UNSPEC, **named: Any
) -> Iterator[SystemRegistration]:
    registration = SystemRegistration(kind, family, **named)
    assert registration.code == 0
    try:
        yield registration
    finally:
        registration.cancel()
