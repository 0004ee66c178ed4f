# SPDX-License-Identifier: MIT
"""On a real Windows, over its own iphlpapi.dll: routes and an address that netsh adds and deletes
reach callbacks and a Watcher. It needs administrator rights; real.py lists what it changes."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

import netioapi
from netioapi import DadState, DeadlockError, NetioError, NotificationType, Watcher
from tests.support.changes import apply, read_snapshot, read_until
from tests.support.cli import ended_by, live_monitor
from tests.support.collector import Collector
from tests.support.waiting import eventually
from tests.windows import real
from tests.windows.real import ADDRESS, RealAddress, RealRoute, loopback
from tests.windows.support import NOTIFY, program

ADD, DELETE = NotificationType.ADD, NotificationType.DELETE
INITIAL, PARAMETER = NotificationType.INITIAL, NotificationType.PARAMETER
NOT_THERE = (2, 1168)


WHY_NOT = real.why_not()
pytestmark = [pytest.mark.skipif(WHY_NOT != "", reason=WHY_NOT), pytest.mark.timeout(120)]


ROUTES = {"ipv4": (socket.AF_INET, "198.51.100.0/24"), "ipv6": (socket.AF_INET6, "2001:db8:7::/48")}


def made(name: str) -> Iterator[RealRoute]:
    family, prefix = ROUTES[name]
    if not len(netioapi.get_ip_interface_table(family)):
        pytest.skip(f"this machine has no {name}")
    route = RealRoute(family, prefix)
    try:
        yield route
    finally:
        if route.index:
            route.netsh("delete")  # it may be deleted already


@pytest.fixture(params=ROUTES)
def route(request: pytest.FixtureRequest) -> Iterator[RealRoute]:
    yield from made(request.param)


@pytest.fixture
def route4() -> Iterator[RealRoute]:
    yield from made("ipv4")


@pytest.fixture
def address() -> Iterator[RealAddress]:
    made = RealAddress()
    try:
        yield made
    finally:
        made.delete(check=False)


# ---- what there is


def test_supported_is_true_for_every_function_of_this_windows() -> None:
    for name in (*NOTIFY, "CancelMibChangeNotify2", "GetBestRoute2", "GetIpForwardTable2"):
        assert netioapi.supported(name), name
    assert not netioapi.supported("NotifyOfNothing")


@pytest.mark.parametrize("family", [socket.AF_UNSPEC, socket.AF_INET])
def test_tables_contain_the_loopback_interface(family: int) -> None:
    interfaces = netioapi.get_ip_interface_table(family)
    indices = {row.interface_index for row in interfaces}
    assert set(loopback(socket.AF_INET)) <= indices
    # Hidden adapters of Windows' own (Teredo, IP-HTTPS) may have no alias.
    assert all(isinstance(row.interface_name, str) for row in interfaces if row.connected)
    addresses = netioapi.get_unicast_ip_address_table(family)
    assert ip_address("127.0.0.1") in {row.address for row in addresses}
    routes = netioapi.get_ip_forward_table2(family)
    assert ip_network("127.0.0.0/8") in {row.destination_prefix for row in routes}
    here = set(loopback(socket.AF_INET))
    for row in interfaces:
        if row.interface_index in here:
            assert netioapi.get_ip_interface_entry(row).key == row.key
    for one in addresses:
        if one.interface_index in here:
            assert netioapi.get_unicast_ip_address_entry(one).key == one.key
    eventually(  # an adapter may come or go between the two calls
        lambda: (
            {row.interface_index for row in netioapi.get_ip_forward_table2(family)}
            <= {row.interface_index for row in netioapi.get_ip_interface_table()}
        ),
        timeout=10,
    )


def test_best_route_to_loopback_is_local() -> None:
    row, source = netioapi.get_best_route2("127.0.0.1")
    assert row.interface_index in loopback(socket.AF_INET)
    assert ip_address("127.0.0.1") in row.destination_prefix
    assert source == ip_address("127.0.0.1")


def test_hint_is_readable_and_delivered(collector: Collector) -> None:
    hint = netioapi.get_network_connectivity_hint()
    assert 0 <= int(hint.connectivity_level) <= 5
    assert 0 <= int(hint.connectivity_cost) <= 3
    with netioapi.notify_network_connectivity_hint_change(collector, initial_notification=True):
        ((first,), *_) = collector.wait_count(1)
    assert type(first) is type(hint)


def test_teredo_port_is_delivered_or_unsupported(collector: Collector) -> None:
    """Later versions of Windows have no Teredo; which error they return is nowhere documented."""
    with contextlib.suppress(NetioError):
        assert 0 <= netioapi.get_teredo_port() <= 65535
    try:
        registration = netioapi.notify_teredo_port_change(collector, initial_notification=True)
    except NetioError as error:
        pytest.skip(f"this Windows has no Teredo: {error}")
    with registration:
        try:
            first = collector.wait_count(1, timeout=5)[0]
        except AssertionError:
            pytest.skip("this Windows registers for Teredo's port, and tells none")
        assert first[1] == INITIAL
    assert registration.errors == 0


def test_stable_table_returns_or_is_pending() -> None:
    seen = Collector()
    table, registration = netioapi.notify_stable_unicast_ip_address_table(seen, socket.AF_INET)
    if registration is not None:
        registration.cancel()
    else:
        assert table is not None
        assert ip_address("127.0.0.1") in {row.address for row in table}


# ---- callbacks


@pytest.mark.parametrize("function", [name for name in NOTIFY if "Teredo" not in name])
def test_registrations_deliver_one_initial_notification_and_cancel(function: str) -> None:
    notify, _ = NOTIFY[function]
    for _ in range(20):
        seen = Collector()
        with notify(seen, initial_notification=True) as registration:
            seen.wait_count(1)
            assert registration.active
        assert not registration.active
        registration.cancel()
        assert registration.errors == 0
        if "Hint" not in function:
            assert [event for event in seen.events if event[1] == INITIAL] == [(None, INITIAL)]


def test_route_changes_reach_callbacks(route: RealRoute, collector: Collector) -> None:
    keys = Collector()
    with (
        netioapi.notify_route_change2(collector, route.family) as registration,
        netioapi.notify_route_change2(keys, route.family, details=False),
    ):
        route.add()
        found, _ = collector.wait_any(lambda row, type: route.is_mine(row) and type == ADD, 30)
        assert (found.interface_index, found.metric, int(found.protocol)) == (route.index, 5000, 3)
        entry = netioapi.get_ip_forward_entry2(found)  # its age may be a second more
        assert (entry.key, entry.metric, entry.origin) == (found.key, found.metric, found.origin)
        assert found.key in {row.key for row in netioapi.get_ip_forward_table2(route.family)}
        key, _ = keys.wait_any(lambda row, type: route.is_mine(row) and type == ADD, 30)
        assert (key.key, key.metric, key.protocol) == (found.key, None, None)
        # No route leads from the loopback interface to another machine; and a machine that has
        # link-local IPv6 addresses alone has no source address for it.
        if route.family == socket.AF_INET and route.index not in loopback(route.family):
            best, _ = netioapi.get_best_route2(str(ip_network(route.prefix)[7]))
            assert best.key == found.key
        route.set_metric(4000)
        collector.wait_any(lambda row, _: route.is_mine(row) and row.metric == 4000, 30)
        assert netioapi.get_ip_forward_entry2(found).metric == 4000
        route.delete()
        gone, _ = collector.wait_any(lambda row, type: route.is_mine(row) and type == DELETE, 30)
        assert (gone.key, gone.metric) == (found.key, None)
        with pytest.raises(NetioError) as caught:
            netioapi.get_ip_forward_entry2(found)
        assert caught.value.code in NOT_THERE
    assert registration.errors == 0
    delivered = registration.delivered
    route.add()
    eventually(lambda: any(map(route.is_mine, netioapi.get_ip_forward_table2(route.family))))
    assert registration.delivered == delivered


def test_address_changes_reach_callbacks(address: RealAddress, collector: Collector) -> None:
    def is_mine(row: Any, type: Any) -> bool:
        return row is not None and row.address == ADDRESS

    with netioapi.notify_unicast_ip_address_change(collector, socket.AF_INET) as registration:
        address.add()
        found, _ = collector.wait_any(lambda *event: is_mine(*event) and event[1] == ADD, 30)
        assert found.interface_index == address.index
        entry = netioapi.get_unicast_ip_address_entry(found)
        assert (entry.key, entry.on_link_prefix_length) == (found.key, 32)
        eventually(
            lambda: netioapi.get_unicast_ip_address_entry(found).dad_state == DadState.PREFERRED,
            timeout=30,
        )
        assert ADDRESS in {row.address for row in netioapi.get_unicast_ip_address_table()}
        address.delete()
        collector.wait_any(lambda *event: is_mine(*event) and event[1] == DELETE, 30)
        with pytest.raises(NetioError) as caught:
            netioapi.get_unicast_ip_address_entry(found)
        assert caught.value.code in NOT_THERE
    assert registration.errors == 0


def test_cancel_in_its_own_callback_raises_deadlock_error(route4: RealRoute) -> None:
    outcomes, bound = Collector(), threading.Event()

    def cancel_mine(row: Any, type: Any) -> None:
        if not route4.is_mine(row):
            return  # of another program, at any time
        assert bound.wait(30)
        try:
            registration.cancel()
        except DeadlockError:
            outcomes("refused")
        registration.cancel(wait=False)

    registration = netioapi.notify_route_change2(cancel_mine, socket.AF_INET, on_error=outcomes)
    bound.set()
    route4.add()
    assert outcomes.wait_count(1, 30) == [("refused",)]
    eventually(lambda: not registration.active)
    registration.cancel(30)
    assert len(outcomes) == 1


def test_cancel_waits_for_the_running_callback(route4: RealRoute) -> None:
    inside, leave, left = threading.Event(), threading.Event(), []

    def held(row: Any, type: Any) -> None:
        if route4.is_mine(row):
            inside.set()
            leave.wait(30)
            left.append(type)

    registration = netioapi.notify_route_change2(held, socket.AF_INET)
    route4.add()
    assert inside.wait(30)
    with pytest.raises(TimeoutError):
        registration.cancel(0.2)
    leave.set()
    registration.cancel(30)
    assert len(left) == 1


# ---- the Watcher


def to_route(route: RealRoute, type: int) -> Callable[[Any], bool]:
    return lambda c: c.kind == "route" and c.type == type and route.is_mine(c.row)


def test_route_changes_reach_a_watcher(route: RealRoute) -> None:
    # Windows itself adds a route to the broadcast address of the prefix, which is covered by it.
    with Watcher(
        "route",
        family=route.family,
        prefixes=[route.prefix],
        prefix_match="exact",
        snapshot=True,
    ) as watcher:
        state: dict[Any, Any] = {}
        apply(state, read_snapshot(watcher))
        assert state == {}
        route.add()
        changes = read_until(watcher, to_route(route, ADD), timeout=30)
        apply(state, changes)
        assert [row.metric for row in state.values()] == [5000]
        route.set_metric(4000)
        apply(state, read_until(watcher, lambda c: c.row.metric == 4000, timeout=30))
        route.delete()
        changes = read_until(watcher, to_route(route, DELETE), timeout=30)
        assert changes[-1].row.metric == 4000  # the whole row, though Windows gives the key
        apply(state, changes)
        assert state == {}
        stats = watcher.stats()
        assert (stats["lost"], stats["overflows"]) == (0, 0)


def test_address_changes_reach_a_watcher_with_their_route(address: RealAddress) -> None:
    with Watcher("address", "route", prefixes=[f"{ADDRESS}/32"], prefix_match="exact") as watcher:

        def seen(kind: str, type: int) -> Callable[[Any], bool]:
            return lambda c: c.kind == kind and c.type == type

        address.add()
        read_until(watcher, seen("address", ADD), seen("route", ADD), timeout=30)
        address.delete()
        changes = read_until(watcher, seen("address", DELETE), seen("route", DELETE), timeout=30)
        gone = [c.row for c in changes if c.kind == "address" and c.type == DELETE]
        assert [row.on_link_prefix_length for row in gone] == [32]


def test_snapshot_equals_the_tables() -> None:
    """Another program may change something at that moment, so it is tried a few times."""

    def same() -> bool:
        with Watcher("interface", "address", snapshot=True) as watcher:
            found = {(c.kind, c.row.key) for c in read_snapshot(watcher) if c.initial}
        interfaces = {("interface", row.key) for row in netioapi.get_ip_interface_table()}
        addresses = {("address", row.key) for row in netioapi.get_unicast_ip_address_table()}
        return found == interfaces | addresses

    assert any(same() for _ in range(5))


def test_ctrl_c_ends_a_read() -> None:
    with Watcher("route", prefixes=["203.0.113.0/24"]) as watcher:
        timer = threading.Timer(0.3, signal.raise_signal, [signal.SIGINT])
        timer.start()
        start = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            watcher.read(timeout=60)
        timer.join()
        assert time.monotonic() - start < 20


# ---- programs

LIVE = """
import netioapi, threading
from tests.windows.support import NOTIFY

seen = threading.Event()
live = []
for name, (notify, _) in NOTIFY.items():
    try:
        live.append(notify(lambda *_: seen.set()))
    except netioapi.NetioError as error:
        assert "Teredo" in name, error
live.append(netioapi.Watcher(snapshot=True))
live.append(live)
seen.clear()
print("live", flush=True)
assert seen.wait(60)
print("seen", flush=True)
"""


@pytest.mark.parametrize(
    ("end", "code"), [("", 0), ("sys.exit(3)", 3), ("import os; os._exit(5)", 5)]
)
def test_program_may_end_with_live_registrations(end: str, code: int, route4: RealRoute) -> None:
    with program(LIVE + end) as running:
        running.wait_line(lambda line: line == "live", timeout=60)
        with contextlib.ExitStack() as stack:
            route4.add()
            stack.callback(route4.delete)
            running.wait_line(lambda line: line == "seen", timeout=60)
        assert running.wait(60) == code
        assert running.errors == ""


def test_monitor_prints_route_changes_and_ends_by_ctrl_c(route4: RealRoute) -> None:
    with live_monitor("route") as monitor:
        route4.add()
        found = monitor.wait_record(60, change="add", destination_prefix=route4.prefix)
        assert (found["metric"], found["interface_index"]) == (5000, route4.index)
        route4.delete()
        gone = monitor.wait_record(60, change="delete", destination_prefix=route4.prefix)
        assert gone["metric"] == 5000
        assert monitor.end(signal.SIGINT) in ended_by(signal.SIGINT)
        assert monitor.errors == ""
