# SPDX-License-Identifier: MIT
"""A signal that comes just before a wait ends it, too."""

from __future__ import annotations

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
