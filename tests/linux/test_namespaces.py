# SPDX-License-Identifier: MIT
"""Several network namespaces in one process: a registration or query belongs to the namespace of
its thread."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from functools import partial
from ipaddress import ip_network
from pathlib import Path

import netioapi
from netioapi import NotificationType, Watcher
from tests.linux.namespace import Namespace, fresh_namespace
from tests.support.collector import Collector
from tests.support.waiting import eventually


def threads_named(name: str) -> int:
    names = []
    for task in Path("/proc/self/task").iterdir():
        try:
            names.append((task / "comm").read_text().strip())
        except OSError:
            continue  # it ended meanwhile
    return names.count(name)


def wait_for_route(collector: Collector, prefix: object) -> None:
    collector.wait_any(lambda row, _: row.destination_prefix == prefix)


def in_thread(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_each_namespace_has_its_own_engine_and_changes(
    netns: Namespace, other_netns: Namespace
) -> None:
    """Both have a link with the same name and index, and each is changed in another way."""
    before = threads_named("netio-reader")
    spaces = [netns, other_netns]
    collectors: list[Collector] = [Collector(), Collector()]
    watchers: list[Watcher] = []
    live: list[netioapi.Registration] = []
    for space, collector in zip(spaces, collectors, strict=True):
        with space:
            space.ip("link set lo up")
            space.veth()
            live.append(netioapi.notify_route_change2(collector, socket.AF_INET))
            live.append(netioapi.notify_ip_interface_change(lambda *_: None))
            watchers.append(Watcher("route", family=socket.AF_INET))
    assert threads_named("netio-reader") == before + 2
    # The registering thread is elsewhere now; its registrations stay in their namespaces.
    for number, space in enumerate(spaces):
        with space:
            space.ip(f"route add 198.18.{number}.0/24 dev v0")
    prefixes = [ip_network(f"198.18.{number}.0/24") for number in range(2)]
    for number, (collector, watcher) in enumerate(zip(collectors, watchers, strict=True)):
        wait_for_route(collector, prefixes[number])
        batch = watcher.read(timeout=60)
        assert batch is not None
        seen = {row.destination_prefix for row, _ in collector.events}
        seen |= {change.row.destination_prefix for change in batch if change.row}
        assert prefixes[number] in seen
        assert prefixes[1 - number] not in seen
        with spaces[number]:
            assert prefixes[number] in {
                row.destination_prefix for row in netioapi.get_ip_forward_table2(socket.AF_INET)
            }
    for watcher in watchers:
        watcher.close()
    for registration in live:
        registration.cancel()
    assert threads_named("netio-reader") == before


def test_thread_in_its_own_namespace_gets_its_changes_alone(netns: Namespace) -> None:
    """Each thread makes a namespace, registers, changes it, gets its own change alone, and
    leaves."""
    wrong: list[object] = []

    def live(number: int) -> None:
        try:
            for turn in range(5):
                with fresh_namespace() as space:
                    space.veth()
                    mine = ip_network(f"198.18.{number}.{turn}/32")
                    collector = Collector()
                    with netioapi.notify_route_change2(collector, socket.AF_INET):
                        space.ip(f"route add {mine} dev v0")
                        wait_for_route(collector, mine)
                    wrong.extend(
                        (mine, row, type_)
                        for row, type_ in collector.events
                        if (row.destination_prefix, type_) != (mine, NotificationType.ADD)
                    )
        except BaseException as error:
            wrong.append(error)

    threads = [in_thread(partial(live, number)) for number in range(4)]
    for thread in threads:
        thread.join(50)
        assert not thread.is_alive()
    assert not wrong


def test_engine_restart_under_churn_loses_no_change(netns: Namespace) -> None:
    """The last registration ends the engine while the next one starts one: no change is lost."""
    netns.veth()
    before, descriptors = threads_named("netio-reader"), len(os.listdir("/proc/self/fd"))
    wrong: list[object] = []

    def churn(number: int) -> None:
        try:
            with netns:
                for turn in range(25):
                    collector = Collector()
                    mine = ip_network(f"198.18.{number}.{turn}/32")
                    with netioapi.notify_route_change2(collector, socket.AF_INET):
                        netns.ip(f"route add {mine} dev v0")
                        wait_for_route(collector, mine)
        except BaseException as error:
            wrong.append(error)

    threads = [in_thread(partial(churn, number)) for number in range(3)]
    for thread in threads:
        thread.join(50)
        assert not thread.is_alive()
    assert not wrong
    eventually(lambda: threads_named("netio-reader") == before, what="a reader was left")
    assert threads_named("netio-callback") == 0
    assert len(os.listdir("/proc/self/fd")) <= descriptors
