# SPDX-License-Identifier: MIT
"""A change that the kernel has announced is not marked as synthesized, though a reading of the
tables may show it before its message is applied."""

from __future__ import annotations

from netioapi import Change, Watcher
from tests.linux.namespace import Namespace
from tests.support.changes import read_snapshot, read_until
from tests.support.waiting import eventually

ROUNDS = 20


def test_links_that_come_and_go_are_not_synthesized(netns: Namespace) -> None:
    with Watcher(snapshot=True) as watcher:
        read_snapshot(watcher)
        for number in range(ROUNDS):
            name = f"v{number}"

            def of_link(change: Change, type: str, name: str = name) -> bool:
                return (
                    change.kind == "interface"
                    and change.type.name == type
                    and change.row.interface_name == name
                )

            netns.veth(name, f"p{number}")
            netns.ip(f"address add 10.{number}.0.1/24 dev {name}")
            netns.ip(f"-6 address add 2001:db8:{number}::1/64 dev {name} nodad")
            eventually(
                lambda name=name: len(netns.json(f"-6 route show dev {name}")) == 2,
                what=f"the IPv6 routes of {name}",
            )
            netns.ip(f"link delete {name}")
            changes = read_until(watcher, lambda c: of_link(c, "DELETE"))
            come_and_gone = [c for c in changes if of_link(c, "ADD") or of_link(c, "DELETE")]
            assert len(come_and_gone) == 4, changes
            routes = [c for c in changes if c.kind == "route" and c.row.family != 2]
            gone = [c for c in routes if c.type.name == "DELETE"]
            assert gone
            assert not [c for c in [*come_and_gone, *gone] if c.synthesized], changes
