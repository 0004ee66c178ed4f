# SPDX-License-Identifier: MIT
"""`interfaces=` by name means the link that has the name now, by index or LUID that link."""

from __future__ import annotations

import socket

import pytest

import netioapi
from netioapi import InvalidParameterError, NotificationType, Watcher
from tests.linux.namespace import Namespace
from tests.linux.stopped_watcher import Seen, StoppedWatcher
from tests.support.changes import State, apply, read_snapshot, tables
from tests.support.waiting import eventually

ADD, DELETE = NotificationType.ADD, NotificationType.DELETE
LONG = "a-name-of-one-hundred-and-twenty-seven-characters-" + "x" * 77
assert len(LONG) == 127


def fill(netns: Namespace, name: str, number: int) -> None:
    netns.batch(
        f"address add 192.0.{number}.1/24 dev {name}\n"
        f"address add 2001:db8:{number}::1/64 dev {name} nodad\n"
        f"route add 198.51.{number}.0/24 via 192.0.{number}.9 dev {name}\n"
        f"route add 198.51.{number}.0/24 dev {name} table 100 metric 5"
    )


def rows_of(index: int) -> set[tuple[str, bytes]]:
    """The keys of all rows of a link, as the Get functions find them."""
    return {key for key, row in tables().items() if row.interface_index == index}


class Following:
    """The state of a Watcher by its changes, each of which must fit."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.state: State = {}
        self.seen: list[netioapi.Change] = []
        apply(self.state, read_snapshot(watcher))

    def becomes(self, *indices: int) -> list[netioapi.Change]:
        """Waits until the state is the rows of these links; the changes up to there."""

        def check() -> bool:
            while batch := self.watcher.read(timeout=0):
                apply(self.state, batch)
                self.seen += batch
            return self.state.keys() == set().union(*map(rows_of, indices))

        eventually(check, what=f"the rows of {indices}")
        seen, self.seen = self.seen, []
        return seen


def test_name_of_no_link_yet_selects_the_link_that_gets_it(netns: Namespace) -> None:
    with Watcher(interfaces=["ppp0"], snapshot=True) as watcher:
        follow = Following(watcher)
        assert not follow.state
        other = netns.veth("v0", "p0")
        fill(netns, "v0", 1)
        for turn in range(3):  # it comes, goes and comes back
            index = netns.veth("ppp0", f"p{turn + 1}")
            fill(netns, "ppp0", 2)
            assert other != index
            follow.becomes(index)
            netns.ip("link delete ppp0")
            assert {c.row.interface_name for c in follow.becomes()} == {"ppp0"}


def test_link_renamed_to_and_from_the_name_comes_and_goes_with_all_rows(netns: Namespace) -> None:
    index = netns.veth("v0", "p0")
    fill(netns, "v0", 1)
    every = {key[0] for key in rows_of(index)}
    assert every == {"route", "address", "interface"}
    with Watcher(interfaces=["w0"], snapshot=True) as watcher:
        follow = Following(watcher)
        netns.ip("link set v0 name w0")
        added = follow.becomes(index)
        assert {c.type for c in added if c.row.interface_index == index} == {ADD}
        assert {c.row.interface_name for c in added} == {"w0"}
        assert {c.synthesized for c in added if c.kind == "route"} == {True}
        known = dict(follow.state)
        netns.ip("link set w0 name v0")
        changes = follow.becomes()
        known |= {(c.kind, c.row.key): c.row for c in changes if c.type != DELETE}
        deleted = {(c.kind, c.row.key): c.row for c in changes if c.type == DELETE}
        # Each as the subscriber knew it, with the name that it had.
        assert deleted == known
        assert {row.interface_name for row in deleted.values()} == {"w0"}
        fill(netns, "v0", 3)
        netns.ip("link delete v0")
        netns.veth("w0", "p1")
        follow.becomes(netns.json("link show dev w0")[0]["ifindex"])
        assert all(c.row.interface_index != index for c in follow.seen)


@pytest.mark.parametrize("name", ["w0", LONG], ids=["short", "long"])
def test_alternative_name_selects_its_link_while_it_has_it(netns: Namespace, name: str) -> None:
    first, second = netns.veth("v0", "p0"), netns.veth("v1", "p1")
    fill(netns, "v0", 1)
    fill(netns, "v1", 2)
    with Watcher(interfaces=[name], snapshot=True) as watcher:
        follow = Following(watcher)
        for index, link in ((first, "v0"), (second, "v1"), (first, "v0")):
            netns.ip(f"link property add dev {link} altname {name}")
            assert {c.row.interface_name for c in follow.becomes(index)} == {link}
            with Watcher(interfaces=[name], snapshot=True) as later:
                Following(later).becomes(index)
            netns.ip(f"link property del dev {link} altname {name}")
            assert {c.row.interface_name for c in follow.becomes()} == {link}


def test_name_that_passes_from_link_to_link_selects_each_in_turn(netns: Namespace) -> None:
    """Also while the process is stopped, so that all messages come at once."""
    indices = [netns.veth(f"v{i}", f"p{i}") for i in range(3)]
    for i in range(3):
        fill(netns, f"v{i}", i + 1)
    with StoppedWatcher(interfaces=["v0"]) as watcher:
        assert {c.index for c in watcher.settled(["v0"])} == {indices[0]}
        with watcher.stopped():
            netns.batch("link set v0 name w0\nlink set v1 name v0\nlink set w0 name v1")
        changes = watcher.settled(["v0"])
        assert_passed(changes, indices[0], indices[1])
        with watcher.stopped():
            netns.batch("link delete v0\nlink set v2 name v0")
        changes = watcher.settled(["v0"])
        assert_passed(changes, indices[1], indices[2])


def assert_passed(changes: list[Seen], before: int, after: int) -> None:
    assert {(c.index, c.type) for c in changes} >= {(before, "DELETE"), (after, "ADD")}
    assert {c.index for c in changes if c.type == "ADD"} == {after}
    assert {c.name for c in changes} == {"v0"}


@pytest.mark.parametrize("receive_buffer", [1 << 24, 4096], ids=["batch", "overflow"])
def test_deleted_and_new_link_of_the_name_keep_their_rows_apart(
    netns: Namespace, receive_buffer: int
) -> None:
    netns.veth("v0", "p0")
    fill(netns, "v0", 1)
    with StoppedWatcher(interfaces=["v0", "w0"], receive_buffer=receive_buffer) as watcher:
        before = {c.index for c in watcher.settled(["v0", "w0"])}
        with watcher.stopped():
            netns.ip("link delete v0")
            netns.veth("w0", "p1")
            fill(netns, "w0", 1)
            netns.ip("link set w0 name v0")
        changes = watcher.settled(["v0", "w0"])
        assert (watcher.overflows > 0) == (receive_buffer == 4096)
    deleted = [c for c in changes if c.type == "DELETE"]
    assert {c.index for c in deleted} == before
    assert {"198.51.1.0/24", "192.0.1.1"} <= {c.what for c in deleted}


def test_rename_between_two_names_of_the_filter_is_a_change_of_the_interface(
    netns: Namespace,
) -> None:
    index = netns.veth("v0", "p0")
    fill(netns, "v0", 1)
    with Watcher("interface", "route", interfaces=["v0", "w0"], snapshot=True) as watcher:
        read_snapshot(watcher)
        netns.ip("link set v0 name w0")
        netns.ip("route add 203.0.113.0/24 dev w0")
        changes: list[netioapi.Change] = []
        while not any(c.kind == "route" for c in changes):
            batch = watcher.read(timeout=60)
            assert batch is not None
            changes += batch
    assert {c.row.interface_index for c in changes} == {index}
    assert {(c.kind, c.type, c.row.interface_name) for c in changes} == {
        ("interface", NotificationType.PARAMETER, "w0"),
        ("route", ADD, "w0"),
    }


def test_index_and_luid_select_that_link_whatever_its_name(netns: Namespace) -> None:
    index = netns.veth("v0", "p0")
    fill(netns, "v0", 1)
    luid = next(
        row.interface_luid
        for row in netioapi.get_ip_interface_table()
        if row.interface_index == index
    )
    with (
        Watcher(interfaces=[index], snapshot=True) as by_index,
        Watcher(interfaces=[luid], snapshot=True) as by_luid,
        Watcher(interfaces=[index, "w0"], snapshot=True) as by_both,
    ):
        followers = [Following(each) for each in (by_index, by_luid, by_both)]
        netns.ip("link set v0 name w0")
        fill(netns, "w0", 3)
        for follow in followers:
            assert all(c.type != DELETE for c in follow.becomes(index))
        netns.ip("link set w0 name v1")
        other = netns.veth("w0", "p1")
        fill(netns, "w0", 4)
        followers[0].becomes(index)
        followers[1].becomes(index)
        followers[2].becomes(index, other)


@pytest.mark.parametrize("index", [16_777_217, 2_000_000_000, 2**31 - 1])
def test_large_index_has_its_own_name_and_filter(netns: Namespace, index: int) -> None:
    netns.ip(f"link add big index {index} type veth peer name p0")
    netns.batch("link set big up\nlink set p0 up")
    fill(netns, "big", 1)
    rows = [row for row in tables().values() if row.interface_index == index]
    assert {row.interface_name for row in rows} == {"big"}
    assert len({row.interface_luid for row in rows}) == 1
    luids = {row.interface_luid for row in tables().values()}
    assert len(luids) == len(netns.json("link show"))
    wanted = rows_of(index)
    for interface in ("big", index, rows[0].interface_luid):
        with Watcher(interfaces=[interface], snapshot=True) as watcher:
            assert Following(watcher).state.keys() == wanted
    with Watcher(interfaces=["lo"], snapshot=True) as watcher:
        assert all(row.interface_name == "lo" for row in Following(watcher).state.values())
    route, _ = netioapi.get_best_route2("198.51.1.1", interface_index=index)
    assert (route.interface_index, route.interface_name) == (index, "big")


@pytest.mark.parametrize("name", ["", "x" * 128, "a\0b", "ä" * 64])
def test_text_that_no_link_can_have_as_name_raises(netns: Namespace, name: str) -> None:
    with pytest.raises(InvalidParameterError):
        Watcher(interfaces=[name])


def test_name_that_is_not_utf8_selects_its_link(netns: Namespace) -> None:
    name = "\udcff\udcfe"
    with Watcher(interfaces=[name], snapshot=True) as watcher:
        follow = Following(watcher)
        netns.ip(f"link add {name} type veth peer name p0")
        index = next(number for number, each in socket.if_nameindex() if each == name)
        netns.ip(f"address add 192.0.2.1/24 dev {name}")
        follow.becomes(index)
