# SPDX-License-Identifier: MIT
"""Events that wait in the reader's socket before it may run: the cost of reading them.

The reader is stopped, the routes are added, the reader goes on; then the same for their deletion.
So neither the producer nor the wait for it is in the figures, and each reader has the same events.
"""

from __future__ import annotations

import time
from typing import Any

from benchmarks import kernel
from benchmarks.bench import Bench, Subject
from benchmarks.namespace import Namespace
from benchmarks.process import Problem, Process, Unavailable
from benchmarks.programs.protocol import ROUTE_GROUPS

VERBS = ("add", "del")
CHARGED = {4: 832, 6: 1280}  # bytes of a receive buffer for one event, whatever its length


def measure(bench: Bench, subject: Subject, family: int, routes: int) -> dict[str, Any]:
    with (
        bench.changing(privileged=True) as namespace,
        bench.start(subject, namespace, family=family, count=routes, phases=len(VERBS)) as process,
    ):
        if subject.foreign:
            process.wait_until_joined(ROUTE_GROUPS[family])
        else:
            process.expect("ready")
        _make_room(process, family, routes)
        phases = [_phase(namespace, process, subject, verb, family, routes) for verb in VERBS]
        drops = process.drops
        peak = kernel.peak_memory(process.pid)
    if drops or any(phase["overflows"] for phase in phases):
        raise Problem(f"{process} lost {drops} events: the receive buffer was too small")
    total = {name: sum(phase[name] for phase in phases) for name in phases[0]}
    return {
        "events": total["events"],
        "ns_per_event": total["cpu_ns"] / total["events"],
        "events_per_s": total["events"] / total["wall_ns"] * 1e9,
        "add_ns": phases[0]["cpu_ns"] / phases[0]["events"],
        "del_ns": phases[1]["cpu_ns"] / phases[1]["events"],
        "sleeps_per_event": total["slept"] / total["events"],
        "lost": drops,
        "peak_bytes": peak,
    }


def _make_room(process: Process, family: int, routes: int) -> None:
    room = kernel.enlarge_buffers(process.pid) // CHARGED[family]
    if room < routes:
        raise Unavailable(
            f"{routes:,} IPv{family} events do not fit into a receive buffer here, only {room:,} "
            "do: run as the machine's root, because SO_RCVBUFFORCE needs it, or raise "
            f"net.core.rmem_max, or ask for fewer: --routes {room}"
        )


def _phase(
    namespace: Namespace, process: Process, subject: Subject, verb: str, family: int, routes: int
) -> dict[str, Any]:
    process.stop()
    namespace.produce(verb, family, routes)
    cpu, main = kernel.cpu_ns(process.pid), kernel.main_thread_ns(process.pid)
    slept = _times_slept(process)
    began = time.monotonic_ns()
    process.resume()
    if subject.foreign:
        process.wait_until_drained()
        done = {"now_ns": time.monotonic_ns(), "cpu_ns": kernel.cpu_ns(process.pid)}
        done |= {"events": routes, "overflows": 0}
    else:
        done = process.expect("done")
    slept = _times_slept(process) - slept
    if not subject.foreign and verb != VERBS[-1]:
        process.send("go on")
    busy = done["main_ns"] - main if subject.name == "callbacks-busy" else 0
    return {
        "events": done["events"],
        "overflows": done["overflows"],
        "cpu_ns": done["cpu_ns"] - cpu - busy,
        "wall_ns": done["now_ns"] - began,
        "slept": slept,
    }


def _times_slept(process: Process) -> int:
    return sum(times for _, times in kernel.switches(process.pid).values())
