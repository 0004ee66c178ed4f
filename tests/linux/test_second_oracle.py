# SPDX-License-Identifier: MIT
"""The tables compared with pyroute2, which shares no code with us or with `ip`."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest

import netioapi
from tests.linux.namespace import Namespace
from tests.support.processes import python

pytest.importorskip("pyroute2", reason="pyroute2 is not installed")

# In a process of its own, since pyroute2 may print warnings.
DUMP = """
import json
from pyroute2 import IPRoute

def plain(message):
    return {**{k: v for k, v in message.items() if isinstance(v, int)}, **dict(message["attrs"])}

with IPRoute() as ipr:
    routes = [plain(r) for f in (2, 10) for r in ipr.get_routes(family=f)]
    addresses = [plain(a) for a in ipr.get_addr()]
print(json.dumps([routes, addresses], default=str))
"""

LINES = """
route add 10.1.0.0/16 via 10.0.0.2 metric 5 proto bgp
route add 10.2.0.0/16 via 10.0.0.3 table 77 tos 0x10
route add blackhole 10.3.0.0/16
route add default via 10.0.0.2
route add 10.4.0.0/16 dev v0 src 10.0.0.1 proto static
route add 2001:db8:1::/48 via 2001:db8::2
route add unreachable 2001:db8:2::/48
"""


def dump() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    routes, addresses = json.loads(python(DUMP, timeout=60).stdout)
    return routes, addresses


def test_tables_match_pyroute2(netns: Namespace) -> None:
    # Otherwise a flag changes between the two dumps.
    # Otherwise a flag changes between the two dumps.
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    netns.veth()
    netns.ip("link set lo up")
    netns.ip("address add 10.0.0.1/24 dev v0")
    netns.ip("address add 10.9.0.1 peer 10.9.0.2/32 dev v0")
    netns.ip("address add 2001:db8::1/64 dev v0 nodad")
    netns.batch(LINES)
    routes, addresses = dump()
    theirs = {
        (
            r["RTA_TABLE"],
            r["tos"],
            r.get("RTA_PRIORITY", 0),
            f"{r.get('RTA_DST', '0.0.0.0' if r['family'] == 2 else '::')}/{r['dst_len']}",
            r.get("RTA_OIF", 1),
            r.get("RTA_GATEWAY", "0.0.0.0" if r["family"] == 2 else "::"),
            r["type"],
            r["proto"],
            r.get("RTA_PREFSRC"),
        )
        for r in routes
        if r["RTA_TABLE"] != 255
    }
    ours = {
        (
            r.table,
            r.tos,
            r.metric,
            str(r.destination_prefix),
            r.interface_index,
            str(r.next_hop),
            int(r.type),
            r.kernel_protocol,
            r.preferred_source and str(r.preferred_source),
        )
        for r in netioapi.get_ip_forward_table2()
    }
    assert ours == theirs
    assert len(ours) > LINES.count("\n") - 1

    assert {
        (a.interface_index, str(a.address), a.on_link_prefix_length, a.flags)
        for a in netioapi.get_unicast_ip_address_table()
    } == {
        (a["index"], a.get("IFA_LOCAL", a["IFA_ADDRESS"]), a["prefixlen"], a["IFA_FLAGS"])
        for a in addresses
        if a["family"] in (socket.AF_INET, socket.AF_INET6)
    }
