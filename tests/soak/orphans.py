# SPDX-License-Identifier: MIT
"""Namespaces that come and die with registrations in them, and forks."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import time
from ipaddress import ip_network

import netioapi
from netioapi import NotificationType, Watcher
from tests.linux.namespace import Namespace, fresh_namespace

from .counters import Activity

LATE = 60.0  # seconds that an operation may take on a busy machine


def _read_until(watcher: Watcher, what: str, seen: set[object], want: set[object]) -> None:
    """`what` is the type of the changes whose destinations count."""
    deadline = time.monotonic() + LATE
    while not want <= seen:
        batch = watcher.read(timeout=max(deadline - time.monotonic(), 0))
        assert batch is not None, f"{len(want - seen)} of {len(want)} never came, as {what}"
        for change in batch:
            if change.type == NotificationType[what]:
                seen.add(change.row.destination_prefix)


def dying_namespaces(activity: Activity) -> None:
    """Two namespaces die: one deletes a link of the other, which dies with registrations and
    watchers in it."""
    while activity.pause(0.5):
        names = [f"198.18.7.{n}/32" for n in range(activity.random.randint(1, 99))]
        live: list[netioapi.Registration] = []
        with fresh_namespace() as netns, contextlib.ExitStack() as later:
            watcher = later.enter_context(Watcher("route", family=socket.AF_INET, queue=3))
            for _ in range(activity.random.randint(0, 3)):
                live.append(
                    netioapi.notify_route_change2(lambda *_: activity.counters.add("changes"))
                )
            activity.counters.add("registrations", len(live))
            netns.ip("link add v0 type veth peer name p0")
            other = Namespace()
            netns.ip(f"link set p0 netns {other.path}")
            netns.ip("link set v0 up")
            with other:
                other.ip("link set p0 up")
            netns.batch("\n".join(f"route add {name} dev v0" for name in names))
            seen: set[object] = set()
            want: set[object] = {ip_network(name) for name in names}
            _read_until(watcher, "ADD", seen, want)
            other.close()  # which deletes its end of the pair, and so ours
            seen.clear()
            _read_until(watcher, "DELETE", seen, want)
            activity.counters.add("changes", 2 * len(want))
            if activity.chance(0.5):
                later.pop_all()  # closed by garbage collection
        del watcher
        activity.counters.add("namespaces", 2)
        while live:
            live.pop(activity.random.randrange(len(live))).cancel()


def _child() -> None:
    called = threading.Event()
    with netioapi.notify_route_change2(lambda *_: called.set(), initial_notification=True):
        if not called.wait(LATE / 2):
            os._exit(1)
    with Watcher(snapshot=True) as watcher:
        while (batch := watcher.read(timeout=LATE / 2)) is not None:
            if batch.synced:
                os._exit(0)
    os._exit(2)


def forks(activity: Activity) -> None:
    while activity.pause(1):
        pid = os.fork()
        if pid == 0:
            try:
                _child()
            finally:
                os._exit(3)
        activity.counters.add("forks")
        deadline = time.monotonic() + LATE
        rest = threading.Event()
        while not (ended := os.waitpid(pid, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                os.kill(pid, signal.SIGABRT)
                os.waitpid(pid, 0)
                raise AssertionError("a forked child hung")
            rest.wait(0.01)
        code = os.waitstatus_to_exitcode(ended[1])
        assert code == 0, f"a forked child ended by {code}"
