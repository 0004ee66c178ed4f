# SPDX-License-Identifier: MIT
"""A signal that arrives just before a wait, or in another thread, ends the wait, too."""

from __future__ import annotations

import subprocess

import pytest

import netioapi
from tests.linux.namespace import Namespace
from tests.support.call_stack import TRACK_CALLS
from tests.support.collector import Collector
from tests.support.processes import python

PROGRAM = """
import os, signal, sys, threading
import netioapi
{is_in}
# This thread gets the GIL when the reader releases it: after every check, just before the wait.
def interrupt():
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # so that the main thread gets it
    interrupted = 0
    while interrupted < %(times)d:
        if turn > interrupted and is_in("read"):
            interrupted = turn
            os.kill(os.getpid(), signal.SIGINT)

turn = 0
watcher = netioapi.Watcher("route")
thread = threading.Thread(target=interrupt)
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
""".replace("{is_in}", TRACK_CALLS)


def test_ctrl_c_just_before_a_wait_ends_it(netns: Namespace) -> None:
    python(PROGRAM % {"times": 200}, marker="all seen", timeout=50)


TO_ANOTHER = """
import signal, socket, subprocess, sys, threading
import netioapi
{is_in}
def interrupt():
    while not is_in("patiently"):
        pass
    signal.pthread_kill(threading.get_ident(), signal.SIGINT)

def patiently():
    waits.%(method)s()

def hold(row, type):
    entered.set()
    leave.wait()

entered, leave = threading.Event(), threading.Event()
%(made)s
threading.Thread(target=interrupt).start()
try:
    patiently()
except KeyboardInterrupt:
    print("seen", flush=True)
leave.set()
""".replace("{is_in}", TRACK_CALLS)
IN_CALLBACK = """
waits = netioapi.notify_route_change2(hold, socket.AF_INET)
subprocess.run("ip link set lo up; ip route add 198.18.0.0/24 dev lo", shell=True, check=True)
entered.wait()
"""


@pytest.mark.parametrize(
    ("made", "method"),
    [
        pytest.param("waits = netioapi.Watcher('route')", "read", id="read"),
        pytest.param("waits = netioapi.Watcher('route', settle=0.1)", "read", id="settled read"),
        pytest.param(IN_CALLBACK, "cancel", id="cancel"),
    ],
)
def test_ctrl_c_delivered_to_another_thread_ends_the_wait(
    netns: Namespace, made: str, method: str
) -> None:
    python(TO_ANOTHER % {"made": made, "method": method}, marker="seen", timeout=30)


def test_process_started_in_a_callback_has_no_blocked_signals(netns: Namespace) -> None:
    netns.veth()
    seen = Collector()

    def start(row: object, type: object) -> None:
        command = ["grep", "SigBlk", "/proc/self/status"]
        seen(subprocess.run(command, capture_output=True, text=True).stdout.split()[1])

    with netioapi.notify_route_change2(start):
        netns.ip("route add 198.18.0.0/24 dev v0")
        assert int(seen.wait_count(1)[0][0], 16) == 0
