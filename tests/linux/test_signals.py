# SPDX-License-Identifier: MIT
"""A signal that comes just before a wait, or to another thread, ends the wait, too."""

from __future__ import annotations

import pytest

from tests.linux.namespace import Namespace
from tests.support import IS_IN, python

PROGRAM = """
import os, signal, sys, threading
import netioapi
{is_in}
# It gets the GIL when the reader lets it go: after all looks for signals, and before the wait.
def strike():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # for the main thread alone
    struck = 0
    while struck < %(times)d:
        if turn > struck and is_in("read"):
            struck = turn
            os.kill(os.getpid(), signal.SIGINT)

turn = 0
watcher = netioapi.Watcher("route")
thread = threading.Thread(target=strike)
thread.start()
for number in range(1, %(times)d + 1):
    try:
        note_calls()
        turn = number
        if watcher.read(timeout=20) is None:
            sys.exit(f"signal {number} was missed")
    except KeyboardInterrupt:
        pass
thread.join()
print("all seen", flush=True)
""".replace("{is_in}", IS_IN)


def test_ctrl_c_before_a_wait(netns: Namespace) -> None:
    python(PROGRAM % {"times": 200}, marker="all seen", timeout=50)


TO_ANOTHER = """
import signal, sys, threading
import netioapi
{is_in}
def strike():
    while not is_in("read"):
        pass
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

watcher = netioapi.Watcher("route", settle=%(settle)s)
threading.Thread(target=strike).start()
try:
    watcher.read()
except KeyboardInterrupt:
    print("seen", flush=True)
""".replace("{is_in}", IS_IN)


@pytest.mark.parametrize("settle", [0, 0.1])
def test_ctrl_c_that_another_thread_is_given(netns: Namespace, settle: float) -> None:
    python(TO_ANOTHER % {"settle": settle}, marker="seen", timeout=30)
