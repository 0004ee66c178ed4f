# SPDX-License-Identifier: MIT
"""The measured things: one row each."""

from __future__ import annotations

import sys
from dataclasses import dataclass

ROUTE_GROUPS = {4: 0x40, 6: 0x400}  # RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE
OURS_ASKS = 128 << 20  # bytes of receive buffer that netioapi asks for, and so the reference


@dataclass(frozen=True)
class Thing:
    """`command`: words with {family}, {count} and {phases}; the first names the program: `worker`
    is ours, what stands in benchmarks.build.PROGRAMS is compiled, anything else is on PATH."""

    name: str
    label: str
    command: str
    largest: int | None = None  # the most routes it is given: it is slow
    foreign: bool = False  # says nothing itself
    package: str = ""  # the folder of the netioapi that it imports; else the installed one

    @property
    def is_ours(self) -> bool:
        return self.command.startswith("worker ") and "pyroute2" not in self.command

    def argv(self, programs: dict[str, str], **numbers: int) -> list[str]:
        first, *rest = self.command.format(**numbers).split()
        if first == "worker":
            return [sys.executable, "-m", "benchmarks.worker", *rest]
        return [programs.get(first, first), *rest]


REFERENCE = "reference"  # everything is compared with it

# Read events that wait in their socket already.
STREAMS = (
    Thing(
        REFERENCE,
        "C: recvmmsg, parse",
        f"receive {{family}} {{count}} {{phases}} {OURS_ASKS} 0",
    ),
    Thing("columns", "Watcher, columns", "worker columns {family} {count} {phases}"),
    Thing("objects", "Watcher, objects, 3 numbers", "worker objects {family} {count} {phases}"),
    Thing(
        "addresses",
        "Watcher, objects, 2 of ipaddress",
        "worker addresses {family} {count} {phases}",
        largest=100_000,
    ),
    Thing(
        "callbacks",
        "callback, main thread idle",
        "worker callbacks {family} {count} {phases}",
    ),
    Thing(
        "callbacks-busy",
        "callback, main thread busy",
        "worker callbacks-busy {family} {count} {phases}",
    ),
    Thing(
        "ip-monitor",
        "ip monitor route",
        "ip -{family} monitor route",
        largest=100_000,
        foreign=True,
    ),
    Thing("pyroute2", "pyroute2", "worker pyroute2 {family} {count} {phases}", largest=10_000),
)

# Follow a storm while it goes on. Of `follow`: queue, receive buffer, ms a batch, hostility.
STORM = (
    Thing(REFERENCE, "C: recvmmsg, parse", f"receive {{family}} {{count}} 1 {OURS_ASKS} 0"),
    Thing("watcher", "Watcher, exact copy", "worker follow {family} 1000000 0 0 0"),
    Thing(
        "watcher-loop",
        "Watcher, 4 MiB, thread in pure Python",
        f"worker follow {{family}} 1000000 {4 << 20} 0 1",
    ),
    Thing(
        "watcher-hog",
        "Watcher, 4 MiB, GIL held in C for 0.3 s",
        f"worker follow {{family}} 1000000 {4 << 20} 0 2",
    ),
)
BURST = (Thing("watcher", "Watcher, exact copy", "worker follow {family} 1000000 0 0 0"),)
SLOW_QUEUE = 10_000
SLOW = (
    Thing("watcher", "Watcher, 10 ms a batch", f"worker follow {{family}} {SLOW_QUEUE} 0 10 0"),
)
DUMPS = (
    Thing(REFERENCE, "C: recv, parse", "dump {family}"),
    Thing("table", "get_ip_forward_table2()", "worker dump-table {family}"),
    Thing("mirror", "a Watcher's first reading", "worker dump-mirror {family}"),
    Thing("ip-route", "ip route show", "ip -{family} route show table all", foreign=True),
    Thing("pyroute2", "pyroute2", "worker dump-pyroute2 {family}", largest=10_000),
)
LATENCY = (
    Thing(REFERENCE, "C: recvmmsg, parse", f"receive {{family}} {{count}} 1 {OURS_ASKS} 1"),
    Thing("callback", "callback", "worker latency-callback {family} {count}"),
    Thing("watcher", "Watcher", "worker latency-watcher {family} {count}"),
)
IDLE = (
    Thing("sync", "Watcher, for", "worker idle-sync {family}"),
    Thing("async", "Watcher, async for", "worker idle-async {family}"),
)
IMPORT = (
    Thing("bare", "python -c pass", ""),
    Thing("netioapi", "python -c 'import netioapi'", ""),
)
