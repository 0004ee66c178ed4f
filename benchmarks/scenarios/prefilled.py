# SPDX-License-Identifier: MIT
"""Events that wait in the reader's socket before it may run: what reading them costs.

The reader is stopped, the routes are added, it goes on; and the same for their deletion. So
neither the producer nor waiting for it is in the figures, and each reader has the same events.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks import kernel
from benchmarks.bench import Bench
from benchmarks.child import Child
from benchmarks.problem import Problem, Unavailable
from benchmarks.stage import Stage
from benchmarks.things import ROUTE_GROUPS, Thing

VERBS = ("add", "del")
CHARGED = {4: 832, 6: 1280}  # bytes of a receive buffer for one event, whatever its length


def measure(bench: Bench, thing: Thing, family: int, routes: int) -> dict[str, Any]:
    stage = bench.stage(rights=True)
    routes = min(routes, thing.largest or routes)
    with bench.child(thing, stage, family=family, count=routes, phases=len(VERBS)) as child:
        if thing.foreign:
            child.wait_until_joined(ROUTE_GROUPS[family])
        else:
            child.expect("ready")
        _make_room(child, family, routes)
        phases = [_phase(stage, child, thing, verb, family, routes) for verb in VERBS]
        drops = sum(one.drops for one in kernel.netlink_sockets(child.pid))
        peak = kernel.peak_memory(child.pid)
    stage.dirty = False
    if drops or any(phase["overflows"] for phase in phases):
        raise Problem(f"{child} lost {drops} events: the receive buffer was too small")
    events = sum(phase["events"] for phase in phases)
    cpu, wall = (sum(phase[name] for phase in phases) for name in ("cpu_ns", "wall_ns"))
    return {
        "events": events,
        "ns_per_event": cpu / events,
        "events_per_s": events / wall * 1e9,
        "add_ns": phases[0]["cpu_ns"] / phases[0]["events"],
        "del_ns": phases[1]["cpu_ns"] / phases[1]["events"],
        "sleeps_per_event": sum(phase["slept"] for phase in phases) / events,
        "lost": drops,
        "peak_bytes": peak,
    }


def _make_room(child: Child, family: int, routes: int) -> None:
    room = kernel.enlarge_buffers(child.pid) // CHARGED[family]
    if room < routes:
        raise Unavailable(
            f"{routes:,} IPv{family} events do not fit into a receive buffer here, only {room:,} "
            "do: run as the machine's root, who alone may use SO_RCVBUFFORCE, or raise "
            f"net.core.rmem_max, or ask for fewer: --routes {room}"
        )


def _phase(
    stage: Stage, child: Child, thing: Thing, verb: str, family: int, routes: int
) -> dict[str, Any]:
    child.stop()
    stage.produce(verb, family, routes)
    cpu, main = kernel.cpu_ns(child.pid), kernel.main_thread_ns(child.pid)
    slept = _times_slept(child)
    began = time.monotonic_ns()
    child.resume()
    if thing.foreign:
        child.wait_until_drained()
        wall = time.monotonic_ns() - began
        cpu = kernel.cpu_ns(child.pid) - cpu
        slept = _times_slept(child) - slept
        return {
            "events": routes,
            "overflows": 0,
            "cpu_ns": cpu,
            "wall_ns": wall,
            "slept": slept,
        }
    done = child.expect("done")
    busy = done["main_ns"] - main if thing.name == "callbacks-busy" else 0
    slept = _times_slept(child) - slept
    if verb != VERBS[-1]:
        child.say("go on")
    return {
        "events": done["events"],
        "overflows": done["overflows"],
        "cpu_ns": done["cpu_ns"] - cpu - busy,
        "wall_ns": done["now_ns"] - began,
        "slept": slept,
    }


def _times_slept(child: Child) -> int:
    return sum(times for _, times in kernel.switches(child.pid).values())
