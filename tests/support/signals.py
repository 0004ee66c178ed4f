# SPDX-License-Identifier: MIT
"""Ctrl-C and other signals that a process sends to itself."""

from __future__ import annotations

import os
import signal

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
