# SPDX-License-Identifier: MIT
"""A hundred ends of a program on Windows under a flood on several threads of the system, with live
registrations and Watchers: each way has the right exit code, and prints no error but its own."""

from __future__ import annotations

import dataclasses
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.support.network import Network
from tests.windows.flood import Flood
from tests.windows.support import script

FEW, TIMES = 4, 20  # for each of five ways
AT_ONCE = 4
CONTROL_C = 0xC000013A  # STATUS_CONTROL_C_EXIT

LIVE = """
import atexit, os, signal, threading, time
import netioapi
from tests.windows import dll

dll.configure(dll.Setting.OVERLAP, int(sys.argv[1]) % 2)
dll.configure(dll.Setting.SYNCHRONOUS_INITIAL, int(sys.argv[1]) // 2 % 2)
busy, count = threading.Event(), 0

def seen(*arguments):
    global count
    count += 1
    if count == 50:
        busy.set()

live = [
    netioapi.notify_route_change2(seen, initial_notification=True),
    netioapi.notify_route_change2(seen, details=False),
    netioapi.notify_unicast_ip_address_change(seen),
    netioapi.notify_ip_interface_change(seen, initial_notification=True),
    netioapi.notify_network_connectivity_hint_change(seen, initial_notification=True),
    netioapi.notify_teredo_port_change(seen, initial_notification=True),
    netioapi.Watcher(snapshot=True),
    netioapi.Watcher("route"),
]
netioapi.notify_route_change2(seen)  # without a reference
live.append(live)  # a reference cycle
threading.Thread(target=live[7].read, daemon=True).start()
assert busy.wait(20)
live[7].read(timeout=60)
print("busy", flush=True)
"""


@dataclasses.dataclass(frozen=True)
class End:
    how: str
    code: int = 0
    errors: str = ""  # the end of the errors


ENDS = {
    "return": End(""),
    "sys.exit": End("sys.exit(3)", 3),
    "exception": End("raise LookupError('the end')", 1, "LookupError: the end\n"),
    "os._exit": End("os._exit(5)", 5),
    "ctrl-c": End(
        "signal.raise_signal(signal.SIGINT); threading.Event().wait()",
        CONTROL_C,
        "KeyboardInterrupt\n",
    ),
}
# Each runs a few times.
ODD_ENDS = {
    "ctrl-c in a read": End(
        """
quiet = netioapi.Watcher("route", prefixes=["192.0.2.0/24"])
threading.Timer(0.2, signal.raise_signal, [signal.SIGINT]).start()
quiet.read()
""",
        CONTROL_C,
        "KeyboardInterrupt\n",
    ),
    "ctrl-c by a callback": End(
        """
interrupted = threading.Lock()
def interrupt(*_):
    if interrupted.acquire(False):
        signal.raise_signal(signal.SIGINT)
try:
    netioapi.notify_route_change2(interrupt)
    time.sleep(20)
except KeyboardInterrupt:
    sys.exit(6)
""",
        6,
    ),
    "os._exit by a callback": End(
        "netioapi.notify_route_change2(lambda *_: os._exit(7)); threading.Event().wait(20)", 7
    ),
    "TerminateProcess": End("os.kill(os.getpid(), signal.SIGTERM)", signal.SIGTERM),
    "while another thread cancels": End("""
def churn():
    while True:
        try:
            netioapi.notify_route_change2(seen).cancel()
        except RuntimeError:
            return
for _ in range(4):
    threading.Thread(target=churn, daemon=True).start()
live[0].cancel()
"""),
    "while Watchers come and go": End("""
def churn():
    while True:
        try:
            with netioapi.Watcher(snapshot=True) as watcher:
                watcher.read(timeout=0.01)
        except (RuntimeError, ValueError):
            return
for _ in range(3):
    threading.Thread(target=churn, daemon=True).start()
live[0].cancel()
"""),
    "with callbacks that take long": End("""
netioapi.notify_route_change2(lambda *_: threading.Event().wait(0.2))
threading.Event().wait(0.1)
"""),
    "with a table that is pending": End("""
table, pending = netioapi.notify_stable_unicast_ip_address_table(seen)
assert (table is None) != (pending is None)
"""),
    "within its own last hook": End("""
atexit.register(lambda: [netioapi.notify_route_change2(seen) for _ in range(5)])
"""),
}


@pytest.fixture
def flood(netns: Network) -> Iterator[None]:
    with Flood(netns.veth(), pause=0, threads=2):
        yield


def run_all(end: End, times: int) -> None:
    def run(number: int) -> str:
        done = script(LIVE + end.how, str(number), marker="busy", code=end.code, timeout=60)
        return done.stderr

    with ThreadPoolExecutor(AT_ONCE) as pool:
        for errors in pool.map(run, range(times)):
            if end.errors:
                assert errors.startswith("Traceback (most recent call last):\n")
                assert errors.endswith(end.errors)
                assert errors.count("Traceback") == 1
            else:
                assert errors == ""


@pytest.mark.timeout(200)
@pytest.mark.parametrize("times", [FEW, pytest.param(TIMES, marks=pytest.mark.slow)])
@pytest.mark.parametrize("end", ENDS)
def test_exit_under_a_flood_is_clean(flood: None, end: str, times: int) -> None:
    run_all(ENDS[end], times)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("end", ODD_ENDS)
def test_unusual_exit_under_a_flood_is_clean(flood: None, end: str) -> None:
    run_all(ODD_ENDS[end], 4)
