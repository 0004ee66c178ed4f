# SPDX-License-Identifier: MIT
"""What changes while the tables are being read is told of by messages that are older than what was
read: what one of them says of one route of several must not be believed of the one that is left."""

from __future__ import annotations

import random
import socket

import pytest

import netioapi
from netioapi import IpForwardRow, Watcher
from tests.linux.namespace import Namespace
from tests.support import eventually

from .test_one_prefix import follow, shown

X = "172.16.0.0/24"
ADDRESSES = 500  # so many to read first, and so long is the time to change routes meanwhile
ROUNDS = 25


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("before", "meanwhile"),
    [
        pytest.param(
            [f"add {X} via 10.0.0.9 proto 43", f"append {X} via 10.0.0.9 proto 44"],
            [f"delete {X} via 10.0.0.9 proto 44"],
            id="one of two of an identity is deleted",
        ),
        pytest.param(
            [f"add {X} via 10.0.0.9", f"append {X} via 10.0.0.8"],
            [f"replace {X} via 10.0.0.7", f"delete {X} via 10.0.0.7"],
            id="one of two of a prefix is replaced, and deleted",
        ),
    ],
)
def test_what_is_left_is_not_taken_for_what_went(
    netns: Namespace, seed: int, before: list[str], meanwhile: list[str]
) -> None:
    chance = random.Random(seed)
    netns.veth("v0", "p0")
    netns.veth("v1", "p1")
    netns.ip("address add 10.0.0.1/24 dev v0")
    netns.batch(
        "\n".join(
            f"address add 10.{100 + n // 250}.{n % 250}.1/32 dev v1" for n in range(ADDRESSES)
        )
    )
    state: dict[bytes, IpForwardRow] = {}

    def is_the_same() -> bool:
        follow(watcher, state)
        table: dict[bytes, object] = {}
        for row in netioapi.get_ip_forward_table2(socket.AF_INET):
            if row.table == 254:
                table.setdefault(row.key, shown(row))
        return table == {key: shown(row) for key, row in state.items()}

    with Watcher("route", family=socket.AF_INET, tables=[254], snapshot=True) as watcher:
        for number in range(ROUNDS):
            netns.batch("\n".join(f"route {line}" for line in before))
            eventually(is_the_same, what=f"the table, in round {number}")
            netns.batch(
                "\n".join(
                    [
                        f"link set v1 mtu {1400 + number}",  # after it all is read again
                        *["route get 10.0.0.9"] * chance.randrange(30),  # a while
                        *(f"route {line}" for line in meanwhile),
                    ]
                )
            )
            eventually(is_the_same, what=f"the table, after round {number}")
            netns.ip(f"route flush {X}")
            eventually(is_the_same, what=f"the empty table, in round {number}")
