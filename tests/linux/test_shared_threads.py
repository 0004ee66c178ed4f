# SPDX-License-Identifier: MIT
"""Registrations of one namespace and one signal mask share threads: a thousand idle ones take two,
a slow callback has one of its own while it is slow, and none waits for another."""

from __future__ import annotations

import os
import random
import signal
import socket
import threading
from functools import partial
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import netioapi
from netioapi import NotificationType, Registration
from tests.linux.namespace import Namespace
from tests.linux.test_namespaces import threads_named, wait_for_route
from tests.support.background import BackgroundCall
from tests.support.blocking_callback import BlockingCallback
from tests.support.collector import Collector
from tests.support.waiting import TIMEOUT_S, eventually

IDLE = 2  # threads that are kept for the registrations of one kind


def nothing(*_: object) -> None:
    pass


def descriptors() -> list[str]:
    return [path for path in map(str, Path("/proc/self/fd").iterdir()) if os.path.lexists(path)]


def on_routes(callback: Any) -> Registration:
    return netioapi.notify_route_change2(callback, socket.AF_INET)


def test_thousand_idle_registrations_take_four_threads_and_sixteen_descriptors(
    netns: Namespace,
) -> None:
    threads, before = len(os.listdir("/proc/self/task")), len(descriptors())
    live = [on_routes(nothing) for _ in range(1000)]
    assert len(os.listdir("/proc/self/task")) <= threads + 3  # beside the one that registers
    assert len(descriptors()) <= before + 12
    for registration in live:
        registration.cancel()
    assert threads_named("netio-callback") == 0
    assert len(descriptors()) == before


def test_thousand_registrations_get_each_change(netns: Namespace) -> None:
    netns.veth()
    counts = [0] * 1000

    def count(number: int, *_: object) -> None:
        counts[number] += 1

    live = [on_routes(partial(count, number)) for number in range(1000)]
    for number in range(20):
        netns.ip(f"route add 198.18.{number}.0/24 dev v0")
    eventually(lambda: counts == [20] * 1000, what="changes that did not come")
    for registration in live:
        registration.cancel()


def test_slow_callback_delays_no_other_and_its_thread_ends(netns: Namespace) -> None:
    netns.veth()
    slow = [BlockingCallback() for _ in range(5)]
    quick = Collector()
    live = [on_routes(callback) for callback in (*slow, quick)]
    netns.ip("route add 198.18.0.0/24 dev v0")
    for callback in slow:  # each is called while the others block
        assert callback.entered.wait(TIMEOUT_S)
    wait_for_route(quick, ip_network("198.18.0.0/24"))
    assert threads_named("netio-callback") <= len(live) + 1
    netns.ip("route add 198.18.1.0/24 dev v0")
    wait_for_route(quick, ip_network("198.18.1.0/24"))
    for callback in slow:
        callback.release.set()
    eventually(lambda: threads_named("netio-callback") <= IDLE + 1, what="threads that stay")
    netns.ip("route add 198.18.2.0/24 dev v0")
    wait_for_route(quick, ip_network("198.18.2.0/24"))
    for registration in live:
        registration.cancel()
    assert threads_named("netio-callback") == 0


def test_callbacks_that_wait_for_each_other_are_all_called(netns: Namespace) -> None:
    netns.veth()
    together = threading.Barrier(30)
    passed = []

    def meet(*_: object) -> None:
        together.wait(TIMEOUT_S)
        passed.append(threading.get_ident())

    live = [on_routes(meet) for _ in range(together.parties)]
    netns.ip("route add 198.18.0.0/24 dev v0")
    eventually(lambda: len(passed) == together.parties, what="callbacks that met")
    assert len(set(passed)) == together.parties
    for registration in live:
        registration.cancel()


def test_changes_of_slow_and_quick_registrations_keep_their_order(
    netns: Namespace, seed: int
) -> None:
    """Callbacks that are slow now and then move between threads; the order stays."""
    netns.veth()
    chance = random.Random(seed)
    pause = threading.Event()
    seen: list[list[tuple[object, NotificationType]]] = [[] for _ in range(8)]
    inside = [0] * len(seen)
    wrong: list[object] = []

    def note(number: int, row: Any, type: NotificationType) -> None:
        inside[number] += 1
        if inside[number] != 1:
            wrong.append(number)
        seen[number].append((row.destination_prefix, type))
        if chance.random() < 0.02:
            pause.wait(0.03)
        inside[number] -= 1

    live = [on_routes(partial(note, number)) for number in range(len(seen))]
    lines = []
    for number in range(400):
        lines.append(f"route add 198.18.{number % 250}.{number // 250}/32 dev v0")
        lines.append(f"route del 198.18.{number % 250}.{number // 250}/32 dev v0")
    netns.batch("\n".join(lines))
    eventually(lambda: min(map(len, seen)) >= len(lines), what=f"{list(map(len, seen))}")
    for registration in live:
        registration.cancel()
    assert not wrong
    for events in seen:
        assert events == seen[0]
    assert [type.name for _, type in seen[0]] == ["ADD", "DELETE"] * 400


def test_callback_runs_in_the_namespace_of_its_registration(
    netns: Namespace, other_netns: Namespace
) -> None:
    seen: dict[str, int] = {}

    def note(name: str, *_: object) -> None:
        seen[name] = os.stat("/proc/thread-self/ns/net").st_ino

    live, wanted = [], {}
    for name, space in (("one", netns), ("other", other_netns)):
        with space:
            space.veth()
            live.append(on_routes(partial(note, name)))
            wanted[name] = os.stat("/proc/thread-self/ns/net").st_ino
            space.ip("route add 198.18.0.0/24 dev v0")
    eventually(lambda: seen == wanted, what=f"{seen} for {wanted}")
    for registration in live:
        registration.cancel()


def test_callback_has_the_signal_mask_of_its_registration(netns: Namespace) -> None:
    netns.veth()
    masks: dict[int, set[signal.Signals | int]] = {}

    def note(number: int, *_: object) -> None:
        masks[number] = signal.pthread_sigmask(signal.SIG_BLOCK, [])

    live = []
    wanted: dict[int, set[signal.Signals | int]] = {}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    try:
        for number in range(6):
            blocked = {signal.SIGUSR1, signal.SIGRTMIN + 3} if number % 2 else {signal.SIGUSR2}
            signal.pthread_sigmask(signal.SIG_SETMASK, before | blocked)
            live.append(on_routes(partial(note, number)))
            wanted[number] = before | blocked
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    netns.ip("route add 198.18.0.0/24 dev v0")
    eventually(lambda: masks == wanted, what=f"{masks}")
    assert threads_named("netio-callback") <= 2 * (IDLE + 1)
    for registration in live:
        registration.cancel()


def test_callback_cancels_the_others_that_share_its_thread(netns: Namespace) -> None:
    netns.veth()
    others: list[Registration] = []
    done = threading.Event()

    def cancel_all(*_: object) -> None:
        for registration in others:
            registration.cancel()
        done.set()

    with on_routes(cancel_all):
        others += [on_routes(nothing) for _ in range(20)]
        netns.ip("route add 198.18.0.0/24 dev v0")
        assert done.wait(TIMEOUT_S)
        assert not any(registration.active for registration in others)


def test_cancel_waits_for_the_callback_alone_that_it_ends(netns: Namespace) -> None:
    """A registration beside a blocked one is cancelled at once."""
    netns.veth()
    slow = BlockingCallback()
    with on_routes(slow):
        netns.ip("route add 198.18.0.0/24 dev v0")
        assert slow.entered.wait(TIMEOUT_S)
        for _ in range(20):
            on_routes(nothing).cancel()
        slow.release.set()


def test_last_cancel_waits_for_all_threads_while_others_register(netns: Namespace) -> None:
    """Pools end and begin while threads register and cancel: nothing hangs, nothing is left."""
    netns.veth()

    def churn() -> None:
        for number in range(50):
            with netns, on_routes(nothing):
                if number % 10 == 0:
                    netns.ip(f"route replace 198.18.{number}.0/24 dev v0")

    calls = [BackgroundCall(churn) for _ in range(4)]
    for call in calls:
        call.result()
    assert threads_named("netio-callback") == 0
