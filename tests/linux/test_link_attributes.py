# SPDX-License-Identifier: MIT
"""Kind, hardware address, alternative names and master of an interface: as `ip` prints them, and
each change of them is reported."""

from __future__ import annotations

import random
from typing import Any

import pytest

import netioapi
from netioapi import IpInterfaceRow, NotificationType, Watcher
from tests.linux.namespace import Namespace
from tests.support.waiting import eventually

LONG = [f"name-{number:04}-" + "x" * 117 for number in range(130)]


def as_ip_prints(netns: Namespace) -> dict[int, tuple[Any, ...]]:
    return {
        link["ifindex"]: (
            link["ifname"],
            link.get("address"),
            link.get("linkinfo", {}).get("info_kind"),
            tuple(link["altnames"]) if "altnames" in link else None,
            link.get("master"),
        )
        for link in netns.json("link show")
    }


def of(row: IpInterfaceRow) -> tuple[Any, ...]:
    return (
        row.interface_name,
        row.hardware_address,
        row.link_kind,
        row.alternative_names,
        row.master_name,
    )


def as_get_returns() -> dict[int, tuple[Any, ...]]:
    rows = netioapi.get_ip_interface_table()
    for row in rows:
        assert of(netioapi.get_ip_interface_entry(row)) == of(row)
    return {row.interface_index: of(row) for row in rows}


STEPS = [
    "link add br0 type bridge",
    "link set br0 up",  # the kernel sends no message about a name of a link that is down
    "link add br1 type bridge",
    "link set v0 master br0",
    "link set v1 master br0",
    "link set br0 name br9",
    "link property add dev br9 altname lan",
    "link set v1 master br1",
    "link property add dev v0 altname w0 altname a-name-that-is-longer-than-15",
    "link property del dev v0 altname w0",
    "link set v0 address 02:00:00:00:00:77",
    "link set v0 nomaster",
    "link set v1 nomaster",
    "link delete br1",
    "link set v1 name br0",
    "link set v0 master br9",
    "link delete br9",
]


@pytest.mark.parametrize("family", [0, 2, 10])
def test_each_change_is_reported_and_equals_what_ip_prints(netns: Namespace, family: int) -> None:
    netns.veth("v0", "p0")
    netns.veth("v1", "p1")
    with Watcher("interface", family=family, snapshot=True) as watcher:
        state: dict[tuple[int, int], tuple[Any, ...]] = {}

        def is_exact() -> bool:
            while batch := watcher.read(timeout=0):
                for change in batch:
                    key = (change.row.family, change.row.interface_index)
                    if change.type == NotificationType.DELETE:
                        assert state.pop(key)
                    else:
                        state[key] = of(change.row)
            wanted = as_ip_prints(netns)
            families = {2, 10} if family == 0 else {family}
            return state == {(f, index): wanted[index] for f in families for index in wanted}

        eventually(is_exact)
        for step in STEPS:
            netns.ip(step)
            eventually(is_exact, what=step)
            assert as_get_returns() == as_ip_prints(netns)


def test_rename_of_the_master_is_a_change_of_its_links(netns: Namespace) -> None:
    index = netns.veth("v0", "p0")
    netns.batch("link add br0 type bridge\nlink set v0 master br0")
    with Watcher("interface", interfaces=[index], family=2, snapshot=True) as watcher:
        names = []

        def has_name(name: str) -> bool:
            while batch := watcher.read(timeout=0):
                names.extend((c.type, c.row.master_name) for c in batch)
            return bool(names) and names[-1][1] == name

        eventually(lambda: has_name("br0"))
        names.clear()
        netns.ip("link set br0 name br9")
        eventually(lambda: has_name("br9"))
    assert set(names) == {(NotificationType.PARAMETER, "br9")}


def test_name_of_a_link_that_is_down_is_found_by_a_new_watcher_and_when_it_goes_up(
    netns: Namespace,
) -> None:
    """The kernel sends no message about it."""
    netns.veth("v0", "p0", up=False)
    with Watcher("interface", interfaces=["lan"]) as earlier:
        netns.ip("link property add dev v0 altname lan")
        with Watcher("interface", interfaces=["lan"], snapshot=True) as later:
            batch = later.read(timeout=60)
            assert batch is not None
            assert {c.row.interface_name for c in batch} == {"v0"}
        netns.ip("link set v0 up")
        batch = earlier.read(timeout=60)
        assert batch is not None
        assert {(c.row.interface_name, c.row.alternative_names) for c in batch} == {
            ("v0", ("lan",))
        }


def test_more_names_than_a_row_can_have_are_cut_off(netns: Namespace) -> None:
    netns.veth("v0", "p0")
    netns.batch("\n".join(f"link property add dev v0 altname {name}" for name in LONG))
    row = next(r for r in netioapi.get_ip_interface_table() if r.interface_name == "v0")
    assert row.alternative_names is not None
    assert len(row.alternative_names) > 120
    assert set(row.alternative_names) <= set(LONG)
    with Watcher(interfaces=[row.alternative_names[-1]], snapshot=True) as watcher:
        batch = watcher.read(timeout=60)
        assert batch is not None
        assert {c.row.interface_name for c in batch} == {"v0"}


def test_names_of_watchers_are_those_of_their_own_namespace(
    netns: Namespace, other_netns: Namespace
) -> None:
    """Both have links with the same indices and other names."""
    rows: list[Any] = []
    for space, name in ((netns, "here"), (other_netns, "there")):
        with space:
            space.ip(f"link add {name} index 77 type veth peer name p{name}")
            space.batch(
                f"link add br{name} index 78 type bridge\nlink set {name} master br{name}\n"
                f"link set {name} up\nlink set p{name} up\naddress add 192.0.2.1/24 dev {name}"
            )
    with other_netns:
        watcher = Watcher(interfaces=["there"], snapshot=True)
    with watcher:  # it is read here
        while not any(row.interface_name == "there" for row in rows):
            batch = watcher.read(timeout=60)
            assert batch is not None
            rows += [change.row for change in batch]
            tables = (batch.routes, batch.addresses, batch.interfaces)
            assert {row.interface_name for table in tables for row in table} <= {"there"}
        with other_netns:
            other_netns.ip("link set there name elsewhere")
            table = netioapi.get_unicast_ip_address_table()
    assert {row.interface_name for row in rows} == {"there"}
    assert {row.master_name for row in rows if isinstance(row, IpInterfaceRow)} == {"brthere"}
    assert "elsewhere" in {row.interface_name for row in table}
    assert {row._asdict(json=True)["interface_name"] for row in rows} == {"there"}


def test_names_after_random_steps_are_those_that_ip_prints(netns: Namespace, seed: int) -> None:
    """Renames, masters, alternative names, deletions and indices that return, quickly."""
    chance = random.Random(seed)
    names = [f"l{i}" for i in range(6)]
    with (
        Watcher(interfaces=names[:3], snapshot=True) as named,
        Watcher("interface", snapshot=True) as every,
    ):
        states: list[dict[Any, Any]] = [{}, {}]

        def take(watcher: Watcher, state: dict[Any, Any]) -> None:
            while batch := watcher.read(timeout=0):
                for c in batch:
                    key = (c.kind, c.row.key)
                    assert (c.type == NotificationType.ADD) == (key not in state), (seed, c)
                    if c.type == NotificationType.DELETE:
                        assert state.pop(key).interface_index == c.row.interface_index
                    else:
                        state[key] = c.row

        def is_exact() -> bool:
            take(named, states[0])
            take(every, states[1])
            wanted = as_ip_prints(netns)
            bearers = {
                i
                for i, (name, _, _, others, _) in wanted.items()
                if {name, *(others or ())} & {*names[:3]}
            }
            found = {row.interface_index: of(row) for row in states[1].values()}
            keys = {
                (kind, row.key)
                for kind, table in (
                    ("route", netioapi.get_ip_forward_table2()),
                    ("address", netioapi.get_unicast_ip_address_table()),
                    ("interface", netioapi.get_ip_interface_table()),
                )
                for row in table
                if row.interface_index in bearers
            }
            return found == wanted and states[0].keys() == keys

        for _ in range(15):
            lines = []
            for _ in range(chance.randint(1, 8)):
                one, two = chance.sample(names, 2)
                index = chance.randint(70, 74)
                lines.append(
                    chance.choice(
                        [
                            f"link add {one} index {index} type veth peer name p{one}\n"
                            f"link set {one} up",
                            f"link delete {one}",
                            f"link set {one} name {two}",
                            f"address add 192.0.{chance.randint(1, 3)}.1/24 dev {one}",
                            f"route add 198.51.{chance.randint(1, 3)}.0/24 dev {one}",
                            f"link property add dev {one} altname {two}",
                            f"link property del dev {one} altname {two}",
                        ]
                    )
                )
            netns.batch("\n".join(lines), check=False)
            eventually(is_exact, what=f"seed {seed}: {lines}")
