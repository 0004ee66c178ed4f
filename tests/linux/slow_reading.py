# SPDX-License-Identifier: MIT
"""A reading of all tables that takes a while, so that what changes meanwhile falls into it: the
messages of that are older than what was read."""

from __future__ import annotations

import random

from tests.linux.namespace import Namespace

# Of this link all is read when its MTU changes, and it has so many addresses to be read first.
LINK, ADDRESSES = "zz0", 500


def prepare(netns: Namespace) -> None:
    netns.veth(LINK, "zz1")
    netns.batch(
        "\n".join(
            f"address add 10.{100 + n // 250}.{n % 250}.1/32 dev {LINK}" for n in range(ADDRESSES)
        )
    )


def begin(chance: random.Random) -> list[str]:
    """Lines of `ip -batch`; what is behind them happens somewhere within the reading."""
    return [
        f"link set {LINK} mtu {chance.randint(1280, 1500)}",
        *["route get 127.0.0.1"] * chance.randrange(30),
    ]
