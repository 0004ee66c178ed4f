# SPDX-License-Identifier: MIT
"""Changes at full speed while the reader runs, without any privilege: is its copy in the end equal
to the kernel's table, and when?"""

from __future__ import annotations

import time
from typing import Any

from benchmarks import kernel
from benchmarks.bench import REFERENCE, Bench, Subject
from benchmarks.process import Process

CHURN_ROUNDS = 101  # odd: the routes are there in the end


def _copy_figures(process: Process, done: dict[str, Any]) -> dict[str, Any]:
    """Of a follower that reported that its copy is exact."""
    lost = process.drops
    return {
        "exact": True,
        "changes": done["changes"],
        "batches": done["batches"],
        "overflows": done["overflows"],
        "syncs": done["syncs"],
        "resyncs": done["stats"]["resyncs"],
        "coalesced": done["stats"]["coalesced"],
        "high_water": done["stats"]["queue_high_water"],
        "lost": lost,
        # Each loss that the kernel counted was reported and repaired.
        "reported": (done["overflows"] > 0 and done["syncs"] > 0) or lost == 0,
        "grown_bytes": done["grown"],
        "peak_bytes": kernel.peak_memory(process.pid),
    }


def storm(bench: Bench, subject: Subject, family: int, routes: int) -> dict[str, Any]:
    """All routes added at full speed."""
    with (
        bench.changing() as namespace,
        bench.start(subject, namespace, family=family, count=routes) as process,
    ):
        granted = process.expect("ready").get("granted", 0)
        before = kernel.cpu_ns(process.pid)
        made = namespace.produce("add", family, routes)
        if subject.name == REFERENCE:
            done = process.expect("done")
            events, end = done["events"], done["now_ns"]
            figures = {"lost": process.drops, "overflows": done["overflows"]}
            figures["peak_bytes"] = kernel.peak_memory(process.pid)
        else:
            process.send("compare")
            done = process.expect("exact")
            events, end = routes, done["exact_ns"]
            figures = _copy_figures(process, done)
        namespace.produce("del", family, routes)
    return {
        "events": events,
        "events_per_s": events / (end - made["began_ns"]) * 1e9,
        "produced_per_s": routes / (made["ended_ns"] - made["began_ns"]) * 1e9,
        "ns_per_event": (done["cpu_ns"] - before) / events,
        "granted_bytes": granted,
        **figures,
    }


def burst(bench: Bench, subject: Subject, family: int, routes: int) -> dict[str, Any]:
    """The kernel's own burst: a link goes down, and with it every IPv6 route through it."""
    with bench.changing() as namespace:
        namespace.produce("add", family, routes)
        with bench.start(subject, namespace, family=family, count=routes) as process:
            process.expect("ready")
            before = kernel.cpu_ns(process.pid)
            began = time.monotonic_ns()
            namespace.ip("link set v0 down")
            ended = time.monotonic_ns()
            process.send("compare")
            done = process.expect("exact")
            figures = _copy_figures(process, done)
        namespace.ip("link set v0 up")
        namespace.add_addresses()
    return {
        "events": routes,
        "events_per_s": routes / (done["exact_ns"] - began) * 1e9,
        "produced_per_s": routes / (ended - began) * 1e9,
        "ns_per_event": (done["cpu_ns"] - before) / routes,
        "late_s": max(0.0, (done["exact_ns"] - ended) / 1e9),
        **figures,
    }


def slow(bench: Bench, subject: Subject, family: int, routes: int) -> dict[str, Any]:
    """Few keys that change all the time, and a reader that sleeps after each batch."""
    keys = max(1, routes // 100)
    with bench.changing() as namespace:
        with bench.start(subject, namespace, family=family, count=keys) as process:
            process.expect("ready")
            made = namespace.produce("add", family, keys, rounds=CHURN_ROUNDS)
            process.send("compare")
            done = process.expect("exact")
            figures = _copy_figures(process, done)
        namespace.produce("del", family, keys)
    events = keys * CHURN_ROUNDS
    return {
        "events": events,
        "keys": keys,
        "bound": done["queue"] + keys,
        "late_s": (done["exact_ns"] - made["ended_ns"]) / 1e9,
        "produced_per_s": events / (made["ended_ns"] - made["began_ns"]) * 1e9,
        **figures,
    }
