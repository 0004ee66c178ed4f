# SPDX-License-Identifier: MIT
"""The test helpers work, and fail when they must."""

import os
import sys
import threading

import pytest

from netioapi import NotificationType
from tests.support import promise
from tests.support.collector import Collector
from tests.support.network import Network
from tests.support.processes import python, run
from tests.support.promise import assert_reported, never_merged


def test_collector_returns_at_once_or_fails_at_its_deadline() -> None:
    collector = Collector()
    thread = threading.Thread(target=collector, args=(1, "a"))
    thread.start()
    assert collector.wait_any(lambda number, _: number == 1) == (1, "a")
    thread.join()
    with pytest.raises(AssertionError, match="not within"):
        collector.wait_count(2, timeout=0.01)


def test_run_fails_on_wrong_exit_code_missing_marker_or_hang() -> None:
    assert python("print('here')", marker="here").returncode == 0
    with pytest.raises(AssertionError, match="exit code 3"):
        python("raise SystemExit(3)")
    with pytest.raises(AssertionError, match="no 'marker'"):
        python("print('else')", marker="marker")
    with pytest.raises(AssertionError, match="still running"):
        run([sys.executable, "-c", "import time; time.sleep(1000)"], timeout=0.5)


A, P, D = NotificationType.ADD, NotificationType.PARAMETER, NotificationType.DELETE


@pytest.mark.parametrize(
    ("types", "left"),
    [
        ([A, P, P], [A, P]),
        ([A, D], [D]),
        ([D, A], [A]),
        ([P, P], [P]),
        ([A, P, D, A, P], [A, P]),
    ],
)
def test_promise_names_the_changes_of_a_key_that_are_never_merged(
    types: list[int], left: list[int]
) -> None:
    assert never_merged(types) == left


@pytest.mark.parametrize("windows", [True, False])
def test_promise_fails_on_lost_invented_and_disordered_changes(
    windows: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(promise, "WINDOWS", windows)
    made = [("x", A), ("y", A), ("x", P), ("y", D), ("x", P)]
    assert_reported(made, made)
    for wrong in [made[:3], [made[1], made[0], *made[2:]], [*made, ("x", D)], made[1:]]:
        with pytest.raises(AssertionError):
            assert_reported(made, wrong)
    merged = [("x", A), ("y", D), ("x", P)]
    if windows:
        assert_reported(made, merged)
    else:
        with pytest.raises(AssertionError):
            assert_reported(made, merged)


def test_network_starts_with_lo_alone(netns: Network) -> None:
    assert [(one["ifname"], one["ifindex"]) for one in netns.json("link")] == [("lo", 1)]
    assert {route["dev"] for route in netns.json("route")} <= {"lo"}
    index = netns.veth()
    assert index > 1
    assert {link["ifname"]: link["ifindex"] for link in netns.json("link")}["v0"] == index
    netns.ip("route add 10.0.0.0/8 dev v0")
    assert "10.0.0.0/8" in [route["dst"] for route in netns.json("route")]
    with pytest.raises(AssertionError, match="exists"):
        netns.ip("route add 10.0.0.0/8 dev v0")
    netns.ip("route add 10.0.0.0/8 dev v0", check=False)


def test_namespaces_are_separate(netns: Network, other_netns: Network) -> None:
    index = netns.veth()
    assert index > 1
    assert {link["ifname"] for link in netns.json("link")} == {"lo", "v0", "p0"}
    netns.sysctl("ipv4.ip_forward", 1)
    with other_netns:
        assert [link["ifname"] for link in other_netns.json("link")] == ["lo"]
        assert other_netns.sysctl("ipv4.ip_forward") == "0"
    assert netns.sysctl("ipv4.ip_forward") == "1"
    netns.ip(f"link set p0 netns {other_netns.path}")
    with other_netns:
        assert {link["ifname"] for link in other_netns.json("link")} == {"lo", "p0"}
    shown = python("import os; print(os.readlink('/proc/self/ns/net'))").stdout.strip()
    assert shown == os.readlink("/proc/thread-self/ns/net")
