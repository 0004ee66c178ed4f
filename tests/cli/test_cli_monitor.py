# SPDX-License-Identifier: MIT
"""`netioapi monitor`: its output for real changes, and how it ends."""

from __future__ import annotations

import os
import re
import shlex
import signal
import struct
import subprocess
import sys
from typing import IO

import pytest

from netioapi import Batch
from netioapi.cli.output.lines import Lines
from netioapi.cli.stream import WAITING, Stream, events_of
from tests.support.cli import (
    COMMAND,
    OWN_CONSOLE,
    Running,
    ended_by,
    live_monitor,
    netioapi,
    records,
    send_signal,
)
from tests.support.network import Network, settle_slowly
from tests.support.platforms import WINDOWS, linux_only, skip_on_wine_alone
from tests.support.waiting import eventually

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
CLOCK = r"\d\d:\d\d:\d\d\.\d{6}"
ESCAPES = "x\x1b[31m"
NASTY = [ESCAPES, ";rm$IFS-rf", "$(reboot)", "{x}\\n", "[red]x", "ü€", "a\u202eb"]


@pytest.fixture
def v0(netns: Network) -> Network:
    netns.veth("v0", "p0")
    netns.ip("address add 192.0.2.1/24 dev v0")
    return netns


def test_monitor_json_prints_route_changes(v0: Network) -> None:
    with live_monitor("route") as monitor:
        v0.ip("route add 203.0.113.0/24 via 192.0.2.2 metric 7")
        added = monitor.wait_record(destination_prefix="203.0.113.0/24", change="add")
        v0.ip("route delete 203.0.113.0/24")
        monitor.wait_record(destination_prefix="203.0.113.0/24", change="delete")
        shown = monitor.records
    assert added["kind"] == "route"
    assert added["next_hop"] == "192.0.2.2"
    assert added["interface_name"] == "v0"
    assert added["metric"] == 7
    assert added["table"] == (None if WINDOWS else 254)
    assert added["type"] == (None if WINDOWS else "unicast")
    assert added["family"] == "ipv4"
    assert added["initial"] is False
    assert added["synthesized"] is False
    assert any(record.get("initial") for record in shown)
    assert all(TIME.fullmatch(record["time"]) for record in shown)
    assert {record["kind"] for record in shown} == {"route", "mark"}


@linux_only("a link that goes down keeps its routes")
def test_monitor_prints_a_deletion_that_the_kernel_does_not_report(v0: Network) -> None:
    v0.ip("route add 203.0.113.0/24 via 192.0.2.2")
    with live_monitor("route", "-4") as monitor:
        v0.ip("link set v0 down")
        gone = monitor.wait_record(destination_prefix="203.0.113.0/24", change="delete")
    assert gone["synthesized"] is True


def test_monitor_without_kinds_prints_all_three(netns: Network) -> None:
    with live_monitor() as monitor:
        netns.veth("v0", "p0")
        netns.ip("address add 192.0.2.1/24 dev v0")
        monitor.wait_record(kind="interface", interface_name="v0", family="ipv6")
        added = monitor.wait_record(kind="address", address="192.0.2.1", change="add")
        # On Windows a new IPv4 address is tentative at first.
        address = monitor.wait_record(kind="address", address="192.0.2.1", dad_state="preferred")
        monitor.wait_record(kind="route", destination_prefix="192.0.2.0/24", change="add")
    assert address == added or WINDOWS
    assert address["on_link_prefix_length"] == 24


def test_monitor_text_describes_each_change(v0: Network) -> None:
    with Running("monitor", "--snapshot") as monitor:
        monitor.wait_line(lambda line: "the state is exact" in line)
        v0.ip("route add 198.51.100.0/24 via 192.0.2.2 metric 5")
        added = monitor.wait_line(lambda line: "198.51.100.0/24" in line)
        v0.ip("link set v0 down")
        monitor.wait_line(lambda line: " ~ interface  v0 ipv4 disconnected" in line)
        v0.ip("route add 198.51.100.128/25 dev p0")
        monitor.wait_line(lambda line: "+ route      198.51.100.128/25 dev p0" in line)
        v0.ip("link delete p0")  # after which its name cannot be looked up
        monitor.wait_line(lambda line: "- route      198.51.100.128/25 dev p0" in line)
    assert re.fullmatch(
        rf"{CLOCK}  \+ route      198.51.100.0/24 via 192.0.2.2 dev v0 metric 5 by \w+", added
    )


@linux_only("no blackholes, no tables, and every deletion is reported")
def test_monitor_text_describes_changes_of_linux_alone(v0: Network) -> None:
    v0.ip("route add 198.51.100.0/24 via 192.0.2.2")
    with Running("monitor", "--snapshot") as monitor:
        monitor.wait_line(lambda line: "the state is exact" in line)
        v0.ip("route replace blackhole 203.0.113.0/24 metric 5 table 77")
        added = monitor.wait_line(lambda line: "203.0.113.0/24" in line)
        v0.ip("link set v0 down")
        gone = monitor.wait_line(lambda line: "198.51.100.0/24" in line and " - " in line)
    assert re.fullmatch(
        rf"{CLOCK}  \+ route      blackhole 203.0.113.0/24 dev lo metric 5 table 77 by boot", added
    )
    assert re.fullmatch(
        rf"{CLOCK}  - route      198.51.100.0/24 via 192.0.2.2 dev v0 by boot  \(unannounced\)",
        gone,
    )


def test_overflow_mark_precedes_and_synced_mark_follows_the_changes() -> None:
    skip_on_wine_alone("GetIpInterfaceTable")
    marks = list(events_of(Batch([], True, True)))
    assert [(mark.kind, mark.change) for mark in marks] == [
        ("mark", "overflow"),
        ("mark", "synced"),
    ]
    assert marks[0].time_ns <= marks[1].time_ns
    lost, exact = (Lines(json=False).text(mark) for mark in marks)
    assert lost.endswith("  ! mark       changes were lost; their repair follows")
    assert exact.endswith("  = mark       the state is exact")


@linux_only("there is one routing table")
def test_monitor_of_chosen_tables_prints_their_routes_alone(v0: Network) -> None:
    with (
        live_monitor("route", "--table", "77") as table,
        live_monitor("route", "--table", "local", "--table", "88") as tables,
    ):
        v0.ip("route add 203.0.113.1/32 dev v0")
        v0.ip("route add 203.0.113.2/32 dev v0 table 77")
        v0.ip("route add local 203.0.113.3/32 dev v0 table local")
        v0.ip("route add 203.0.113.5/32 dev v0 table 88")
        assert table.wait_record(destination_prefix="203.0.113.2/32")["table"] == 77
        assert tables.wait_record(destination_prefix="203.0.113.3/32")["type"] == "local"
        tables.wait_record(destination_prefix="203.0.113.5/32")
        marks = [{"kind": "mark"}]
        assert {r.get("table") for r in table.records if r not in marks} <= {77, None}
        assert {r.get("table") for r in tables.records} == {255, 88, None}


def test_monitor_of_a_family_or_interface_prints_its_changes_alone(v0: Network) -> None:
    v0.ip("link add v1 type veth peer name p1")
    v0.ip("link set v1 up")
    with live_monitor("route", "-6") as six, live_monitor("--interface", "v1") as interface:
        v0.ip("route add 203.0.113.1/32 dev v0")
        v0.ip("-6 route add 2001:db8::/64 dev v0")
        v0.ip("route add 203.0.113.4/32 dev v1")
        six.wait_record(destination_prefix="2001:db8::/64")
        interface.wait_record(destination_prefix="203.0.113.4/32")
        assert {r.get("family") for r in six.records} == {"ipv6", None}
        assert {r.get("interface_name") for r in interface.records} == {"v1", None}


def test_monitor_mixes_hint_teredo_and_routes(v0: Network) -> None:
    with live_monitor("route", "hint", "teredo") as monitor:
        first = monitor.wait_record(kind="hint")
        assert monitor.wait_record(kind="teredo") | {"time": ""} == {
            "time": "",
            "kind": "teredo",
            "change": "parameter",
            "initial": True,
            "synthesized": False,
            "port": 0,
        }
        v0.ip("route add default via 192.0.2.2")
        monitor.wait_record(kind="route", destination_prefix="0.0.0.0/0", change="add")
        hint = monitor.wait_record(kind="hint", connectivity_level="internet_access")
        # The address holds port 40000 and the client's address with all bits inverted.
        v0.ip("address add 2001:0:c000:201:0:63bf:3fff:fdfe/128 dev v0 nodad")
        assert monitor.wait_record(kind="teredo", port=40000)["initial"] is False
    assert first["initial"] is True
    assert first["connectivity_level"] == "local_access"
    assert hint["initial"] is False


def test_monitor_stable_waits_for_tentative_addresses(netns: Network) -> None:
    settle_slowly(netns)
    netns.veth("v0", "p0", up=False)
    for link in ("v0", "p0"):
        netns.sysctl(f"ipv6.conf.{link}.addr_gen_mode", 1)
        netns.ip(f"link set {link} up")
    netns.ip("address add 2001:db8::1/64 dev v0")
    with Running("monitor", "stable", "-6", "--json", "--count", "1") as monitor:
        record = monitor.wait_record(kind="stable")
        assert monitor.wait() == 0
    found = {row["address"]: row["dad_state"] for row in record["addresses"]}
    assert found["2001:db8::1"] == "preferred"


def test_monitor_stable_goes_on_after_the_first_table(netns: Network) -> None:
    netns.veth("v0", "p0")
    with Running("monitor", "stable", "-4", "--json", "--count", "3") as monitor:
        first = monitor.wait_record(kind="stable", initial=True)
        assert [row["address"] for row in first["addresses"]] == ["127.0.0.1"]
        netns.ip("address add 10.0.0.1/24 dev v0")
        monitor.wait_record(kind="stable", initial=False)
        netns.ip("address add 10.0.0.2/24 dev v0")
        assert monitor.wait() == 0
    sizes = [len(record["addresses"]) for record in monitor.records if record["kind"] == "stable"]
    assert sizes == [1, 2, 3]


def test_waiting_callback_events_are_bounded(netns: Network) -> None:
    with Stream(["teredo", "hint"], family=0) as stream:
        for port in range(1000):
            stream._put("teredo", port, initial=False)
        stream._put("hint", "one", initial=False)
        seen = [event for events in stream.events(0) for event in events]
        ports = [event.payload for event in seen if event.kind == "teredo"]
        assert ports == [*range(WAITING - 1), 999]
        assert "one" in [event.payload for event in seen]
        stream._put("teredo", 7, initial=False)
        assert [event.payload for (event,) in stream.events(0)] == [7]


def test_monitor_settle_prints_the_final_difference(v0: Network) -> None:
    with live_monitor("route", "--settle", "0.2") as monitor:
        v0.batch(
            "route add 203.0.113.0/24 dev v0\n"
            "route delete 203.0.113.0/24 dev v0\n"
            "route add 198.51.100.0/24 dev v0 metric 3\n"
        )
        monitor.wait_record(destination_prefix="198.51.100.0/24")
        seen = [r for r in monitor.records if r.get("destination_prefix") == "203.0.113.0/24"]
    assert [r["change"] for r in seen] in ([], ["delete"])


def test_monitor_count_is_exact(v0: Network) -> None:
    done = netioapi("monitor", "--snapshot", "--json", "--count", "3")
    assert len(records(done.stdout)) == 3
    assert done.stderr == ""


def test_monitor_ends_after_its_duration(netns: Network) -> None:
    done = netioapi("monitor", "route", "-4", "--json", "--snapshot", "--duration", "0.3")
    kinds = [record["kind"] for record in records(done.stdout)]
    assert kinds[-1] == "mark"
    assert kinds == ["mark"] or WINDOWS  # lo has routes there, which Linux keeps in another table
    assert netioapi("monitor", "--duration", "0").stdout == ""


@pytest.mark.parametrize("name", NASTY)
def test_interface_names_are_escaped(netns: Network, name: str) -> None:
    with Running("monitor", "--snapshot") as people, live_monitor() as program:
        people.wait_line(lambda line: "the state is exact" in line)
        netns.ip(f"link add name {shlex.quote(name)} type veth peer name p0")
        record = program.wait_record(kind="interface", interface_name=name)
        people.wait_line(lambda line: " + interface  p0 ipv4" in line)
        people.wait_line(lambda line: line.count(" + interface") and "p0" not in line)
        program_lines, people_lines = program.lines, people.lines
    assert record["family"] in ("ipv4", "ipv6")
    shown = "".join(program_lines + people_lines)
    assert shown.isprintable()
    assert name.isprintable() or name not in shown
    if name == ESCAPES:
        assert any("x\\x1b[31m" in line for line in people_lines)


@linux_only("names are Unicode")
def test_interface_name_that_is_not_utf8_round_trips(netns: Network) -> None:
    name = b"x\xff\xfe"
    subprocess.run(
        [b"ip", b"link", b"add", b"name", name, b"type", b"veth", b"peer", b"name", b"p0"],
        check=True,
    )
    assert "x\\xff\\xfe" in netioapi("show", "interface").stdout
    shown = records(netioapi("show", "interface", "--json").stdout)
    assert os.fsdecode(name) in {record["interface_name"] for record in shown}
    only = records(netioapi("show", "interface", "--interface", os.fsdecode(name), "--json").stdout)
    assert {record["interface_name"] for record in only} == {os.fsdecode(name)}


SIGNALS = [
    signal.SIGINT,
    pytest.param(signal.SIGTERM, marks=linux_only("no other process can send it")),
]


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("kinds", [(), ("route", "hint", "teredo")], ids=["watcher", "both"])
def test_signal_ends_monitor_quietly(netns: Network, number: int, kinds: tuple[str, ...]) -> None:
    with live_monitor(*kinds) as monitor:
        assert monitor.end(number) in ended_by(number)  # a shell shows 128 + number
        assert monitor.errors == ""


@pytest.mark.parametrize("number", SIGNALS)
def test_signal_ends_monitor_while_its_pipe_is_full(v0: Network, number: int) -> None:
    v0.batch("\n".join(f"route add 10.0.{i}.0/24 dev v0" for i in range(256)))
    command = [*COMMAND, "monitor", "--snapshot", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, creationflags=OWN_CONSOLE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        eventually(lambda: process.stdout is not None and _is_nearly_full(process.stdout))
        send_signal(process, number)
        assert process.wait(60) in ended_by(number)
        assert process.stderr.read() == b""


def _is_nearly_full(pipe: IO[bytes]) -> bool:
    if sys.platform == "win32":
        import _winapi
        import msvcrt

        waiting = int(_winapi.PeekNamedPipe(msvcrt.get_osfhandle(pipe.fileno()), 0)[0])
        return waiting > 0.75 * 4096  # the size of subprocess's pipes
    import fcntl
    import termios

    waiting = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]
    return bool(waiting > 0.75 * fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ))


def test_closed_pipe_ends_monitor_at_the_next_line(v0: Network) -> None:
    command = [*COMMAND, "monitor", "--snapshot", "--json"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert any('"synced"' in line for line in process.stdout)
        process.stdout.close()
        v0.ip("route add 198.51.100.0/24 dev v0")
        assert process.wait(20) == (141 if WINDOWS else -signal.SIGPIPE)
        assert process.stderr.read() == ""


@linux_only("only a write notices that the reader of a pipe is gone")
def test_closed_pipe_ends_a_quiet_monitor_at_once(netns: Network) -> None:
    """No change happens after the reader is gone."""
    script = f'set -o pipefail; {" ".join(COMMAND)} monitor --snapshot | head -1; echo "$?"'
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, timeout=20, check=True
    )
    first, code = done.stdout.splitlines()
    assert "interface" in first
    assert code == "141"
    assert done.stderr == ""


@linux_only("no exec that keeps ignored signals")
def test_monitor_leaves_an_ignored_sigint_ignored(netns: Network) -> None:
    """As for `nohup`, and for `&` in a shell."""
    code = (
        "import signal, os, sys; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "os.execv(sys.argv[1], sys.argv[1:])"
    )
    with Running(
        *COMMAND, "monitor", "--snapshot", "--json", command=[sys.executable, "-c", code]
    ) as monitor:
        monitor.wait_record(kind="mark", change="synced")
        os.kill(monitor.pid, signal.SIGINT)
        netns.ip("route add blackhole 203.0.113.0/24")
        monitor.wait_record(destination_prefix="203.0.113.0/24")
        assert monitor.end() == -signal.SIGTERM
