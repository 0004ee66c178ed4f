# SPDX-License-Identifier: MIT
"""A dump of all tables that takes a while, so that changes happen during it: their messages are
older than the rows that were dumped."""

from __future__ import annotations

import random

from tests.linux.namespace import Namespace

# A change of this link's MTU leads to a dump of all tables, and its many addresses come first.
LINK, ADDRESSES = "zz0", 500


def prepare(netns: Namespace) -> None:
    netns.veth(LINK, "zz1")
    netns.batch(
        "\n".join(
            f"address add 10.{100 + n // 250}.{n % 250}.1/32 dev {LINK}" for n in range(ADDRESSES)
        )
    )


def begin(chance: random.Random) -> list[str]:
    """Lines for `ip -batch`; the commands behind them run at some moment of the dump."""
    return [
        f"link set {LINK} mtu {chance.randint(1280, 1500)}",
        *["route get 127.0.0.1"] * chance.randrange(30),
    ]
