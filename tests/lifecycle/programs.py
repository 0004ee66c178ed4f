# SPDX-License-Identifier: MIT
"""The head of a program with live registrations and a live Watcher; several runs of it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.support.processes import python

AT_ONCE = 4
LIVE = """
import atexit, itertools, os, signal, sys, threading, time
import netioapi

busy = threading.Event()
count, numbers = 0, itertools.count(1)

def seen(*arguments):
    global count
    count = number = next(numbers)  # each number for one callback, also without a GIL
    if number == 50:
        busy.set()

live = [
    netioapi.notify_route_change2(seen),
    netioapi.notify_unicast_ip_address_change(seen),
    netioapi.notify_ip_interface_change(seen, initial_notification=True),
    netioapi.notify_network_connectivity_hint_change(seen),
    netioapi.notify_teredo_port_change(seen),
]
netioapi.notify_route_change2(seen)  # without a reference
watcher = netioapi.Watcher("route", snapshot=True)
live.append(live)  # a reference cycle

assert busy.wait(20)
print("busy", flush=True)
"""


def run_all(times: int, program: str, code: int, errors: str, timeout: float = 60) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for done in pool.map(
            lambda _: python(program, marker="busy", code=code, timeout=timeout), range(times)
        ):
            if errors:
                assert errors in done.stderr
            else:
                assert done.stderr == ""
