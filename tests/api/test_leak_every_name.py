# SPDX-License-Identifier: MIT
"""Every public name is used in a loop and leaks nothing: no block, byte, reference, thread or
descriptor. A public name that is missing in the tables of tests/support/leak_*.py fails the
suite."""

from __future__ import annotations

import asyncio
import gc
import socket
import sys
import sysconfig
from collections.abc import Callable, Iterator
from functools import partial

import pytest

import netioapi
from netioapi import Watcher
from tests.support import leak_streams, leak_values
from tests.support.leak_values import Calls
from tests.support.leaks import leaks
from tests.support.network import Network
from tests.support.public_names import public_names

ROUNDS_OF_STREAMS = 20  # each call starts one or two threads


class World:
    """The objects that the calls use: rows of the system, a table, a batch, a watcher, a loop."""

    def __init__(self, network: Network) -> None:
        network.veth()
        network.ip("address add 10.0.0.1/24 dev v0")
        network.ip("address add fd00::1/64 dev v0 nodad")
        network.ip("route add default via 10.0.0.254")
        self.network = network
        self.routes = netioapi.get_ip_forward_table2()
        self.address = netioapi.get_unicast_ip_address_table()[0]
        self.interface = netioapi.get_ip_interface_table()[0]
        with Watcher(snapshot=True) as watcher:
            batch = watcher.read()
            assert batch is not None
            self.batch = batch
        self.live = Watcher("route", prefixes=["203.0.113.0/24"])
        self.registration = netioapi.notify_route_change2(leak_streams.ignore, socket.AF_INET)
        self.loop = asyncio.new_event_loop()
        leak_streams.change(network)  # creates everything that is made once and kept

    def close(self) -> None:
        self.loop.close()
        self.live.close()
        self.registration.cancel()

    @property
    def watched(self) -> list[object]:
        """The objects whose references are counted one by one."""
        named = [getattr(netioapi, name) for name in netioapi.__all__]
        things = [one for one in vars(self).values() if not isinstance(one, asyncio.BaseEventLoop)]
        return [*named, *things, netioapi._native, leak_streams.ignore, None, True]


def rows(world: World) -> Calls:
    route = world.routes[0]
    return {
        **leak_values.row(route, ("10.0.0.0/8", "10.0.0.9")),
        **leak_values.row(world.address, ("fe80::1",)),
        **leak_values.row(world.interface, (socket.AF_INET,)),
        **leak_values.questions(route, world.address, world.interface),
    }


def values(world: World) -> Calls:
    return {
        **leak_values.table(world.routes),
        **leak_values.batch(world.batch),
        **leak_values.hint(),
        **leak_values.errors(),
        **leak_values.enums(),
    }


def registrations(world: World) -> Calls:
    return leak_streams.registrations(world.network, world.registration)


def watchers(world: World) -> Calls:
    return leak_streams.watchers(world.network, world.loop, world.live)


GROUPS: list[tuple[Callable[[World], Calls], int]] = [
    (rows, 100),
    (values, 100),
    (registrations, ROUNDS_OF_STREAMS),
    (watchers, ROUNDS_OF_STREAMS),
]


def held_by(use: Callable[[], object]) -> list[object]:
    """The objects that a call uses: the object of a method, the closure of a function."""
    of = use if isinstance(use, partial) else None
    cells = getattr(use, "__closure__", None) or ()
    held = [getattr(use, "__self__", None), *(cell.cell_contents for cell in cells)]
    return [*held, *(of.args if of else ()), *([of.func] if of else ())]


@pytest.fixture
def world(netns: Network) -> Iterator[World]:
    world = World(netns)
    gc.collect()
    gc.freeze()  # so that the garbage collector does not walk the older objects thousands of times
    try:
        yield world
    finally:
        gc.unfreeze()
        world.close()


def test_every_public_name_has_a_leak_check(world: World) -> None:
    used = {name.partition(":")[0] for group, _ in GROUPS for name in group(world)}
    public = public_names()
    assert public - used == set(), "public names without a leak check"
    not_public = set() if sys.version_info >= (3, 12) else {"Table.__buffer__"}
    assert used - public == not_public, "no such public names"


@pytest.mark.timeout(600)
@pytest.mark.parametrize(
    ("group", "rounds"), GROUPS, ids=lambda one: getattr(one, "__name__", None)
)
def test_use_of_public_names_leaks_nothing(
    world: World, group: Callable[[World], Calls], rounds: int
) -> None:
    watched = world.watched
    left = {}
    for name, use in group(world).items():
        try:
            found = leaks(use, rounds=rounds, watched=[*watched, *held_by(use)])
        except Exception as error:
            error.add_note(f"in {name!r}")
            raise
        if found:
            left[name] = found
    assert left == {}


def test_leak_is_detected(world: World) -> None:
    kept: list[object] = []
    row = world.routes[0]
    found = leaks(lambda: kept.append(row), watched=[row])
    if not sysconfig.get_config_var("Py_GIL_DISABLED"):
        assert [name for name in found if name.startswith("references to")], found
    found = leaks(lambda: kept.append(Watcher("route", prefixes=["203.0.113.0/24"])), rounds=5)
    assert found["blocks"] >= 1
    assert found["objects of Watcher"] == 1
    if sys.platform == "linux":
        assert found["descriptors"] >= 1
        found = leaks(lambda: kept.append(bytearray(4000)))
        assert found.get("bytes of the C library", 4000) >= 4000
    for one in kept:
        if isinstance(one, Watcher):
            one.close()
