# SPDX-License-Identifier: MIT
"""The table of the benchmark: each scenario with its subjects and columns, and each target."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple

from benchmarks.bench import REFERENCE, Bench, Subject
from benchmarks.results import Target, above, median, share, to, to_size, worst
from benchmarks.scenarios import dumping, following, prefilled, quiet


class Column(NamedTuple):
    heading: str
    figure: str
    form: str = ",.0f"  # of format(), or "MB"


@contextlib.contextmanager
def _unchanged(bench: Bench, family: int, routes: int) -> Iterator[None]:
    yield


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    measure: Callable[[Bench, Subject, int, int], dict[str, Any]]
    subjects: tuple[Subject, ...]
    columns: tuple[Column, ...]
    families: tuple[int, ...] = (4,)
    all_sizes: bool = False  # else the largest alone
    runs_factor: int = 1
    around: Callable[[Bench, int, int], AbstractContextManager[None]] = _unchanged


MIDDLE, LARGE = 100_000, 1_000_000
BUFFER = 128 << 20  # bytes of receive buffer that netioapi asks for, and so the reference
STREAM = "{family} {count} {phases}"
CPU = "ns_per_event"
C_EVENTS = "C: recvmmsg, parse"
SPEED = (Column("ns/event", CPU), Column("events/s", "events_per_s"))
LOST, RESYNCS = Column("lost", "lost"), Column("resyncs", "resyncs")
EXACT, LATE = Column("exact", "exact", ",.0%"), Column("late s", "late_s", ",.2f")
PEAK = Column("peak MB", "peak_bytes", "MB")

# fmt: off
SCENARIOS = (
    Scenario(
        "prefilled", "Reading events that wait in the socket", prefilled.measure,
        (
            Subject(REFERENCE, C_EVENTS, f"receive {STREAM} {BUFFER} 0"),
            Subject("columns", "Watcher, columns", f"streams.columns {STREAM}"),
            Subject("objects", "Watcher, objects, 3 numbers", f"streams.objects {STREAM}"),
            Subject("addresses", "Watcher, objects, 2 of ipaddress", f"streams.addresses {STREAM}",
                    largest=MIDDLE),
            Subject("callbacks", "callback, main thread idle", f"callbacks.idle {STREAM}"),
            Subject("callbacks-busy", "callback, main thread busy", f"callbacks.busy {STREAM}"),
            Subject("ip-monitor", "ip monitor route", "ip -{family} monitor route",
                    largest=MIDDLE, foreign=True),
            Subject("pyroute2", "pyroute2", f"streams.pyroute2 {STREAM}", largest=10_000),
        ),
        (*SPEED, Column("add ns", "add_ns"), Column("del ns", "del_ns"),
         Column("sleeps", "sleeps_per_event", ",.3f"), LOST, PEAK),
        families=(4, 6), all_sizes=True,
    ),
    Scenario(
        "dump", "Reading the table", dumping.measure,
        (
            Subject(REFERENCE, "C: recv, parse", "dump {family}"),
            Subject("table", "get_ip_forward_table2()", "dumps.table {family}"),
            Subject("mirror", "a Watcher's first reading", "dumps.mirror {family}"),
            Subject("ip-route", "ip route show", "ip -{family} route show table all", foreign=True),
            Subject("pyroute2", "pyroute2", "dumps.pyroute2 {family}", largest=10_000),
        ),
        (*SPEED, Column("B/row peak", "peak_per_row"), Column("B/row kept", "kept_per_row")),
        families=(4, 6), all_sizes=True, around=dumping.filled,
    ),
    # The numbers of follow: queue, receive buffer, ms a batch, disturbance.
    Scenario(
        "storm", "Routes added at full speed", following.storm,
        (
            Subject(REFERENCE, C_EVENTS, f"receive {{family}} {{count}} 1 {BUFFER} 0"),
            Subject("watcher", "Watcher, exact copy", "follow.follow {family} 1000000 0 0 0"),
            Subject("watcher-loop", "Watcher, 4 MiB, thread in pure Python",
                    f"follow.follow {{family}} 1000000 {4 << 20} 0 1"),
            Subject("watcher-hog", "Watcher, 4 MiB, GIL held in C for 0.3 s",
                    f"follow.follow {{family}} 1000000 {4 << 20} 0 2"),
        ),
        (*SPEED, Column("made/s", "produced_per_s"), LOST, Column("overflows", "overflows"),
         RESYNCS, EXACT, PEAK),
    ),
    Scenario(
        "burst", "A link goes down", following.burst,
        (Subject("watcher", "Watcher, exact copy", "follow.follow {family} 1000000 0 0 0"),),
        (*SPEED, LOST, RESYNCS, EXACT, LATE, PEAK),
        families=(6,),
    ),
    Scenario(
        "slow", "A slow consumer", following.slow,
        (Subject("watcher", "Watcher, 10 ms a batch", "follow.follow {family} 10000 0 10 0"),),
        (Column("events", "events"), Column("keys", "keys"), Column("delivered", "changes"),
         Column("merged", "coalesced"), Column("most queued", "high_water"), LOST, EXACT,
         Column("grown MB", "grown_bytes", "MB"), LATE),
    ),
    Scenario(
        "latency", "One event a millisecond", quiet.latency,
        (
            Subject(REFERENCE, C_EVENTS, f"receive {{family}} {{count}} 1 {BUFFER} 1"),
            Subject("callback", "callback", "latency.callback {family} {count}"),
            Subject("watcher", "Watcher", "latency.watcher {family} {count}"),
        ),
        (Column("median us", "median_us", ",.1f"), Column("p99 us", "p99_us", ",.1f")),
    ),
    Scenario(
        "idle", "Nothing happens", quiet.idle,
        (
            Subject("sync", "Watcher, for", "idle.sync {family}"),
            Subject("async", "Watcher, async for", "idle.asynchronous {family}"),
        ),
        (Column("threads", "threads"), Column("wake-ups/s", "wakeups_per_s", ",.1f"),
         Column("CPU us", "cpu_us")),
    ),
    Scenario(
        "import", "Import", quiet.importing,
        (
            Subject("bare", "python -c pass", "pass"),
            Subject("netioapi", "python -c 'import netioapi'", "import netioapi"),
        ),
        (Column("ms", "ms", ",.1f"),),
        runs_factor=4,
    ),
)

STREAM_LIMITS = (
    ("columns", "Watcher, columns", 1.2),
    ("objects", "Watcher, objects, 3 numbers", 1.35),
    ("callbacks", "callbacks, main thread idle", 1.35),
    ("callbacks-busy", "callbacks, main thread busy", 1.6),
)
# What is promised; the scenario and the subject; family and size; what is measured; its limit.
TARGETS = [
    *(Target(f"{text}: CPU per event, to C", f"prefilled/{name}", 4, MIDDLE, to(REFERENCE, CPU),
             f"<= {most}")
      for name, text, most in STREAM_LIMITS),
    *(Target(f"{text}: at 1,000,000 routes, to 100,000", f"prefilled/{name}", 4, LARGE,
             to_size(MIDDLE, CPU), "<= 1.3")
      for name, text, _ in STREAM_LIMITS),
    Target("storm: exact, and each loss reported and repaired: part of runs", "storm/watcher",
           4, LARGE, share("exact", "reported"), ">= 1"),
    Target("storm: events/s end to end, to C", "storm/watcher",
           4, LARGE, to(REFERENCE, "events_per_s"), ">= 0.9"),
    Target("storm, 4 MiB, a thread in pure Python: lost, worst run", "storm/watcher-loop",
           4, LARGE, worst("lost"), "<= 0"),
    Target("storm, 4 MiB, GIL held in C: lost, worst run", "storm/watcher-hog",
           4, LARGE, worst("lost"), "<= 0"),
    Target("IPv6 link down: time until the copy is exact again, worst run", "burst/watcher",
           6, LARGE, worst("late_s"), "<= 3 s"),
    Target("pyroute2: CPU per event, to Watcher's columns", "prefilled/pyroute2",
           4, 10_000, to("columns", CPU), ">= 100"),
    Target("ip monitor: CPU per event, to Watcher's columns", "prefilled/ip-monitor",
           4, MIDDLE, to("columns", CPU), ">= 2.5"),
    Target("dump into a Table: CPU per route, to C", "dump/table",
           4, LARGE, to(REFERENCE, CPU), "<= 1.3"),
    Target("dump into a Table: peak memory a route", "dump/table",
           4, LARGE, median("peak_per_row"), "<= 140 B"),
    Target("the mirror: peak memory a route", "dump/mirror",
           4, LARGE, median("peak_per_row"), "<= 96 B"),
    Target("slow consumer: exact in the end: part of runs", "slow/watcher",
           4, LARGE, share("exact"), ">= 1"),
    Target("slow consumer: largest length of the queue, to its bound", "slow/watcher",
           4, LARGE, worst("high_water", per="bound"), "<= 1"),
    Target("latency of a callback: median, to C", "latency/callback",
           4, LARGE, to(REFERENCE, "median_us"), "<= 1.5"),
    Target("idle, for: wake-ups a second", "idle/sync", 4, LARGE, worst("wakeups_per_s"), "<= 0"),
    Target("idle, async for: wake-ups a second", "idle/async",
           4, LARGE, worst("wakeups_per_s"), "<= 0"),
    Target("import netioapi, above bare Python", "import/netioapi",
           4, LARGE, above("bare", "ms"), "<= 20 ms"),
]
# fmt: on
