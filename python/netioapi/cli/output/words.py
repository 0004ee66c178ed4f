# SPDX-License-Identifier: MIT
"""Numbers and names of the system as text, and back."""

from __future__ import annotations

import socket
import time
from enum import IntEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import ipaddress

MAIN_TABLE = 254
# iproute2's files with the names of routing tables. A later file takes precedence.
TABLE_FILES = ("/usr/share/iproute2/rt_tables", "/etc/iproute2/rt_tables")
TABLE_FOLDER = "/etc/iproute2/rt_tables.d"

# RTPROT_* of linux/rtnetlink.h.
PROTOCOLS = {
    1: "redirect",
    2: "kernel",
    3: "boot",
    4: "static",
    8: "gated",
    9: "ra",
    10: "mrt",
    11: "zebra",
    12: "bird",
    15: "xorp",
    16: "dhcp",
    17: "mrouted",
    18: "keepalived",
    42: "babel",
    84: "ovn",
    99: "openr",
    186: "bgp",
    187: "isis",
    188: "ospf",
    189: "rip",
    192: "eigrp",
}


def printable(text: str) -> str:
    """Escape what is not printable: an interface name must not control the terminal."""
    return text if text.isprintable() and "\\" not in text else "".join(map(_escaped, text))


def _escaped(letter: str) -> str:
    if 0xDC80 <= ord(letter) <= 0xDCFF:  # a byte that is not UTF-8
        return f"\\x{ord(letter) - 0xDC00:02x}"
    if letter == "\\" or not letter.isprintable():
        return letter.encode("unicode_escape").decode()
    return letter


def plain(value: Any) -> Any:
    """A value of a row as a JSON value: see docs/json.md."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, IntEnum):
        return value.name.lower()
    if isinstance(value, int):
        return int(value)
    if isinstance(value, tuple | list):
        return [plain(one) for one in value]
    return str(value).partition("%")[0]  # an address, without its zone


def named(value: Any) -> str:
    """The name of an enum member in lower case, or the number if it is no member."""
    return value.name.lower() if isinstance(value, IntEnum) else str(value)


def iso_time(time_ns: int) -> str:
    """A time in UTC by ISO 8601, with microseconds."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{whole}.{rest // 1000:06d}Z"


def clock_time(time_ns: int) -> str:
    """The local time of day, with microseconds."""
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return time.strftime("%H:%M:%S", time.localtime(seconds)) + f".{rest // 1000:06d}"


def origin_name(row: Any) -> str:
    """What added a route: iproute2's name of the protocol, if it has one."""
    number = row.kernel_protocol
    return PROTOCOLS.get(number) or (named(row.protocol) if number is None else str(number))


def family_name(family: int) -> str:
    names: dict[int, str] = {socket.AF_INET: "ipv4", socket.AF_INET6: "ipv6"}
    return names.get(family, str(family))


def address_text(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """An address without its zone: the line names the interface already."""
    return str(address).partition("%")[0]


def table_names() -> dict[str, int]:
    """The routing tables that have names: {name: number}."""
    from pathlib import Path  # not at import: it imports much of urllib

    found = {"default": 253, "main": MAIN_TABLE, "local": 255}
    files = [Path(name) for name in TABLE_FILES]
    try:
        files += sorted(Path(TABLE_FOLDER).glob("*.conf"))
    except OSError:
        pass
    for file in files:
        try:
            lines = file.read_text(errors="replace").splitlines()
        except OSError:
            continue
        for line in lines:
            number, name, *_ = [*line.partition("#")[0].split(), "", ""]
            if number.isdecimal() and name:
                found[name] = int(number)
    return found
