# SPDX-License-Identifier: MIT
"""A program: uses the public API while allocations and system calls of the extension fail in turn.
Needs an extension built with NETIOAPI_FAULTS=1. Arguments: a seed, and N: about every N-th call
fails."""

from __future__ import annotations

import contextlib
import ctypes
import faulthandler
import functools
import gc
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import netioapi
from tests.support.resources import counts
from tests.support.waiting import eventually

NATIVE = ctypes.CDLL(netioapi._native.__file__)
NATIVE.nio_fault_name.restype = ctypes.c_char_p
NATIVE.nio_fault_plan.argtypes = [ctypes.c_char_p, ctypes.c_int, ctypes.c_uint64, ctypes.c_uint64]
for counter in ("nio_fault_stop", "nio_fault_given"):
    getattr(NATIVE, counter).restype = ctypes.c_uint64
for counter in ("nio_fault_blocks", "nio_fault_pages"):
    getattr(NATIVE, counter).restype = ctypes.c_int64
NATIVE.nio_fault_clocks.argtypes = [ctypes.c_int64, ctypes.c_int64]

QUERIES: list[Callable[[], Any]] = [
    netioapi.get_ip_forward_table2,
    netioapi.get_unicast_ip_address_table,
    netioapi.get_ip_interface_table,
    netioapi.get_network_connectivity_hint,
    netioapi.get_teredo_port,
    lambda: netioapi.get_best_route2("127.0.0.1"),
    lambda: netioapi.get_ip_interface_entry(
        netioapi.IpInterfaceRow(socket.AF_INET, interface_index=1)
    ),
    lambda: netioapi.notify_stable_unicast_ip_address_table(print),
]
REGISTER: list[Callable[..., netioapi.Registration]] = [
    netioapi.notify_route_change2,
    netioapi.notify_unicast_ip_address_change,
    netioapi.notify_ip_interface_change,
    netioapi.notify_teredo_port_change,
    netioapi.notify_network_connectivity_hint_change,
]
KINDS = ("route", "address", "interface")


@contextlib.contextmanager
def clear(doing: object) -> Iterator[None]:
    """Accepts an error with a clear cause: the system's, or MemoryError."""
    caught: BaseException | None = None
    try:
        yield
    except (netioapi.NetioError, MemoryError) as error:
        caught = error
    if isinstance(caught, netioapi.NetioError):
        assert caught.function, (doing, caught)
        assert caught.code not in (87, 127), (doing, caught)


def ip(arguments: str) -> None:
    subprocess.run(["ip", *arguments.split()], check=True)


def truth() -> set[Any]:
    tables: tuple[Iterable[Any], ...] = (
        netioapi.get_ip_forward_table2(),
        netioapi.get_unicast_ip_address_table(),
        netioapi.get_ip_interface_table(),
    )
    return {(kind, row.key) for kind, table in zip(KINDS, tables, strict=True) for row in table}


def follow(watcher: netioapi.Watcher, state: set[Any], timeout: float) -> bool:
    batch = watcher.read(timeout)
    if batch is None:
        return False
    for change in batch:
        key = (str(change.kind), change.row.key)
        assert (key in state) != (change.type == netioapi.NotificationType.ADD), change
        if change.type == netioapi.NotificationType.DELETE:
            state.remove(key)
        else:
            state.add(key)
    return True


def play() -> int:
    """Uses everything once; returns how many calls the failing function had."""
    watcher = None
    registrations = []
    events: list[Any] = []
    state: set[Any] = set()
    with clear("Watcher"):
        watcher = netioapi.Watcher(*KINDS, snapshot=True)
    for register in REGISTER:
        with clear(register):
            registrations.append(register(lambda *arguments: events.append(arguments)))
    ip("address add 127.9.9.1/32 dev lo")
    for query in QUERIES:
        with clear(query):
            query()
    if watcher is not None:
        with clear("read"):
            follow(watcher, state, 0)
    calls = int(NATIVE.nio_fault_stop())
    ip("address add 127.9.9.2/32 dev lo")
    ip("address delete 127.9.9.1/32 dev lo")
    if watcher is not None:
        while state != truth():
            follow(watcher, state, 0.05)
        watcher.close()
    for registration in registrations:
        registration.cancel()
    ip("address delete 127.9.9.2/32 dev lo")
    return calls


def in_use() -> tuple[int, ...]:
    gc.collect()
    return (NATIVE.nio_fault_blocks(), NATIVE.nio_fault_pages(), *counts())


def plans() -> Iterator[tuple[bytes, int]]:
    n = 0
    while (name := NATIVE.nio_fault_name(n)) is not None:
        e = 0
        while (error := NATIVE.nio_fault_error(name, e)) != 0:
            yield name, error
            e += 1
        n += 1


def main() -> None:
    chance, most = random.Random(int(sys.argv[1])), int(sys.argv[2])
    NATIVE.nio_fault_exempt(False)
    for _ in range(3):
        play()
    watchdog = functools.partial(faulthandler.dump_traceback_later, 60, exit=True)
    watchdog()  # it starts a thread
    before = in_use()
    for name, error in plans():
        number = calls = chance.randint(1, most)
        while number <= calls:
            doing = f"{name.decode()}, error {error}, call {number}"
            print(doing, flush=True)
            watchdog()
            assert NATIVE.nio_fault_plan(name, error, number, number + 1)
            calls = play()
            # A joined thread may still be listed for a moment.
            eventually(lambda: in_use() == before, timeout=20, what=f"{doing}: {before}")
            number += chance.randint(1, 2 * most - 1)
    faulthandler.cancel_dump_traceback_later()
    print("done")


if __name__ == "__main__":
    main()
