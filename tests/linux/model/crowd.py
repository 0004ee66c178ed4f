# SPDX-License-Identifier: MIT
"""Large tables beside the walk, so that changes race with each reading of them.

One routing table holds, of both families, routes that nothing touches, routes that flap without
end, and thousands that go with their link. Its changes are folded by `row.key` alone; it is
compared at a quiet point, without the flap.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from tests.linux.namespace import Namespace
from tests.linux.route_flap import Flap, add_routes

from .announced import FLAPPING
from .follow import ADD, DELETE, Report, WatcherFollower
from .oracle import LOCAL, Key, Truth, look
from .world import OTHERS, Entry, World

TABLE = 500
TABLES = [LOCAL, 254, 253, *OTHERS]  # those of the walk
ROUTES, FLAPS, MOVING = 50_000, 3000, 3000
STILL, GOING = 98, 97  # protocols: of the routes that stay, and of those that go with their link
LINKS = {STILL: "zs0", GOING: "zg0", FLAPPING: "zf0"}
# Those that flap are before and among the others in the order of the table.
STEMS = {
    socket.AF_INET: {STILL: "20.0.0.0/32", GOING: "21.0.0.0/32", FLAPPING: "19.0.0.0/32"},
    socket.AF_INET6: {
        STILL: "2001:db8::/64",
        GOING: "2001:dba::/64",
        FLAPPING: "2001:db7::/64",
    },
}
DECOYS = 30  # links of the namespace in which changes are read: indices from 2
Fold = dict[bytes, Any]  # row.key -> row


class Crowd:
    """The routes of the large table. `there`: whether those of the link that goes are there."""

    def __init__(self, netns: Namespace) -> None:
        self._netns = netns
        self.indices = {}
        for protocol, name in LINKS.items():
            self.indices[protocol] = netns.veth(name, name.replace("0", "1"))
        self.there = False
        self._add(STILL, ROUTES)
        self.fill()

    def _add(self, protocol: int, count: int) -> None:
        for stems in STEMS.values():
            add_routes(
                stems[protocol], count, self.indices[protocol], table=TABLE, protocol=protocol
            )

    def fill(self) -> None:
        """Sets the link up again, with its routes."""
        self._netns.ip(f"link set {LINKS[GOING]} up")
        self._add(GOING, MOVING)
        self.there = True

    def empty(self) -> None:
        self._netns.ip(f"link set {LINKS[GOING]} down")
        self.there = False

    @contextlib.contextmanager
    def flapping(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            for stems in STEMS.values():
                flap = Flap(
                    stems[FLAPPING],
                    FLAPS,
                    self.indices[FLAPPING],
                    pause=0.05,
                    table=TABLE,
                    protocol=FLAPPING,
                )
                stack.enter_context(flap)
            yield

    def expected(self) -> int:
        """How many routes there are, without those that flap."""
        return len(STEMS) * (ROUTES + (MOVING if self.there else 0))


class CrowdFollower(WatcherFollower):
    """Follows the large table, too."""

    label = "the follower of a large table"

    def __init__(self, crowd: Crowd, reads_in: AbstractContextManager[Any] | None = None) -> None:
        self._crowd = crowd
        self.fold: Fold = {}
        self._going = 0
        # Without the changes of the flap, of which there are too many for Python.
        protocols = [number for number in range(256) if number != FLAPPING]
        super().__init__([*TABLES, TABLE], reads_in=reads_in, protocols=protocols)

    def change(self, change: Any) -> None:
        row, type_ = change.row, change.type
        if change.kind != "route" or row.table != TABLE:
            super().change(change)
            return
        key, protocol = row.key, row.kernel_protocol
        if (key in self.fold) != (type_ != ADD):
            self.wrong.append(f"{change}, but before it: {self.fold.get(key)}")
        if type_ == DELETE:
            if protocol == STILL:
                self.wrong.append(f"{change}: deleted, but nothing touched it")
            before = self.fold.pop(key, row).interface_name
            if protocol == GOING:
                mark = " (found)" if change.synthesized else ""
                index, name = row.interface_index, row.interface_name
                self.report(Report("route", type_, shown(row), index, name, mark, before))
        else:
            self.fold[key] = row
        if protocol == GOING:
            self._going += (type_ == ADD) - (type_ == DELETE)

    def look(self) -> Truth:
        return look(TABLES)

    def unsettled(self) -> list[str]:
        want = len(STEMS) * MOVING * self._crowd.there
        if self._going == want:
            return []
        return [f"{self._going} routes of the link that goes; the kernel has {want}"]

    def drain(self) -> None:
        """At a quiet point: until the large table is as the kernel has it."""
        truth = {key for key in look().routes if key[0] == TABLE}
        assert len(truth) == self._crowd.expected(), len(truth)
        self.settle()
        with self._reads_in:
            have = {shown(row) for row in self.fold.values()}
        # The end of the flap may be behind what settle() has waited for.
        for _ in range(200):
            if have == truth:
                break
            self.take(0.1)
            with self._reads_in:
                have = {shown(row) for row in self.fold.values()}
        lines = [f"{key}: missing" for key in truth - have]
        lines += [f"{key}: the kernel has it not" for key in have - truth]
        text = "\n  ".join(lines[:30])
        assert not lines, f"{self.label}: {len(lines)} differences:\n  {text}"


def crowd_of(w: World) -> Crowd:
    assert isinstance(w.crowd, Crowd)
    return w.crowd


def crowd_link_down(w: World) -> list[str] | None:
    return ["crowd empty"] if crowd_of(w).there else None


def crowd_link_up(w: World) -> list[str] | None:
    return None if crowd_of(w).there else ["crowd fill"]


MOVES_OF_A_CROWD = {
    one.__name__: Entry(one.__name__, 8, one) for one in (crowd_link_down, crowd_link_up)
}


def decoys(other: Namespace) -> None:
    """Links with the indices of the walk's links, and other names."""
    with other:
        for index in range(2, DECOYS, 2):
            ends = f"decoy{index} index {index}", f"decoy{index + 1} index {index + 1}"
            other.ip(f"link add {ends[0]} type veth peer name {ends[1]}", check=False)


def shown(row: Any) -> Key:
    """The key of a row of the large table, as the oracle has it."""
    return (
        *(row.table, row.tos, row.metric, row.destination_prefix, row.interface_index, None),
        *(row.source_prefix, int(row.type), row.kernel_protocol, row.encapsulation),
    )
