# SPDX-License-Identifier: MIT
"""Filters compared with a model of them in Python: random filters of every dimension, random rows.

tests/watcher/test_watcher_filters.py does the same through Watcher, with the rows of a real
network.
"""

from __future__ import annotations

import ctypes
import random
import socket
from collections import Counter
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any

import pytest

from .library import library

INTERFACE, ADDRESS, ROUTE = range(3)
MATCHES = ["covered", "exact", "covering"]  # in the native order
LOCAL = 255
FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
Network = IPv4Network | IPv6Network


class NativePrefix(ctypes.Structure):
    _fields_ = [
        ("family", ctypes.c_uint16),
        ("length", ctypes.c_uint8),
        ("address", ctypes.c_uint8 * 16),
    ]


class NativeFilter(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int32) for name in ("family", "match", "table_count")),
        *((f"{name}_count", ctypes.c_int32) for name in ("interface", "protocol", "prefix")),
        *((name, ctypes.c_uint32 * 8) for name in ("tables", "interfaces", "protocols")),
        ("prefixes", NativePrefix * 8),
    ]


class NativeRow(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int32) for name in ("kind", "family", "length")),
        *((name, ctypes.c_uint32) for name in ("table", "interface", "protocol")),
        ("address", ctypes.c_uint8 * 16),
    ]


@dataclass(frozen=True)
class Row:
    kind: int
    network: Network  # of a route; of an address: it and its subnet's length; else the family only
    table: int
    interface: int
    protocol: int


@dataclass(frozen=True)
class Filter:
    """As the parameters of Watcher; None is no condition, and an empty list lets nothing pass."""

    family: int
    tables: list[int] | None
    interfaces: list[int] | None
    protocols: list[int] | None
    prefixes: list[Network] | None
    match: str

    def accepts(self, row: Row) -> bool:
        """The model."""
        conditions = [
            self.family in (0, FAMILIES[row.network.version]),
            self.interfaces is None or row.interface in self.interfaces,
        ]
        if row.kind == ROUTE:
            conditions += [
                row.table != LOCAL if self.tables is None else row.table in self.tables,
                self.protocols is None or row.protocol in self.protocols,
            ]
        if row.kind != INTERFACE and self.prefixes is not None:
            mine = row.network if row.kind == ROUTE else host(row.network)
            conditions.append(any(self._lies(mine, prefix) for prefix in self.prefixes))
        return all(conditions)

    def _lies(self, mine: Any, prefix: Any) -> bool:
        if mine.version != prefix.version:
            return False
        covered, covering = mine.subnet_of(prefix), mine.supernet_of(prefix)
        return bool({"covered": covered, "covering": covering, "exact": covered and covering}[
            self.match
        ])  # fmt: skip


def host(network: Network) -> Network:
    return ip_network(network.network_address)


# Prefixes that have to do with each other: few bits differ, at every length.
STEMS = [(4, 0x0A010203), (4, 0x0A018000), (4, 0), (6, 0x20010DB8 << 96 | 0x7F), (6, 0)]


def network(chance: random.Random) -> Network:
    version, number = chance.choice(STEMS)
    bits = 32 if version == 4 else 128
    length = chance.choice([0, bits, bits, *range(bits + 1)])
    if chance.random() < 0.6:  # one that differs near its end, or anywhere
        at = chance.choice([length - 1, length, chance.randrange(bits)])
        number ^= 0 if at < 0 else (1 << (bits - 1)) >> at
    number = number >> (bits - length) << (bits - length)
    return (IPv4Network if version == 4 else IPv6Network)((number, length))


NUMBERS = {
    "tables": [0, 7, 254, LOCAL, 256, 100000],
    "interfaces": [0, 1, 2, 2**32 - 1],
    "protocols": [1, 2, 3, 14, 2**32 - 1],
}


def row(chance: random.Random) -> Row:
    return Row(
        chance.choice([ROUTE, ROUTE, ADDRESS, INTERFACE]),
        network(chance),
        *(chance.choice(values) for values in NUMBERS.values()),
    )


def several(chance: random.Random, values: list[Any]) -> list[Any] | None:
    """No condition, or some of these; at times none, which lets nothing pass."""
    if chance.random() < 0.5:
        return None
    return [chance.choice(values) for _ in range(chance.choice([0, 1, 2, 3, 4, 8]))]


def filter_of(chance: random.Random) -> Filter:
    return Filter(
        chance.choice([0, 0, *FAMILIES.values()]),
        *(several(chance, values) for values in NUMBERS.values()),
        several(chance, [network(chance) for _ in range(20)]),
        chance.choice(MATCHES),
    )


def padded(packed: bytes) -> Any:
    return (ctypes.c_uint8 * 16)(*packed)


def native_filter(wanted: Filter) -> NativeFilter:
    made = NativeFilter(family=wanted.family, match=MATCHES.index(wanted.match))
    for name in ("tables", "interfaces", "protocols", "prefixes"):
        values = getattr(wanted, name)
        setattr(made, {"prefixes": "prefix"}.get(name, name[:-1]) + "_count",
                -1 if values is None else len(values))  # fmt: skip
        for at, value in enumerate(values or []):
            if name == "prefixes":
                packed = padded(value.network_address.packed)
                value = NativePrefix(FAMILIES[value.version], value.prefixlen, packed)
            getattr(made, name)[at] = value
    return made


def native_row(row: Row) -> NativeRow:
    network = row.network
    return NativeRow(
        row.kind,
        FAMILIES[network.version],
        network.prefixlen,
        row.table,
        row.interface,
        row.protocol,
        padded(network.network_address.packed),
    )


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    built = library("filter_library", ["base/filter.c"], tmp_path_factory.mktemp("filter"))
    built.library_accepts.restype = ctypes.c_int64
    return built


def accepted(native: ctypes.CDLL, wanted: Filter, rows: list[Row]) -> list[bool]:
    array = (NativeRow * len(rows))(*map(native_row, rows))
    bits = native.library_accepts(ctypes.byref(native_filter(wanted)), array, len(rows))
    assert bits >= 0, "a copy accepts something else"
    return [bool(bits >> at & 1) for at in range(len(rows))]


def compare(native: ctypes.CDLL, chance: random.Random, wanted: Filter) -> Counter[bool]:
    rows = [row(chance) for _ in range(40)]
    found = accepted(native, wanted, rows)
    model = [wanted.accepts(one) for one in rows]
    wrong = [
        (one, does) for one, does, should in zip(rows, found, model, strict=True) if does != should
    ]
    assert not wrong, (wanted, wrong)
    return Counter(found)


def test_filters_match_the_model(native: ctypes.CDLL, seed: int) -> None:
    chance = random.Random(seed)
    passed: Counter[bool] = Counter()
    for _ in range(1500):
        passed += compare(native, chance, filter_of(chance))
    assert min(passed[True], passed[False]) > 1000, passed


@pytest.mark.parametrize("match", MATCHES)
def test_prefix_filters_match_the_model(native: ctypes.CDLL, seed: int, match: str) -> None:
    """Alone, so that nothing else hides them."""
    chance = random.Random(seed)
    passed: Counter[bool] = Counter()
    for _ in range(300):
        prefixes = [network(chance) for _ in range(chance.randint(1, 3))]
        wanted = Filter(0, NUMBERS["tables"], None, None, prefixes, match)
        passed += compare(native, chance, wanted)
    assert min(passed[True], passed[False]) > 100, passed
