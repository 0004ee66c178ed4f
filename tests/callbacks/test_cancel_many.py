# SPDX-License-Identifier: MIT
"""The promises of cancel() for registrations that cancel each other, and for very many of them."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import random
import re
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import netioapi
from netioapi import DeadlockError, Registration
from tests.support.background import BackgroundCall
from tests.support.blocking_callback import blocked_registration, change
from tests.support.collector import Collector
from tests.support.network import Flood, Network
from tests.support.platforms import WINDOWS
from tests.support.resources import counts
from tests.support.waiting import eventually


def test_cancel_of_another_registration_in_a_callback_waits_for_it(netns: Network) -> None:
    netns.veth()
    blocking, other = blocked_registration(netns)
    done: list[bool] = []

    def cancel_other(*_: Any) -> None:
        if not done:
            other.cancel()
            done.append(blocking.returned)

    errors = Collector()
    with netioapi.notify_ip_interface_change(cancel_other, on_error=errors):
        netns.ip("link set v0 mtu 1400")
        eventually(lambda: not other.active)
        assert not done
        blocking.release.set()
        eventually(lambda: done)
    assert done == [True]
    assert not errors.events


@pytest.mark.parametrize("length", [2, 3, 5])
def test_circle_of_cancels_raises_one_deadlock_error(netns: Network, length: int) -> None:
    """Each callback cancels the next registration: one cancel is refused, and then all end."""
    netns.veth()
    inside = threading.Barrier(length)
    registrations: list[Registration] = []
    outcomes = Collector()

    def make(me: int) -> Callable[..., None]:
        def cancel_next(row: Any, type: Any) -> None:
            inside.wait(20)
            try:
                registrations[(me + 1) % length].cancel(30)
            except DeadlockError as error:
                outcomes(str(error))
            else:
                outcomes("cancelled")

        return cancel_next

    unexpected = Collector()
    for me in range(length):
        registrations.append(
            netioapi.notify_route_change2(make(me), socket.AF_INET, on_error=unexpected)
        )
    change(netns)
    ends = [outcome for (outcome,) in outcomes.wait_count(length, timeout=20)]
    assert ends.count("cancelled") == length - 1
    assert any("wait=False" in outcome for outcome in ends)
    for registration in registrations:
        registration.cancel(30)
    assert not unexpected.events


def test_long_wait_still_counts_in_a_circle_of_cancels(netns: Network) -> None:
    """The first wait lasts for more than one periodic check before the second would close the
    circle."""
    netns.veth()
    inside, refused = threading.Barrier(2), Collector()
    first: Registration
    second: Registration

    def cancel_second(row: Any, type: Any) -> None:
        inside.wait(60)
        second.cancel(60)

    def cancel_first(row: Any, type: Any) -> None:
        inside.wait(60)
        eventually(lambda: not second.active)
        before = sys.getswitchinterval()
        sys.setswitchinterval(5)  # the thread that checks then has to wait for the GIL
        try:
            end = time.monotonic() + 0.3
            while time.monotonic() < end:
                pass
            first.cancel(60)
        except DeadlockError:
            refused(first.active)
        finally:
            sys.setswitchinterval(before)

    first = netioapi.notify_route_change2(cancel_second, socket.AF_INET)
    second = netioapi.notify_route_change2(cancel_first, socket.AF_INET)
    change(netns)
    assert refused.wait_count(1) == [(True,)]
    first.cancel(60)


def test_two_callbacks_cancelling_a_third_are_no_circle(netns: Network) -> None:
    """Both callbacks cancel the same third registration."""
    netns.veth()
    blocking, third = blocked_registration(netns)
    outcomes = Collector()

    def cancel_third(*_: Any) -> None:
        third.cancel(30)
        outcomes("cancelled")

    first = netioapi.notify_ip_interface_change(cancel_third, on_error=outcomes)
    second = netioapi.notify_ip_interface_change(cancel_third, on_error=outcomes)
    netns.ip("link set v0 mtu 1400")
    eventually(lambda: not third.active)
    blocking.release.set()
    assert all(event == ("cancelled",) for event in outcomes.wait_count(2))
    first.cancel()
    second.cancel()


def resources() -> list[str]:
    """Threads by name, and descriptors by target. On Windows the registrations that the system
    holds, since threads and handles of its pool come and go: tests/windows/test_threads.py counts
    those."""
    if WINDOWS:
        return ["registration"] * counts()[0]
    found = [
        f"thread {Path(task, 'comm').read_text()}" for task in Path("/proc/self/task").iterdir()
    ]
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the descriptor of this listing
            found.append(re.sub(r"\d+", "N", os.readlink(f"/proc/self/fd/{descriptor}")))
    return sorted(found)


def mapped_kib() -> int:
    """Virtual memory in KiB: an ended thread that was never joined keeps its 8 MiB stack."""
    if WINDOWS:
        return 0
    (line,) = (
        line for line in Path("/proc/self/status").read_text().splitlines() if "VmSize" in line
    )
    return int(line.split()[1])


def test_thousand_registrations_of_four_threads_leave_nothing(netns: Network, seed: int) -> None:
    functions = [
        netioapi.notify_route_change2,
        netioapi.notify_unicast_ip_address_change,
        netioapi.notify_ip_interface_change,
    ]
    failures = Collector()
    index = netns.veth()
    netioapi.notify_route_change2(print).cancel()
    gc.collect()
    before, mapped = resources(), mapped_kib()
    made = [0] * 4

    def work(me: int) -> None:
        chance = random.Random(seed + me)
        with contextlib.ExitStack() as rest:
            for _ in range(250):
                over = [False]

                def look(*_: Any, over: list[bool] = over) -> None:
                    if over[0]:
                        failures("a callback after cancel() returned")

                registration = chance.choice(functions)(look, on_error=failures)
                made[me] += 1
                way = chance.randrange(5)
                if way == 0:
                    registration.cancel(wait=False)
                elif way == 1:
                    with contextlib.suppress(TimeoutError):
                        registration.cancel(0)
                    registration.cancel()
                    over[0] = True
                elif way == 2 and len(rest._exit_callbacks) < 10:  # type: ignore[attr-defined]
                    rest.enter_context(registration)
                else:
                    registration.cancel()
                    over[0] = True

    with Flood(index):
        workers = [BackgroundCall(functools.partial(work, me)) for me in range(4)]
        for worker in workers:
            worker.join(120)
            worker.result()
    assert sum(made) == 1000
    assert not failures.events
    # Joins the helper threads of the cancels without wait.
    netioapi.notify_route_change2(print).cancel()
    eventually(lambda: len(resources()) <= len(before), what=f"not {before}, but {resources()}")
    assert resources() == before
    assert mapped_kib() - mapped < 500 * 8192


def test_cancelled_registration_drops_its_references(netns: Network) -> None:
    with Flood(netns.veth()):
        seen, errors = Collector(), Collector()
        counts = sys.getrefcount(seen), sys.getrefcount(errors)
        for way in range(60):
            registration = netioapi.notify_route_change2(seen, on_error=errors)
            seen.wait_count(len(seen) + 1)
            registration.cancel(wait=way % 2 == 0)
            if way % 3 == 0:
                registration.cancel()
        del registration

        def unreferenced() -> bool:
            netioapi.notify_route_change2(print).cancel()
            return (sys.getrefcount(seen), sys.getrefcount(errors)) == counts

        eventually(unreferenced, what=f"references: {counts}")
