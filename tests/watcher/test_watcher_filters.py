# SPDX-License-Identifier: MIT
"""The changes that a filtered Watcher delivers, compared with a model in Python; and the parameters
that it rejects."""

from __future__ import annotations

import contextlib
import random
import re
import socket
from collections.abc import Callable, Mapping
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from netioapi import Change, InvalidParameterError, NotificationType, RouteProtocol, Watcher
from tests.support.changes import State, apply, read_snapshot, read_until, route_to
from tests.support.network import Network
from tests.support.platforms import WINDOWS, linux_only
from tests.support.waiting import eventually

ADD, DELETE = NotificationType.ADD, NotificationType.DELETE

LOCAL = 255
EVERY_TABLE = [100, 200, 253, 254, LOCAL]
# Every table there is. Windows has one, without a number.
EVERYTHING: dict[str, Any] = {} if WINDOWS else {"tables": EVERY_TABLE}
NAMES = {"main": 254, "local": LOCAL, "default": 253}
PREFIXES = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "10.1.2.4/31", "0.0.0.0/0"]
PREFIXES += ["2001:db8::/32", "2001:db8:1::/48", "2001:db8:1::1/128", "2001:db8:1::/49", "::/0"]


def passes(kind: str, row: Any, wanted: dict[str, Any], indices: dict[str, int]) -> bool:
    """The model, following the docstring of Watcher."""
    prefix = None
    if kind == "route":
        prefix = row.destination_prefix
        tables = wanted.get("tables")
        numbers = [NAMES.get(t, t) for t in tables] if tables else set(EVERY_TABLE) - {LOCAL}
        if row.table not in numbers and not WINDOWS:
            return False
        if wanted.get("protocols") and row.protocol not in wanted["protocols"]:
            return False
    elif kind == "address":
        prefix = ip_network(row.address)
    interfaces = wanted.get("interfaces")
    if interfaces and row.interface_index not in [indices.get(i, i) for i in interfaces]:
        return False
    version = {socket.AF_INET: 4, socket.AF_INET6: 6}.get(wanted.get("family", 0))
    if kind == "interface":
        return version in (None, {socket.AF_INET: 4, socket.AF_INET6: 6}[row.family])
    assert prefix is not None
    if version not in (None, prefix.version):
        return False
    networks = [ip_network(p) for p in wanted.get("prefixes") or [str(prefix)]]
    return any(matches(prefix, n, wanted.get("prefix_match", "covered")) for n in networks)


def matches(prefix: Any, wanted: Any, match: str) -> bool:
    if match == "exact" or prefix.version != wanted.version:
        return bool(prefix == wanted)
    return bool(prefix.subnet_of(wanted) if match == "covered" else prefix.supernet_of(wanted))


def draw(chance: random.Random, indices: dict[str, int]) -> dict[str, Any]:
    """Random parameters; each is often left out."""
    choices: dict[str, list[Any]] = {
        **({} if WINDOWS else {"tables": [*EVERY_TABLE, *NAMES]}),
        "interfaces": [*indices, *indices.values()],
        "prefixes": [*PREFIXES, *map(ip_network, PREFIXES)],
        "protocols": [RouteProtocol.BGP, RouteProtocol.NET_MGMT, int(RouteProtocol.LOCAL)],
    }
    wanted: dict[str, Any] = {"family": chance.choice([0, socket.AF_INET, socket.AF_INET6])}
    for name, values in choices.items():
        if chance.random() < 0.4:
            wanted[name] = chance.sample(values, chance.randint(1, 3))
    if chance.random() < 0.7:
        wanted["prefix_match"] = chance.choice(["covered", "exact", "covering"])
    return wanted


def commands(chance: random.Random) -> list[str]:
    lines = []
    for prefix in [*PREFIXES, "10.1.2.0/25", "10.2.0.0/16", "192.168.0.0/16", "2001:db8:1::/64"]:
        for table in ["main"] if WINDOWS else EVERY_TABLE:
            device = chance.choice(["v0", "v1"])
            protocol = chance.choice(["bgp", "static", "kernel", "ospf"])
            lines.append(
                f"route add {prefix} dev {device} table {table} proto {protocol} metric 77"
            )
    for address in ("10.1.2.3/32", "10.9.9.9/24", "172.16.0.1/12", "2001:db8:1::1/64"):
        lines.append(f"address add {address} dev {chance.choice(['v0', 'v1'])}")
    return lines


def view(changes: list[Change]) -> list[tuple[str, int, Any]]:
    return [(c.kind, c.type, c.row) for c in changes]


def present(**wanted: Any) -> State:
    with Watcher(snapshot=True, **wanted) as watcher:
        return {(c.kind, c.row.key): c.row for c in read_snapshot(watcher) if c.initial}


def change_much(netns: Network, chance: random.Random) -> None:
    netns.batch("\n".join(commands(chance)))
    netns.ip("link set v1 down")
    netns.ip("link set v1 up")


def catch_up(watcher: Watcher, state: State) -> None:
    """Applies all changes that have arrived."""
    while batch := watcher.read(timeout=0):
        apply(state, batch)


def test_state_of_filtered_watchers_matches_the_model(netns: Network, seed: int) -> None:
    chance = random.Random(seed)
    indices = {name: netns.veth(name, f"p{name[1:]}") for name in ("v0", "v1")}
    wants = [draw(chance, indices) for _ in range(60)]

    def model(every: Mapping[Any, Any], wanted: dict[str, Any]) -> State:
        return {k: row for k, row in every.items() if passes(k[0], row, wanted, indices)}

    with contextlib.ExitStack() as stack:
        everything = stack.enter_context(Watcher(snapshot=True, **EVERYTHING))
        watchers = [stack.enter_context(Watcher(snapshot=True, **wanted)) for wanted in wants]
        change_much(netns, chance)
        truth: State = {}
        states: list[State] = [{} for _ in wants]

        # The system may change something by itself meanwhile.
        def as_the_model_says() -> bool:
            catch_up(everything, truth)
            for watcher, state in zip(watchers, states, strict=True):
                catch_up(watcher, state)
            same = [s == model(truth, w) for s, w in zip(states, wants, strict=True)]
            return all(same) and truth == present(**EVERYTHING)

        eventually(as_the_model_says)
        assert any(states)
        for wanted in wants:

            def as_the_snapshot_says(wanted: dict[str, Any] = wanted) -> bool:
                return model(present(**EVERYTHING), wanted) == present(**wanted)

            eventually(as_the_snapshot_says, what=f"the snapshot of {wanted}")


@linux_only("each Watcher reads a row at its own time, and may find another state")
def test_changes_of_filtered_watchers_match_the_model(netns: Network, seed: int) -> None:
    chance = random.Random(seed)
    indices = {name: netns.veth(name, f"p{name[1:]}") for name in ("v0", "v1")}
    wants = [draw(chance, indices) for _ in range(60)]
    everything = Watcher(**EVERYTHING)
    watchers = [Watcher(**wanted) for wanted in wants]

    def model(changes: list[Change], wanted: dict[str, Any]) -> list[Change]:
        return [c for c in changes if passes(c.kind, c.row, wanted, indices)]

    try:
        change_much(netns, chance)
        for version, end in ((4, "203.0.113.0/24"), (6, "2001:db8:ffff::/48")):
            netns.ip(f"-{version} route add {end} dev v0 table 100")
        changes = read_until(everything, route_to("2001:db8:ffff::/48"))
        for wanted, watcher in zip(wants, watchers, strict=True):
            expected = model(changes, wanted)
            got: list[Change] = []
            while len(got) < len(expected):
                batch = watcher.read(timeout=60)
                assert batch is not None, (wanted, view(got), view(expected))
                got += batch
            while later := everything.read(timeout=0):  # changes that the system made by itself
                changes += later
            expected = model(changes, wanted)
            assert view(got) == view(expected)[: len(got)], wanted
    finally:
        for watcher in [everything, *watchers]:
            watcher.close()


def test_name_that_no_interface_has_yet_selects_the_one_that_gets_it(netns: Network) -> None:
    netns.veth()
    indices = set()
    with Watcher("address", "route", interfaces=["late"]) as watcher:
        for peer in ("p1", "p2"):  # it goes, and comes back
            netns.ip("address add 10.8.0.1/24 dev v0")
            indices.add(netns.veth("late", peer))
            netns.ip("address add 10.9.0.1/24 dev late")
            changes = read_until(watcher, has_address("10.9.0.1", ADD))
            netns.ip("address delete 10.9.0.1/24 dev late")
            changes += read_until(watcher, has_address("10.9.0.1", DELETE))
            netns.ip("address delete 10.8.0.1/24 dev v0")
            netns.ip("link delete late")
            assert {c.row.interface_index for c in changes} <= indices


def has_address(address: str, type: NotificationType) -> Callable[[Change], bool]:
    return lambda c: c.kind == "address" and c.row.address == ip_address(address) and c.type == type


@linux_only("there is one routing table")
def test_local_table_is_left_out_by_default(netns: Network) -> None:
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    with Watcher("route", snapshot=True) as watcher:
        assert LOCAL not in {c.row.table for c in read_snapshot(watcher)}
    with Watcher("route", snapshot=True, tables=["local"]) as watcher:
        assert {c.row.table for c in read_snapshot(watcher)} == {LOCAL}


@pytest.mark.parametrize(
    ("match", "routes", "addresses"),
    [
        ("covered", ["10.1.2.0/24", "10.1.2.3/32"], ["10.1.2.3"]),
        ("exact", ["10.1.2.0/24"], []),
        ("covering", ["0.0.0.0/0", "10.1.0.0/16", "10.1.2.0/24"], []),
    ],
)
def test_prefix_match_selects_routes_and_addresses(
    netns: Network, match: Any, routes: list[str], addresses: list[str]
) -> None:
    netns.veth()
    netns.ip("address add 10.1.2.3/32 dev v0")
    every = ["0.0.0.0/0", "10.1.0.0/16", "10.1.2.0/24", "10.1.2.3/32", "10.1.3.0/24"]
    tables: dict[str, Any] = {} if WINDOWS else {"tables": ["main"]}
    filters: dict[str, Any] = {"prefixes": ["10.1.2.0/24"], "prefix_match": match, **tables}
    with Watcher("route", "address", **filters) as watcher:
        for prefix in every:
            netns.ip(f"route add {prefix} dev v0 metric 7")
        changes = read_until(watcher, route_to(routes[-1]))
    assert [str(c.row.destination_prefix) for c in changes] == routes
    with Watcher("route", "address", snapshot=True, **filters) as watcher:
        rows = [c.row for c in read_snapshot(watcher)]
    assert sorted(str(r.destination_prefix) for r in rows if hasattr(r, "next_hop")) == routes
    assert [str(r.address) for r in rows if hasattr(r, "address")] == addresses


def test_covering_an_address_selects_the_routes_to_it(netns: Network) -> None:
    """`covering` of one address: the routes that could lead to it."""
    netns.veth()
    with Watcher("route", prefixes=[ip_address("10.1.2.3")], prefix_match="covering") as watcher:
        for prefix in ("10.1.2.0/25", "10.1.2.128/25", "0.0.0.0/0", "10.1.2.4/32", "10.1.2.3/32"):
            netns.ip(f"route add {prefix} dev v0 metric 7")
        changes = read_until(watcher, route_to("10.1.2.3/32"))
    found = [str(c.row.destination_prefix) for c in changes]
    assert found == ["10.1.2.0/25", "0.0.0.0/0", "10.1.2.3/32"]


def test_route_that_changes_protocol_enters_and_leaves_the_filter(netns: Network) -> None:
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    with Watcher("route", protocols=[RouteProtocol.BGP]) as watcher:
        changes: list[Change] = []
        for protocol, type in (("bgp", ADD), ("static", DELETE)) * 2:
            netns.ip(f"route replace 10.9.0.0/16 via 10.0.0.2 proto {protocol}")
            changes += read_until(watcher, route_to("10.9.0.0/16", type))
        netns.ip("route add 10.10.0.0/16 via 10.0.0.2 proto bgp")
        changes += read_until(watcher, route_to("10.10.0.0/16"))
    assert [c.type.name for c in changes] == ["ADD", "DELETE", "ADD", "DELETE", "ADD"]
    assert {c.row.protocol for c in changes} == {RouteProtocol.BGP}


@pytest.mark.parametrize(
    ("kinds", "parameters", "error", "says"),
    [
        (["routes"], {}, ValueError, "unknown kind 'routes': use any of 'route', 'address', 'int"),
        ([["route"]], {}, TypeError, "pass each as an argument"),
        ([7], {}, TypeError, "a kind is a str, not 7"),
        ([], {"family": 77}, InvalidParameterError, "family must be AF_UNSPEC, AF_INET or"),
        ([], {"family": "inet"}, TypeError, "family"),
        ([], {"tables": "main"}, TypeError, "tables=["),
        ([], {"tables": 254}, TypeError, "tables=["),
        ([], {"tables": ["mian"]}, ValueError, "unknown table 'mian'"),
        ([], {"tables": [-1]}, ValueError, "-1 in tables is not from 0"),
        ([], {"tables": [2**32]}, ValueError, "4294967296 in tables"),
        ([], {"tables": [2.5]}, TypeError, "2.5 in tables: a table is an int or a name"),
        ([], {"tables": []}, ValueError, "tables is empty"),
        ([], {"interfaces": "v0"}, TypeError, "interfaces=["),
        ([], {"interfaces": [""]}, InvalidParameterError, "no interface can be named ''"),
        ([], {"interfaces": ["x" * 257]}, InvalidParameterError, "no interface can be named"),
        ([], {"interfaces": ["a\0b"]}, InvalidParameterError, "no interface can be named"),
        ([], {"interfaces": [2**64]}, ValueError, "is not from 0 to 18446744073709551615"),
        ([], {"interfaces": [2**63]}, InvalidParameterError, "with the LUID 9223372036854775808"),
        ([], {"interfaces": [99999]}, InvalidParameterError, "99999"),
        ([], {"interfaces": [0]}, InvalidParameterError, "0"),
        ([], {"interfaces": [None]}, TypeError, "an index (int) or a name (str)"),
        ([], {"prefixes": "10.0.0.0/8"}, TypeError, "prefixes=["),
        ([], {"prefixes": ["10.0.0.1/8"]}, ValueError, "it has host bits set; use '10.0.0.0/8'"),
        ([], {"prefixes": ["10.0.0.0/33"]}, ValueError, "'10.0.0.0/33' in prefixes"),
        ([], {"prefixes": ["here"]}, ValueError, "use one like '10.0.0.0/8'"),
        ([], {"prefixes": [10]}, TypeError, "10 in prefixes"),
        ([], {"prefix_match": "longer"}, ValueError, "one of 'covered', 'exact', 'covering', not"),
        ([], {"prefix_match": None}, TypeError, "one of 'covered', 'exact', 'covering', not None"),
        (
            [],
            {"protocols": ["bgp"]},
            TypeError,
            "'bgp' in protocols: use numbers of RouteProtocol",
        ),
        ([], {"settle": -0.1}, ValueError, "settle must be a number of seconds, at least 0"),
        ([], {"settle": float("nan")}, ValueError, "at least 0, not nan"),
        ([], {"settle": float("inf")}, ValueError, "finite, not inf"),
        (
            [],
            {"settle": "1s"},
            TypeError,
            "settle must be a number of seconds, at least 0, not '1s'",
        ),
        ([], {"max_delay": -1}, ValueError, "max_delay must be"),
        ([], {"queue": 0}, ValueError, "queue must be at least 1"),
        ([], {"queue": 1.5}, TypeError, "queue must be an int"),
        ([], {"receive_buffer": 0}, ValueError, "receive_buffer must be at least 1"),
        ([], {"receive_buffer": "1M"}, TypeError, "receive_buffer must be an int"),
    ],
)
def test_wrong_parameter_raises_with_its_name_and_remedy(
    netns: Network, kinds: list[Any], parameters: dict[str, Any], error: type, says: str
) -> None:
    with pytest.raises(error, match=re.escape(says)):
        Watcher(*kinds, **parameters)


def test_positional_parameter_that_is_no_kind_raises_type_error(netns: Network) -> None:
    with pytest.raises(TypeError):
        Watcher("route", 2)  # type: ignore[arg-type]


def test_read_with_wrong_arguments_raises(netns: Network) -> None:
    for settle in (0, 1):
        with Watcher(settle=settle) as watcher:
            for timeout in (-1, float("nan")):
                with pytest.raises(
                    ValueError, match="timeout must be a number of seconds, at least 0"
                ):
                    watcher.read(timeout=timeout)
            with pytest.raises(TypeError):
                watcher.read(timeout="1")  # type: ignore[arg-type]
            with pytest.raises(ValueError, match="max_changes must be at least 1"):
                watcher.read(max_changes=0)
            with pytest.raises(TypeError, match="max_changes must be an int"):
                watcher.read(max_changes="1")  # type: ignore[arg-type]


def test_list_parameters_accept_any_iterable(netns: Network) -> None:
    netns.veth()
    tables: dict[str, Any] = {} if WINDOWS else {"tables": iter((254, "default"))}
    with Watcher(
        "route",
        **tables,
        interfaces={"v0"},
        prefixes=(p for p in [ip_network("10.0.0.0/8"), "2001:db8::1"]),
        protocols=range(1, 20),
        queue=1,
        receive_buffer=1 << 20,
        max_delay=1,
    ) as watcher:
        netns.ip("route add 10.6.0.0/16 dev v0")
        read_until(watcher, route_to("10.6.0.0/16"))
        assert watcher.stats()["receive_buffer"] > 0 or WINDOWS  # Windows has no receive buffer
