# SPDX-License-Identifier: MIT
"""Ends the command as soon as the reader of its output ends: in `netioapi monitor | head -1` the
command would otherwise end only when it writes a second change."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def end_with_reader() -> Iterator[None]:
    """In the block, SIGPIPE comes as soon as the other end of standard output is closed."""
    try:
        output = sys.stdout.fileno()
    except (OSError, ValueError, AttributeError):
        output = -1
    if output < 0 or not hasattr(select, "poll") or not hasattr(signal, "SIGPIPE"):
        yield
        return
    wake_read, wake_write = os.pipe()
    watcher = threading.Thread(target=_watch, args=(output, wake_read), name="netioapi-pipe")
    watcher.start()
    try:
        yield
    finally:
        os.close(wake_write)
        watcher.join()
        os.close(wake_read)


def _watch(output: int, wake: int) -> None:
    poll = select.poll()
    poll.register(output, 0)  # errors and hang-ups are always reported
    poll.register(wake, 0)
    ready = dict(poll.poll())
    if output in ready and wake not in ready:
        os.kill(os.getpid(), signal.SIGPIPE)
