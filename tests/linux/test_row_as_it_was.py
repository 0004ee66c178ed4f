# SPDX-License-Identifier: MIT
"""The name of the interface in a row: what it was when the change was reported, also where the link
has gone, has another name, or another link has its index."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from netioapi import NotificationType, Watcher
from tests.linux.namespace import Namespace
from tests.linux.stopped_watcher import Seen, StoppedWatcher
from tests.support.changes import read_until, route_to, tables
from tests.support.waiting import eventually

DELETE = NotificationType.DELETE
OLD_ROUTE, NEW_ROUTE = "198.51.100.0/24", "203.0.113.0/24"
OLD_INDEX = 7001


def add_link(netns: Namespace, name: str, *, index: int = 0, number: int = 1) -> list[str]:
    """The commands that add a link with an IPv4 address, a route and IPv6 addresses."""
    given = f" index {index}" if index else ""
    return [
        f"link add {name}{given} type veth peer name p{name}",
        f"link set {name} up",
        f"link set p{name} up",
        f"address add 192.0.{number}.1/24 dev {name}",
        f"address add 2001:db8:{number}::1/64 dev {name} nodad",
        f"route add {OLD_ROUTE if number == 1 else NEW_ROUTE} via 192.0.{number}.9 dev {name}",
        f"route add 192.0.{number}.64/26 dev {name} table 100",
        f"route add 2001:db8:{number}:1::/64 dev {name}",
    ]


def of(changes: list[Seen], *, index: int, type: str) -> list[Seen]:
    return [c for c in changes if c.index == index and c.type == type]


def assert_rows_were(changes: list[Seen], name: str, index: int = OLD_INDEX) -> None:
    """All rows of the link are deleted, and each has its name and LUID."""
    deleted = of(changes, index=index, type="DELETE")
    assert {c.name for c in deleted} == {name}, deleted
    assert {c.luid for c in deleted} == {6 << 48 | index << 24}, deleted
    assert {"192.0.1.1", "2001:db8:1::1"} <= {c.what for c in deleted}
    assert {OLD_ROUTE, "192.0.1.0/24", "2001:db8:1:1::/64"} <= {c.what for c in deleted}
    assert {c.kind for c in deleted} == {"route", "address", "interface"}


def test_deletions_after_the_link_has_gone_have_its_name(netns: Namespace) -> None:
    netns.batch("\n".join(add_link(netns, "v0", index=OLD_INDEX)))
    with Watcher() as watcher:
        netns.ip("link delete v0")
        changes = read_until(
            watcher,
            route_to(OLD_ROUTE, DELETE),
            lambda c: c.kind == "interface" and c.type == DELETE and c.row.interface_name == "v0",
        )
    deleted = [c for c in changes if c.row.interface_index == OLD_INDEX and c.type == DELETE]
    assert {c.row.interface_name for c in deleted} == {"v0"}
    assert all(c.row.interface_luid for c in deleted)


def test_deletions_within_one_batch_with_the_end_of_the_link_have_its_name(
    netns: Namespace,
) -> None:
    netns.batch("\n".join(add_link(netns, "v0", index=OLD_INDEX)))
    with StoppedWatcher() as watcher:
        watcher.settled()
        with watcher.stopped():
            netns.ip("link delete v0")
        assert_rows_were(watcher.settled(), "v0")


@pytest.mark.parametrize("receive_buffer", [1 << 24, 4096], ids=["batch", "overflow"])
def test_index_that_another_link_gets_keeps_the_rows_apart(
    netns: Namespace, receive_buffer: int
) -> None:
    """The other link has rows with the same keys."""
    netns.batch("\n".join(add_link(netns, "v0", index=OLD_INDEX)))
    with StoppedWatcher(receive_buffer=receive_buffer) as watcher:
        watcher.settled()
        with watcher.stopped():
            netns.ip("link delete v0")
            netns.batch("\n".join(add_link(netns, "w0", index=OLD_INDEX)))
        changes = watcher.settled()
        assert (watcher.overflows > 0) == (receive_buffer == 4096)
    assert_rows_were(changes, "v0")
    added = of(changes, index=OLD_INDEX, type="ADD")
    assert {c.name for c in added} == {"w0"}
    assert {OLD_ROUTE, "192.0.1.1", "192.0.1.0/24"} <= {c.what for c in added}
    first_add = next(i for i, c in enumerate(changes) if c.name == "w0")
    last_delete = max(i for i, c in enumerate(changes) if c.name == "v0")
    assert last_delete < first_add or receive_buffer == 4096


def test_index_that_several_links_have_in_turn_keeps_the_rows_apart(netns: Namespace) -> None:
    netns.batch("\n".join(add_link(netns, "v0", index=OLD_INDEX)))
    with StoppedWatcher() as watcher:
        watcher.settled()
        names = ["v0"]
        for turn in range(5):
            with watcher.stopped():
                for _ in range(turn):
                    netns.ip(f"link delete {names[-1]}")
                    names.append(f"w{len(names)}")
                    netns.batch("\n".join(add_link(netns, names[-1], index=OLD_INDEX)))
            pairs: dict[tuple[str, str], set[str | None]] = {}
            for change in watcher.settled():
                if change.index != OLD_INDEX:
                    continue
                present = pairs.setdefault((change.kind, change.what), set())
                if change.type == "ADD":
                    present.add(change.name)
                elif change.type == "DELETE":
                    assert change.name in names
                    present.discard(change.name)
            assert all(left <= {names[-1]} for left in pairs.values()), pairs


def test_link_that_moves_away_and_comes_back_has_its_name_in_all_rows(
    netns: Namespace, other_netns: Namespace
) -> None:
    netns.batch("\n".join(add_link(netns, "v0", index=OLD_INDEX)))
    with StoppedWatcher() as watcher:
        watcher.settled()
        with watcher.stopped():
            netns.ip(f"link set v0 netns {other_netns.path}")
            with other_netns:
                other_netns.ip("link set v0 name w0")
                other_netns.ip(f"link set w0 netns {netns.path}")
            netns.batch("link set w0 up\naddress add 192.0.1.1/24 dev w0")
        changes = watcher.settled()
        assert_rows_were(changes, "v0")
        assert {c.name for c in of(changes, index=OLD_INDEX, type="ADD")} == {"w0"}
        with watcher.stopped():
            netns.ip(f"link set w0 netns {other_netns.path}")
        deleted = of(watcher.settled(), index=OLD_INDEX, type="DELETE")
    assert {c.name for c in deleted} == {"w0"}
    assert {"192.0.1.1", "192.0.1.0/24"} <= {c.what for c in deleted}


@pytest.mark.parametrize("stop", [False, True])
def test_rename_is_a_change_of_the_interface_alone(netns: Namespace, stop: bool) -> None:
    netns.batch("\n".join(add_link(netns, "v0", index=OLD_INDEX)))
    with StoppedWatcher() as watcher:
        watcher.settled()
        netns.ip("link set v0 down")
        netns.ip("link set v0 up")
        netns.ip(f"route add {OLD_ROUTE} via 192.0.1.9 dev v0")
        watcher.settled()
        lines = [
            "link set v0 name w0",
            f"route delete {OLD_ROUTE}",
            f"route add {NEW_ROUTE} dev w0",
        ]
        if stop:
            with watcher.stopped():
                netns.batch("\n".join(lines))
        else:
            netns.batch("\n".join(lines))
        changes = [c for c in watcher.settled() if c.index == OLD_INDEX]
    renamed = [c for c in changes if c.kind == "interface"]
    assert {(c.type, c.name) for c in renamed} == {("PARAMETER", "w0")}
    assert [(c.what, c.type, c.name) for c in changes if c.kind == "route"] == [
        (OLD_ROUTE, "DELETE", "w0"),
        (NEW_ROUTE, "ADD", "w0"),
    ]
    # The label of an IPv4 address is the kernel's copy of the name.
    assert {(c.what, c.type) for c in changes if c.kind == "address"} <= {
        ("192.0.1.1", "PARAMETER")
    }


def churn(number: int, turns: int) -> str:
    """Links of one index that come and go, each with rows of the same keys."""
    lines = []
    for turn in range(turns):
        name = f"l{number}x{turn}"
        ends = f"link add {name} index {1000 + number} type veth peer name p{name}"
        lines += [
            f"{ends} index {2000 + number}",
            f"link set {name} up",
            f"link set p{name} up",
            f"address add 192.0.{number}.1/24 dev {name}",
            f"address add 2001:db8:{number}::1/64 dev {name} nodad",
            *(f"route add 198.51.{number}.{i}/32 dev {name}" for i in range(20)),
            f"link delete {name}",
        ]
    return "\n".join(lines)


def test_rows_of_links_that_come_and_go_while_tables_are_read_have_their_names(
    netns: Namespace,
) -> None:
    """A dump may show an address or a route of a link whose message is still to be read."""
    state: dict[Any, Any] = {}

    def work(number: int) -> None:
        with netns:
            netns.batch(churn(number, 60))

    with Watcher(snapshot=True) as watcher:
        threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3)]
        for thread in threads:
            thread.start()

        def is_exact() -> bool:
            while batch := watcher.read(timeout=0):
                for change in batch:
                    row, key = change.row, (change.kind, change.row.key)
                    assert (change.type == NotificationType.ADD) == (key not in state), change
                    assert row.interface_name is not None or row.interface_index == 0, change
                    if change.type == DELETE:
                        assert state.pop(key).interface_name == row.interface_name, change
                    else:
                        state[key] = row
            done = not any(thread.is_alive() for thread in threads)
            return done and state.keys() == tables().keys()

        try:
            eventually(is_exact)
        finally:
            for thread in threads:
                thread.join()
