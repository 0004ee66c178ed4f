# SPDX-License-Identifier: MIT
"""Callbacks on threads that Python did not create: the callback that a registration gave to the
system is intercepted, and called by threads of CreateThread. 64-bit Intel only."""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Callable
from typing import Any

import netioapi
from tests.windows.structures import AF_UNSPEC
from tests.windows.support import kernel32

# `start(given)` for CreateThread: given->function(given->context, given->row, given->type), as
# often as given->times says.
#   push rbx; sub rsp, 32; mov rbx, rcx
#   again: mov rcx, [rbx+8]; mov rdx, [rbx+16]; mov r8d, [rbx+24]; call [rbx]
#   dec dword [rbx+28]; jnz again
#   xor eax, eax; add rsp, 32; pop rbx; ret
_CODE = bytes.fromhex(
    "53 4883ec20 4889cb 488b4b08 488b5310 448b4318 ff13 ff4b1c 75ed 31c0 4883c420 5b c3"
)
EXECUTABLE, COMMIT = 0x40, 0x3000


class Given(ctypes.Structure):
    _fields_ = (
        ("function", ctypes.c_void_p),
        ("context", ctypes.c_void_p),
        ("row", ctypes.c_void_p),
        ("type", ctypes.c_uint32),
        ("times", ctypes.c_uint32),
    )
    function: int
    context: int


class Caught:
    """A registration whose callback is intercepted."""

    def __init__(self, callback: Callable[..., object], **named: Any) -> None:
        library = ctypes.WinDLL("iphlpapi.dll")
        kernel = kernel32()
        kernel.VirtualProtect.argtypes = [
            ctypes.c_void_p,
            ctypes.c_size_t,
            ctypes.c_uint32,
            ctypes.POINTER(ctypes.c_uint32),
        ]
        kernel.VirtualAlloc.restype = ctypes.c_void_p
        kernel.VirtualAlloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t] + [ctypes.c_uint32] * 2
        kernel.CreateThread.restype = ctypes.c_void_p
        kernel.CreateThread.argtypes = [
            ctypes.c_void_p,
            ctypes.c_size_t,
            *([ctypes.c_void_p] * 2),
            ctypes.c_uint32,
            ctypes.c_void_p,
        ]
        kernel.WaitForSingleObject.argtypes = [ctypes.c_void_p, ctypes.c_uint32]
        kernel.CloseHandle.argtypes = [ctypes.c_void_p]
        self._kernel = kernel
        self._function = self._context = 0
        original = library.NotifyRouteChange2
        address = ctypes.cast(original, ctypes.c_void_p).value
        assert address is not None
        shape = ctypes.WINFUNCTYPE(
            ctypes.c_uint32,
            ctypes.c_uint16,
            ctypes.c_void_p,
            ctypes.c_void_p,
            ctypes.c_uint8,
            ctypes.c_void_p,
        )
        real, before = shape(address), ctypes.c_uint32()
        size = 12
        kernel.VirtualProtect(address, size, EXECUTABLE, ctypes.byref(before))
        saved = ctypes.string_at(address, size)

        def caught(family: int, function: int, context: int, initial: int, handle: int) -> int:
            ctypes.memmove(address, saved, size)
            self._function, self._context = function, context
            return int(real(family, function, context, initial, handle))

        hook = shape(caught)
        target = ctypes.cast(hook, ctypes.c_void_p).value
        jump = b"\x48\xb8" + struct.pack("<Q", target) + b"\xff\xe0"  # mov rax, target; jmp rax
        ctypes.memmove(address, jump, size)
        try:
            self.registration = netioapi.notify_route_change2(callback, AF_UNSPEC, **named)
        finally:
            ctypes.memmove(address, saved, size)
        assert self._function
        assert self._context
        self._start = kernel.VirtualAlloc(None, len(_CODE), COMMIT, EXECUTABLE)
        ctypes.memmove(self._start, _CODE, len(_CODE))

    def call(self, row: Any, type: int, *, threads: int = 1, times: int = 1) -> None:
        """Calls back on so many new threads at once; they have ended when this returns."""
        pointer = None if row is None else ctypes.cast(ctypes.byref(row), ctypes.c_void_p)
        given = [Given(self._function, self._context, pointer, type, times) for _ in range(threads)]
        started = [
            self._kernel.CreateThread(
                None, 0, self._start, ctypes.cast(ctypes.byref(one), ctypes.c_void_p), 0, None
            )
            for one in given
        ]
        for thread in started:
            assert thread
            assert self._kernel.WaitForSingleObject(thread, 30_000) == 0
            self._kernel.CloseHandle(thread)
