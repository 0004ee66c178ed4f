# SPDX-License-Identifier: MIT
"""`netioapi demo`: it succeeds on a real kernel, and reports each difference that is planted."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from netioapi.cli.demo import links, oracle, rtnetlink
from tests.support.cli import COMMAND, Running, netioapi, records
from tests.support.network import Network
from tests.support.platforms import linux_only
from tests.support.processes import python, run
from tests.support.waiting import eventually

of_namespaces = linux_only("there are no network namespaces")
NO_NAMESPACES = (
    "echo 0 > /proc/sys/user/max_user_namespaces; echo 0 > /proc/sys/user/max_net_namespaces; "
)


def demo_records(*arguments: str) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """The steps by name, and the verdict."""
    start, *steps, verdict = records(netioapi("demo", "--json", *arguments).stdout)
    assert start["kind"] == "start"
    assert {step["kind"] for step in steps} == {"step"}
    assert verdict["kind"] == "verdict"
    return {step["name"]: step for step in steps}, verdict


@of_namespaces
def test_demo_state_equals_the_kernels(netns: Network) -> None:
    steps, verdict = demo_records()
    assert verdict["equal"] is True
    assert verdict["table_equal"] is True
    assert verdict["only_reported"] == verdict["only_kernel"] == []
    assert steps["add"]["added"] == 1000
    assert steps["replace"]["added"] == steps["replace"]["deleted"] == 5
    assert steps["multipath"]["added"] == 2
    assert steps["delete"]["deleted"] == 125
    # 500 routes and the connected one; the route with two metrics; one leg of the multipath.
    assert steps["down"]["kernel_deleted_ipv4"] == 0
    assert steps["down"]["reported_deleted_ipv4"] == 502
    assert steps["down"]["synthesized"] >= 502
    assert [step["step"] for step in steps.values()] == list(range(1, 9))


@of_namespaces
@pytest.mark.parametrize("routes", ["20", "21", "30001"])
def test_demo_with_any_number_of_routes_is_exact(netns: Network, routes: str) -> None:
    steps, verdict = demo_records("--routes", routes)
    assert verdict["equal"] is True
    assert steps["add"]["added"] == int(routes)


@of_namespaces
def test_demo_text_shows_the_verdict(netns: Network) -> None:
    shown = netioapi("demo", env={"PYTHONUTF8": "1"}).stdout
    assert "✓ The state rebuilt from" in shown
    assert "\x1b" not in shown
    assert "(unannounced)" in shown
    assert max(map(len, shown.splitlines())) < 120


@of_namespaces
def test_demo_text_without_unicode_is_ascii(netns: Network) -> None:
    shown = netioapi("demo", env={"PYTHONIOENCODING": "ascii"}).stdout
    assert shown.isascii()
    assert "\nok The state rebuilt" in shown


@of_namespaces
def test_demo_runs_no_program_and_changes_nothing_outside(netns: Network) -> None:
    netns.veth("v0", "p0", up=False)
    before = netns.ip("link") + netns.ip("route show table all") + netns.ip("address")
    netioapi("demo", env={"PATH": "", "HOME": "/nonexistent"})
    assert netns.ip("link") + netns.ip("route show table all") + netns.ip("address") == before


def demo_with(patch: str, code: int) -> str:
    program = (
        "import sys, netioapi\n"
        "from netioapi.cli import main\n"
        "from netioapi.cli.demo import story\n"
        "story.TIMEOUT_S = 0.1\n"
        f"{patch}\n"
        "sys.exit(main(['demo', '--routes', '100']))\n"
    )
    return python(program, code=code, env={"PYTHONUTF8": "1"}).stdout


@of_namespaces
@pytest.mark.parametrize(
    "patch",
    [
        # one change is lost
        "State = story.State; apply = State.apply\n"
        "State.apply = lambda self, c: None if '10.0.9.0' in repr(c.row) else apply(self, c)",
        # the unreported deletions are missing
        "State = story.State; apply = State.apply\n"
        "State.apply = lambda self, c: None if c.synthesized else apply(self, c)",
        # the table lacks a row
        "get = netioapi.get_ip_forward_table2\n"
        "netioapi.get_ip_forward_table2 = lambda: list(get())[1:]",
        # the kernel has one route more
        "facts = story.oracle.facts\n"
        "story.oracle.facts = lambda kernel: facts(kernel) | {('route', 1)}",
    ],
    ids=["lost", "silent", "table", "kernel"],
)
def test_demo_with_a_fault_reports_a_difference(netns: Network, patch: str) -> None:
    shown = demo_with(patch, code=1)
    assert "✗ The state rebuilt from" in shown
    assert "\n✓" not in shown


@of_namespaces
def test_demo_without_a_fault_reports_equality(netns: Network) -> None:
    assert "\n✓" in demo_with("", code=0)


# ---- where namespaces are forbidden -------------------------------------------


def forbidden(line: str) -> list[str]:
    command = NO_NAMESPACES + " ".join([*COMMAND, line])
    done = run(["unshare", "-Urn", "sh", "-c", command])
    assert done.stderr == ""
    return done.stdout.splitlines()


@of_namespaces
def test_demo_with_forbidden_namespaces_prints_the_reason(netns: Network) -> None:
    reason, instead, *_ = forbidden("demo")
    assert reason.startswith("netioapi demo: no network namespace here: No space left on device; ")
    assert "max_user_namespaces" in reason
    assert instead == "Watching the live system for 3 s instead:"


@of_namespaces
@pytest.mark.slow
def test_demo_json_with_forbidden_namespaces_is_one_record(netns: Network) -> None:
    (record,) = records("\n".join(forbidden("demo --json")))
    assert record["kind"] == "forbidden"


@pytest.mark.parametrize("json", [False, True])
def test_demo_without_fork_watches_the_live_system(netns: Network, json: bool) -> None:
    """Windows has no fork(); it can be hidden here, too."""
    program = (
        "import os, sys\n"
        "vars(os).pop('fork', None)\n"
        "from netioapi.cli import demo, main\n"
        "demo.LIVE_SECONDS = 0.0\n"
        f"sys.exit(main(['demo', *{['--json'] * json}]))\n"
    )
    first, *_ = python(program, env={"PYTHONUTF8": "1"}).stdout.splitlines()
    if json:
        record = records(first)[0]
        assert record["kind"] == "forbidden"
        first = record["reason"]
    assert "this system has no network namespaces" in first


# ---- how it ends --------------------------------------------------------------


def children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@of_namespaces
@pytest.mark.parametrize(
    "name",
    ["SIGINT", *(pytest.param(name, marks=pytest.mark.slow) for name in ("SIGTERM", "SIGKILL"))],
)
def test_signal_ends_demo_and_its_child(netns: Network, name: str) -> None:
    number = signal.Signals[name]
    with Running("demo", "--json", "--routes", "10000000") as demo:
        demo.wait_record(kind="step", name="links")
        (child,) = children(demo.pid)
        assert demo.end(number) == -number
        assert demo.errors == ""
        with contextlib.suppress(ChildProcessError):
            eventually(lambda: not Path(f"/proc/{child}").exists(), what=f"{child} lives on")


@of_namespaces
def test_closed_pipe_ends_demo_quietly(netns: Network) -> None:
    script = f'set -o pipefail; {" ".join(COMMAND)} demo | head -1; echo "$?"'
    done = run(["bash", "-c", script])
    assert done.stdout.splitlines() == ["netioapi demo", "141"]
    assert done.stderr == ""


@of_namespaces
def test_demo_on_a_terminal_shows_progress_and_colour(netns: Network) -> None:
    import pty  # missing on Windows

    mine, its = pty.openpty()
    env = {**os.environ, "TERM": "xterm", "PYTHONUTF8": "1"}
    env.pop("NO_COLOR", None)
    with subprocess.Popen(
        [*COMMAND, "demo", "--routes", "20000"], stdout=its, stderr=its, env=env
    ) as process:
        os.close(its)
        found = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while data := os.read(mine, 65536):
                found += data
        os.close(mine)
        assert process.wait(20) == 0
    shown = found.decode()
    assert "of 20,000 routes" in shown
    assert "\r\x1b[K" in shown
    assert "\x1b[1;32m✓\x1b[0m" in shown


@pytest.mark.parametrize("total", [10, 70_000], ids=["/24", "/32"])
def test_demo_routes_have_distinct_prefixes(total: int) -> None:
    found = {links.destination_4(number, total) for number in range(total)}
    assert len(found) == total
    assert {address[0] for address, _ in found} == {10}
    assert {length for _, length in found} == ({24} if total == 10 else {32})


# ---- its own rtnetlink --------------------------------------------------------


@of_namespaces
def test_demo_oracle_matches_ip(netns: Network) -> None:
    netns.veth("v0", "p0")
    netns.ip("address add 192.0.2.1/24 dev v0")
    netns.batch(
        "route add default via 192.0.2.2 metric 5 table 77\n"
        "route add 203.0.113.0/24 nexthop via 192.0.2.2 weight 2 nexthop via 192.0.2.3\n"
        "route add 2001:db8::/64 dev v0 metric 9\n"
        "route add blackhole 198.51.100.0/24\n"
    )
    with rtnetlink.Netlink() as kernel:
        found = oracle.facts(kernel)
    index = netns.json("link show dev v0")[0]["ifindex"]
    assert {fact for fact in found if fact[0] == "route" and fact[1] in (77, 254)} >= {
        ("route", 77, 0, 5, "0.0.0.0/0", index, "192.0.2.2", "UNICAST", 1),
        ("route", 254, 0, 0, "203.0.113.0/24", index, "192.0.2.2", "UNICAST", 2),
        ("route", 254, 0, 0, "203.0.113.0/24", index, "192.0.2.3", "UNICAST", 1),
        ("route", 254, 0, 9, "2001:db8::/64", index, "::", "UNICAST", 1),
    }
    assert ("address", index, "192.0.2.1/24", 0x80) in found
    assert ("interface", "ipv4", index, "v0", True) in found


@of_namespaces
def test_refused_netlink_request_raises_the_kernels_errno(netns: Network) -> None:
    with rtnetlink.Netlink() as kernel, pytest.raises(OSError, match="No such process") as error:
        kernel.request(rtnetlink.RTM_DELROUTE, 0, rtnetlink.route_body(bytes(4), 0))
    assert error.value.errno == 3
