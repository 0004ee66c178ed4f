# SPDX-License-Identifier: MIT
"""Ctrl-C and other signals of a process to itself."""

from __future__ import annotations

import os
import signal

from tests.support.platforms import WINDOWS

# What a process ends with by Ctrl-C that nobody handles: seen by its parent.
BY_CTRL_C = 0xC000013A if WINDOWS else -signal.SIGINT


def ctrl_c() -> None:
    """What Ctrl-C does to this process, from any thread."""
    if WINDOWS:  # os.kill() would end it there
        signal.raise_signal(signal.SIGINT)
    else:  # raise_signal() would interrupt the calling thread here, and not the main one
        os.kill(os.getpid(), signal.SIGINT)


def signal_statement(name: str) -> str:
    """The statement of a program that strikes itself with this signal, as ctrl_c() does."""
    if WINDOWS:
        return f"signal.raise_signal(signal.{name})"
    return f"os.kill(os.getpid(), signal.{name})"
