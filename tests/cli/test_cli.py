# SPDX-License-Identifier: MIT
"""The commands: arguments, `show`, `get`, exit codes, imports. `monitor` and `demo` have files of
their own."""

from __future__ import annotations

import re
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.cli import COMMAND, netioapi, on_terminal, records
from tests.support.network import Network
from tests.support.platforms import WINDOWS, linux_only
from tests.support.processes import python, run

LIGHT = {"asyncio", "ctypes", "rich", "json", "ipaddress", "netioapi._native", "netioapi.watcher"}


def one_line(text: str) -> str:
    assert text.endswith("\n")
    assert text.count("\n") == 1
    assert text[:-1].isprintable()
    return text[:-1]


# ---- arguments --------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("", "a command is missing"),
        ("foo", "no command 'foo'"),
        ("--foo", "a command is missing"),
        ("monitor foo", "'foo' is none of route, address, interface, teredo, hint, stable"),
        ("monitor route --json adress", "'adress' is none of"),
        ("monitor --count 0", "'0' is not a whole number of at least 1"),
        ("monitor --count x", "'x' is not a whole number of at least 1"),
        ("monitor --count 9999999999999999999999", "is not a whole number of at least 1"),
        ("monitor --duration=-1", "'-1' is not a number of seconds"),
        ("monitor --duration nan", "'nan' is not a number of seconds"),
        ("monitor --duration inf", "'inf' is not a number of seconds"),
        ("monitor --settle 1e30", "'1e30' is not a number of seconds"),
        ("monitor -4 -6", "not allowed with argument"),
        ("monitor --interface nope", "no interface is named 'nope'"),
        ("monitor --interface 4711", "no interface is named '4711'"),
        ("monitor --interface lo\x1b[31m", "no interface is named"),
        ("monitor --interface", "expected one argument"),
        ("monitor --interface= --wait-for-interface", "no interface is named ''"),
        ("monitor --wait-for-interface", "--wait-for-interface needs --interface"),
        ("show route --interface nope", "no interface is named 'nope'"),
        ("show route --interface lo --wait-for-interface", "unrecognized arguments: --wait"),
        ("monitor --table nope", "no routing table is named 'nope'"),
        ("monitor --table 4294967296", "4294967296 is not a routing table"),
        ("monitor --table=-1", "no routing table is named '-1'"),
        ("monitor --snap", "unrecognized arguments: --snap"),
        ("monitor address --table 77", "--table is for routes"),
        ("monitor \x1b[31m", "is none of"),
        ("show", "required: KIND"),
        ("show hint", "'hint' is none of route, address, interface"),
        ("show route address", "unrecognized arguments: address"),
        ("get", "required: ADDRESS"),
        ("get localhost", "'localhost' is not an IPv4 or IPv6 address"),
        ("get 192.0.2.0/24", "is not an IPv4 or IPv6 address"),
        ("demo --routes 3", "20 to 10000000"),
        ("demo --routes many", "'many' is not a whole number"),
        ("demo now", "unrecognized arguments: now"),
    ],
)
def test_wrong_argument_prints_one_line_and_exits_2(netns: Network, line: str, says: str) -> None:
    done = netioapi(*line.split(" ") if line else [], code=2)
    assert done.stdout == ""
    assert says in one_line(done.stderr)
    assert " --help)" in done.stderr


def test_options_and_kinds_may_be_mixed(netns: Network) -> None:
    netioapi("monitor", "--duration", "0", "route", "-4", "address", "--json", "interface")
    table = [] if WINDOWS else ["--table", "main"]
    netioapi("monitor", "route", "route", "--interface", "1", *table, "--duration", "0")


def test_version_is_the_same_for_script_and_module() -> None:
    said = netioapi("--version").stdout
    assert re.fullmatch(r"netioapi \d+\.\d+\.\d+\n", said)
    script = Path(sysconfig.get_path("scripts"), "netioapi.exe" if WINDOWS else "netioapi")
    if not script.exists():
        pytest.skip("netioapi is not installed in this environment, only importable")
    assert run([str(script), "--version"]).stdout == said


@pytest.mark.parametrize("arguments", ["--help", "monitor --help", "demo --help", "monitor x"])
def test_help_and_usage_errors_import_little(arguments: str) -> None:
    """The package netioapi is always imported; the rest waits until a command runs."""
    program = (
        "import sys\n"
        "before = set(sys.modules)\n"
        "import netioapi\n"
        "base = set(sys.modules)\n"
        "from netioapi.cli import main\n"
        f"main({arguments.split()!r})\n"
        f"print('EXTRA', sorted(({LIGHT!r} & set(sys.modules)) - base))\n"
    )
    assert "EXTRA []" in python(program).stdout


# ---- show -------------------------------------------------------------------


ONLY_LINUX_HAS = (
    "route add blackhole 203.0.113.0/24 metric 9\nroute add 198.51.100.0/24 dev v0 table 77\n"
)


@pytest.fixture
def v0(netns: Network) -> Network:
    netns.veth("v0", "p0")
    netns.ip("address add 192.0.2.1/24 dev v0")
    netns.ip("-6 address add 2001:db8::1/64 dev v0 nodad")
    netns.batch("route add default via 192.0.2.2\n" + ("" if WINDOWS else ONLY_LINUX_HAS))
    return netns


def test_show_route_matches_ip(v0: Network) -> None:
    def shown(*arguments: str) -> list[tuple[object, ...]]:
        found = records(netioapi("show", "route", "-4", "--json", *arguments).stdout)
        return [(r["destination_prefix"], r["interface_name"], r["metric"]) for r in found]

    def ip(table: str) -> list[tuple[object, ...]]:
        found = v0.json(f"-4 route show table {table}")
        return sorted(
            (
                "0.0.0.0/0"
                if r["dst"] == "default"
                else f"{r['dst']}{'' if '/' in r['dst'] else '/32'}",
                r.get("dev", "lo"),
                r.get("metric", 0),
            )
            for r in found
        )

    every = sorted(ip("main") + ip("77"))
    assert sorted(shown()) == every
    assert sorted(shown("--interface", "v0")) == [one for one in every if one[1] == "v0"]
    if WINDOWS:  # one routing table alone
        return
    assert sorted(shown("--table", "main")) == ip("main")
    assert sorted(shown("--table", "local")) == ip("local")
    assert shown("--interface", "v0", "--table", "77") == [("198.51.100.0/24", "v0", 0)]
    assert shown("--table", "4711") == []


def test_show_address_and_interface_match_ip(v0: Network) -> None:
    addresses = records(netioapi("show", "address", "--interface", "v0", "--json").stdout)
    of_ip = {i["local"] for i in v0.json("address show dev v0")[0]["addr_info"]}
    assert {r["address"] for r in addresses} >= {"192.0.2.1", "2001:db8::1"}
    assert {r["address"] for r in addresses} <= of_ip
    interfaces = records(netioapi("show", "interface", "-4", "--json").stdout)
    assert [r["interface_name"] for r in interfaces] == [
        link["ifname"] for link in sorted(v0.json("link"), key=lambda link: link["ifindex"])
    ]
    assert {r["kind"] for r in addresses + interfaces} == {"address", "interface"}


def test_show_prints_an_aligned_table(v0: Network) -> None:
    heading, *lines = netioapi("show", "route", "-4").stdout.splitlines()
    assert heading.split("  ")[0] == "DESTINATION"
    for column in ("NEXT HOP", "INTERFACE", "METRIC", "TABLE", "TYPE", "BY", "SOURCE"):
        at = heading.index(column)
        assert {line[at - 2 : at] for line in lines} == {"  "}
    first = [line.split()[0] for line in lines]
    in_order = records(netioapi("show", "route", "-4", "--json").stdout)
    assert first == [record["destination_prefix"] for record in in_order]
    assert {"0.0.0.0/0", "192.0.2.0/24"} <= set(first)
    if WINDOWS:
        return
    assert first == [
        "198.51.100.0/24",
        "0.0.0.0/0",
        "192.0.2.0/24",
        "203.0.113.0/24",
    ]
    assert "blackhole" in lines[-1]


@linux_only("there are no pseudo-terminals")
def test_show_on_a_terminal_prints_a_rich_table(v0: Network) -> None:
    pytest.importorskip("rich", reason="the extra `cli` is not installed")
    shown = on_terminal("show", "route", env={"TERM": "xterm-256color", "COLUMNS": "40"})
    assert "\x1b[" in shown
    assert "203.0.113.0/24" in shown
    assert "DESTINATION" in shown


@linux_only("there are no pseudo-terminals")
def test_show_on_a_terminal_without_rich_prints_plain_text(v0: Network, tmp_path: Path) -> None:
    (tmp_path / "rich.py").write_text("raise ImportError('not here')\n")
    shown = on_terminal("show", "route", env={"TERM": "xterm", "PYTHONPATH": str(tmp_path)})
    assert "\x1b" not in shown
    assert shown.startswith("DESTINATION")


def test_table_names_include_the_three_of_the_kernel(v0: Network) -> None:
    from netioapi.cli.output.words import table_names

    names = table_names()
    assert names["main"] == 254
    assert names["local"] == 255
    assert names["default"] == 253


# ---- get --------------------------------------------------------------------


def test_get_prints_best_route_and_source(v0: Network) -> None:
    (found,) = records(netioapi("get", "198.51.100.7", "--json").stdout)
    assert found["kind"] == "best_route"
    assert found["destination"] == "198.51.100.7"
    assert found["destination_prefix"] == "0.0.0.0/0"
    assert found["next_hop"] == "192.0.2.2"
    assert found["source"] == "192.0.2.1"
    text = netioapi("get", "2001:db8::77").stdout
    assert text.startswith("2001:db8::77: 2001:db8::/64 dev v0")
    assert text.endswith("from 2001:db8::1\n")


BLACKHOLE = pytest.param("203.0.113.9", id="blackhole", marks=linux_only("no blackholes"))


@pytest.mark.parametrize("address", [pytest.param("2001:db9::1", id="no route"), BLACKHOLE])
def test_get_of_an_unreachable_address_exits_1(v0: Network, address: str) -> None:
    done = netioapi("get", address, code=1)
    assert done.stdout == ""
    assert one_line(done.stderr).startswith("netioapi: ")


# ---- ends -------------------------------------------------------------------


@linux_only("there is no /dev/full")
@pytest.mark.parametrize("line", ["show interface", "monitor --snapshot --count 1", "get ::1"])
def test_full_disk_prints_one_line(netns: Network, line: str) -> None:
    command = f"{' '.join(COMMAND)} {line} > /dev/full"
    done = run(["bash", "-c", command], code=1)
    assert one_line(done.stderr) == "netioapi: No space left on device"


@linux_only("needs a POSIX shell")
@pytest.mark.parametrize("line", ["show interface", "monitor --snapshot --count 1", "get ::1"])
def test_closed_output_is_no_error(netns: Network, line: str) -> None:
    done = run(["bash", "-c", f"{' '.join(COMMAND)} {line} >&-"])
    assert done.stderr == ""


def test_missing_function_prints_one_line(netns: Network) -> None:
    program = (
        "import sys, netioapi, netioapi.cli\n"
        "def missing(*a, **k): raise netioapi.NetioError(127, 'GetBestRoute2')\n"
        "netioapi.get_best_route2 = missing\n"
        "sys.exit(netioapi.cli.main(['get', '::1']))\n"
    )
    done = python(program, code=1)
    assert "GetBestRoute2" in one_line(done.stderr)


def test_internal_error_prints_a_traceback(netns: Network) -> None:
    program = (
        "import sys, netioapi, netioapi.cli\n"
        "netioapi.get_best_route2 = None\n"
        "sys.exit(netioapi.cli.main(['get', '::1']))\n"
    )
    done = run([sys.executable, "-c", program], code=1)
    assert "Traceback" in done.stderr
