# SPDX-License-Identifier: MIT
"""The kernel's own state, read by the demo's own lines of rtnetlink. They share no code with the
library that they check."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

from netioapi.cli.demo import rtnetlink as rt

Facts = set[tuple[Any, ...]]

RT_TABLE_LOCAL = 255  # which a Watcher omits by default
RTM_F_CLONED, RTNH_F_DEAD = 0x200, 0x1
IFF_RUNNING = 0x40
IFA_FLAGS = 8
TYPES = {1: "UNICAST", 6: "BLACKHOLE", 7: "UNREACHABLE", 8: "PROHIBIT"}
LEG = struct.Struct("=HBBI")  # length, flags, hops, interface index
FAMILIES: dict[int, str] = {socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}


def facts(kernel: rt.Netlink) -> Facts:
    """All routes, addresses and interfaces, as tuples."""
    found: Facts = set()
    for body in kernel.dump(rt.RTM_GETROUTE, bytes(12)):
        found.update(_routes(body))
    for body in kernel.dump(rt.RTM_GETADDR, bytes(8)):
        found.add(_address(body))
    for body in kernel.dump(rt.RTM_GETLINK, bytes(16)):
        found.update(_interfaces(body))
    return found


def _routes(body: memoryview) -> Iterator[tuple[Any, ...]]:
    family, length, _, tos, _, _, _, kind, flags = struct.unpack_from("=8BI", body)
    found = rt.attributes(body[12:])
    table = _number(found, rt.RTA_TABLE)
    if family not in FAMILIES or table == RT_TABLE_LOCAL or flags & RTM_F_CLONED:
        return
    nothing = bytes(4 if family == socket.AF_INET else 16)
    prefix = f"{socket.inet_ntop(family, found.get(rt.RTA_DST, nothing))}/{length}"
    metric = _number(found, rt.RTA_PRIORITY)
    for index, gateway, weight, leg_flags in _legs(found, flags):
        if leg_flags & RTNH_F_DEAD:
            continue  # the kernel does not use it
        next_hop = socket.inet_ntop(family, gateway or nothing)
        word = TYPES.get(kind, str(kind))
        yield ("route", table, tos, metric, prefix, index, next_hop, word, weight)


def _legs(found: dict[int, memoryview], flags: int) -> Iterator[tuple[int, bytes, int, int]]:
    legs = found.get(rt.RTA_MULTIPATH)
    if legs is None:
        yield _number(found, rt.RTA_OIF), bytes(found.get(rt.RTA_GATEWAY, b"")), 1, flags
        return
    while len(legs) >= LEG.size:
        length, leg_flags, hops, index = LEG.unpack_from(legs)
        inside = rt.attributes(legs[LEG.size : length])
        yield index, bytes(inside.get(rt.RTA_GATEWAY, b"")), hops + 1, leg_flags
        legs = legs[(length + 3) & ~3 :]


def _address(body: memoryview) -> tuple[Any, ...]:
    family, length, short_flags, _, index = struct.unpack_from("=BBBBI", body)
    found = rt.attributes(body[8:])
    local = found.get(rt.IFA_LOCAL) or found[rt.IFA_ADDRESS]
    flags = _number(found, IFA_FLAGS, short_flags)
    return ("address", index, f"{socket.inet_ntop(family, local)}/{length}", flags)


def _interfaces(body: memoryview) -> Iterator[tuple[Any, ...]]:
    _, _, index, flags, _ = struct.unpack_from("=BxHiII", body)
    found = rt.attributes(body[16:])
    name = bytes(found[rt.IFLA_IFNAME]).rstrip(b"\0").decode(errors="surrogateescape")
    for family in rt.attributes(found[rt.IFLA_AF_SPEC]):
        if family in FAMILIES:
            yield ("interface", FAMILIES[family], index, name, bool(flags & IFF_RUNNING))


def _number(found: dict[int, memoryview], kind: int, missing: int = 0) -> int:
    return struct.unpack_from("=I", found[kind])[0] if kind in found else missing
