# SPDX-License-Identifier: MIT
"""Ctrl-C and other signals that a process sends to itself."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from netioapi import Watcher
from tests.support.platforms import WINDOWS

# The exit code, as its parent sees it, of a process that an unhandled Ctrl-C ended.
BY_CTRL_C = 0xC000013A if WINDOWS else -signal.SIGINT


def ctrl_c() -> None:
    """Sends Ctrl-C to this process, from any thread."""
    if WINDOWS:  # on Windows os.kill() would end the process
        signal.raise_signal(signal.SIGINT)
    else:  # raise_signal() would interrupt the calling thread in place of the main one
        os.kill(os.getpid(), signal.SIGINT)


def signal_statement(name: str) -> str:
    """A statement for a program: it sends the program this signal, as ctrl_c() does."""
    if WINDOWS:
        return f"signal.raise_signal(signal.{name})"
    return f"os.kill(os.getpid(), signal.{name})"


def read_with_signal(act: Callable[[], object], watcher: Watcher) -> object:
    """The result of a read() that a signal interrupts, whose handler calls `act`."""

    handled = threading.Event()

    def handler(*_: object) -> None:
        if not handled.is_set():
            handled.set()
            act()

    def interrupt_until_handled() -> None:
        # Repeated, since a signal just before the wait is handled before it begins.
        while not handled.wait(0.02):
            ctrl_c()

    before = signal.signal(signal.SIGINT, handler)
    interrupter = threading.Thread(target=interrupt_until_handled)
    try:
        interrupter.start()
        return watcher.read(timeout=30)
    finally:
        handled.set()
        interrupter.join()
        signal.signal(signal.SIGINT, before)
