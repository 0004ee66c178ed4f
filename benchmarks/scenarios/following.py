# SPDX-License-Identifier: MIT
"""Changes at full speed while the reader runs, with the rights that everybody has: is what it
knows in the end what the kernel has, and when?"""

from __future__ import annotations

import time
from typing import Any

from benchmarks import kernel
from benchmarks.bench import Bench
from benchmarks.child import Child
from benchmarks.stage import Stage
from benchmarks.things import REFERENCE, SLOW_QUEUE, Thing

CHURN_ROUNDS = 101  # odd: the routes are there in the end


def _drops(child: Child) -> int:
    return sum(one.drops for one in kernel.netlink_sockets(child.pid))


def _figures(child: Child, said: dict[str, Any]) -> dict[str, Any]:
    """What a follower said when it was exact."""
    return {
        "exact": True,
        "changes": said["changes"],
        "batches": said["batches"],
        "overflows": said["overflows"],
        "syncs": said["syncs"],
        "resyncs": said["stats"]["resyncs"],
        "coalesced": said["stats"]["coalesced"],
        "high_water": said["stats"]["queue_high_water"],
        "lost": _drops(child),
        # Each loss that the kernel counted was told and repaired.
        "told": (said["overflows"] > 0 and said["syncs"] > 0) or _drops(child) == 0,
        "grown_bytes": said["grown"],
        "peak_bytes": kernel.peak_memory(child.pid),
    }


def storm(bench: Bench, thing: Thing, family: int, routes: int) -> dict[str, Any]:
    """All routes added at full speed."""
    stage = bench.stage()
    with bench.child(thing, stage, family=family, count=routes) as child:
        granted = child.expect("ready").get("granted", 0)
        before = kernel.cpu_ns(child.pid)
        made = stage.produce("add", family, routes)
        if thing.name == REFERENCE:
            done = child.expect("done")
            events, end = done["events"], done["now_ns"]
            figures = {"lost": _drops(child), "overflows": done["overflows"]}
            figures["peak_bytes"] = kernel.peak_memory(child.pid)
        else:
            child.say("compare")
            done = child.expect("exact")
            events, end = routes, done["exact_ns"]
            figures = _figures(child, done)
    stage.produce("del", family, routes)
    stage.dirty = False
    return {
        "events": events,
        "events_per_s": events / (end - made["began_ns"]) * 1e9,
        "produced_per_s": routes / (made["ended_ns"] - made["began_ns"]) * 1e9,
        "ns_per_event": (done["cpu_ns"] - before) / events,
        "granted_bytes": granted,
        **figures,
    }


def burst(bench: Bench, thing: Thing, family: int, routes: int) -> dict[str, Any]:
    """The kernel's own: a link goes down, and with it every IPv6 route through it."""
    stage = bench.stage()
    stage.produce("add", family, routes)
    with bench.child(thing, stage, family=family, count=routes) as child:
        child.expect("ready")
        before = kernel.cpu_ns(child.pid)
        began = time.monotonic_ns()
        stage.ip("link set v0 down")
        ended = time.monotonic_ns()
        child.say("compare")
        done = child.expect("exact")
        figures = _figures(child, done)
    _up_again(stage)
    stage.dirty = False
    return {
        "events": routes,
        "events_per_s": routes / (done["exact_ns"] - began) * 1e9,
        "produced_per_s": routes / (ended - began) * 1e9,
        "ns_per_event": (done["cpu_ns"] - before) / routes,
        "late_s": max(0.0, (done["exact_ns"] - ended) / 1e9),
        **figures,
    }


def _up_again(stage: Stage) -> None:
    stage.ip("link set v0 up")
    stage.lay()


def slow(bench: Bench, thing: Thing, family: int, routes: int) -> dict[str, Any]:
    """Few keys that change all the time, and a reader that takes its time with each batch."""
    keys = max(1, routes // 100)
    stage = bench.stage()
    with bench.child(thing, stage, family=family, count=keys) as child:
        child.expect("ready")
        made = stage.produce("add", family, keys, rounds=CHURN_ROUNDS)
        child.say("compare")
        done = child.expect("exact")
        figures = _figures(child, done)
    stage.produce("del", family, keys)
    stage.dirty = False
    events = keys * CHURN_ROUNDS
    return {
        "events": events,
        "keys": keys,
        "bound": SLOW_QUEUE + keys,
        "late_s": (done["exact_ns"] - made["ended_ns"]) / 1e9,
        "produced_per_s": events / (made["ended_ns"] - made["began_ns"]) * 1e9,
        **figures,
    }
