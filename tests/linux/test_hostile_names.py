# SPDX-License-Identifier: MIT
"""Interfaces whose names are commands, format strings, markup, escape sequences, or not text: the
library passes every byte on, and no command prints one to a terminal unescaped."""

from __future__ import annotations

import os
import re
import socket
import subprocess
from pathlib import Path

import pytest

import netioapi
from tests.cli.test_cli_monitor import NASTY
from tests.linux.namespace import Namespace
from tests.support.cli import live_monitor, on_terminal, records
from tests.support.cli import netioapi as command
from tests.support.collector import Collector

PARTS = [
    *(os.fsencode(name) for name in NASTY),
    b";rm -rf",
    b"%n%s%x",
    b"[red]x[/red]",
    b"[bold",
    b"\x1b[31mx",
    b"\x1b]0;x\x07",
    b"\x9b2J",  # a control byte of 8-bit terminals, and not UTF-8
    "\x9b2J".encode(),
    b"a\nb",
    b"\x08\x08\x7f",
    "\u202e\u2066".encode(),
    "\u2028\x85\ufeff".encode(),
    b"\xff" * 15,
    b"\xed\xa0\x80",  # a surrogate
    b"all",
    b"default",
    b"..",
    b"a/b",
    b"1",  # the index of another interface
    b"-rf",
    b"--json",
    b"{}{0}{x!r}",
    b'"\\u001b',
]
# Every other byte, where the kernel accepts it.
PARTS += [b"y" + bytes(range(first, first + 8)) for first in range(1, 256, 8) if first < 249]
REFUSALS = ("not a valid ifname", "Invalid argument", "Numerical result out of range")
WAYS = ["plain", "terminal", "terminal with rich"]


@pytest.fixture
def links(netns: Namespace) -> dict[str, int]:
    """{name: index} of as many of them as the kernel accepts, each with an address and a route."""
    for number, part in enumerate(dict.fromkeys(PARTS)):
        name = os.fsdecode(part)
        words = ["ip", "link", "add", "name", name, "type", "veth", "peer", "name", f"p{number}"]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            assert any(refusal in done.stderr for refusal in REFUSALS), (name, done.stderr)
    ours = {name: index for index, name in socket.if_nameindex() if not re.match(r"lo|p\d", name)}
    assert len(ours) > 40
    netns.ip("link set group default up")
    # `ip` takes `ifN` for the interface with index N.
    netns.batch("\n".join(f"address add 10.{i}.0.1/24 dev if{i}" for i in ours.values()))
    return ours


def is_clean(text: str) -> bool:
    """Is there nothing that a terminal would obey? Each line holds printable characters alone."""
    return all(line.isprintable() for line in text.split("\n"))


def test_hostile_names_reach_tables_and_callbacks_unchanged(
    links: dict[str, int], collector: Collector
) -> None:
    table = netioapi.get_ip_interface_table()
    assert links.items() <= {(row.interface_name, row.interface_index) for row in table}
    for rows in (netioapi.get_unicast_ip_address_table(), netioapi.get_ip_forward_table2()):
        named = {(row.interface_name, row.interface_index) for row in rows}
        assert {name for name, _ in named} >= links.keys()
        assert named <= {*links.items(), ("lo", 1)} | {
            pair for pair in named if re.match(r"p\d", pair[0])
        }
    with netioapi.notify_unicast_ip_address_change(collector):
        for name in links:
            subprocess.run(["ip", "address", "add", "192.0.2.1/32", "dev", name], check=True)
            collector.wait_any(
                lambda row, _: str(row.address) == "192.0.2.1" and row.interface_name == name  # noqa: B023
            )


def test_interface_filter_matches_a_hostile_name_exactly(links: dict[str, int]) -> None:
    for name, index in links.items():
        with netioapi.Watcher(interfaces=[name], snapshot=True) as watcher:
            changes = list(watcher.read(10) or [])
        assert {change.row.interface_index for change in changes} == {index}
        assert {change.row.interface_name for change in changes} == {name}


def shown(kind: str, way: str, folder: Path) -> str:
    """The output of `show`, without the colours of rich."""
    if way == "plain":
        return command("show", kind).stdout
    env = {"TERM": "xterm-256color"}
    if way == "terminal with rich":
        pytest.importorskip("rich", reason="the extra `cli` is not installed")
    else:
        (folder / "rich.py").write_text("raise ImportError('not here')\n")
        env["PYTHONPATH"] = str(folder)
    text = on_terminal("show", kind, env=env).replace("\r\n", "\n")
    assert ("\x1b[" in text) == (way == "terminal with rich")
    assert "\x1b[31mx" not in text
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.mark.parametrize("way", WAYS)
def test_show_escapes_hostile_names(links: dict[str, int], tmp_path: Path, way: str) -> None:
    for kind in ("interface", "address", "route"):
        text = shown(kind, way, tmp_path)
        assert is_clean(text)
        for one in (r"\x1b[31mx", r"\x9b2J", r"\u202e", r"\xff" * 15, "[bold", "{}{0}{x!r}"):
            assert f" {one}" in text or f"\n{one}" in text, one
        assert len(text.splitlines()) > len(links)  # each name on one line

        printed = command("show", kind, "--json").stdout
        assert printed.isascii()
        assert is_clean(printed)
        assert links.keys() <= {record["interface_name"] for record in records(printed)}


def test_monitor_escapes_hostile_names(links: dict[str, int], netns: Namespace) -> None:
    count = len(netioapi.get_ip_interface_table()) + len(netioapi.get_unicast_ip_address_table())
    arguments = ("monitor", "interface", "address", "--snapshot", "--count", str(count))
    text = command(*arguments).stdout
    assert is_clean(text)
    assert len(text.splitlines()) == count
    printed = command(*arguments, "--json").stdout
    assert printed.isascii()
    assert is_clean(printed)
    assert links.keys() <= {record["interface_name"] for record in records(printed)}

    with live_monitor("interface") as monitor:  # names that appear while it runs
        names = {index: name for name, index in links.items()}
        for index, name in names.items():
            subprocess.run(["ip", "link", "delete", "dev", name], check=True)
            monitor.wait_record(interface_name=name, interface_index=index, change="delete")
        assert is_clean("\n".join(monitor.lines))


def test_interface_option_and_get_accept_hostile_names(links: dict[str, int]) -> None:
    for name, index in links.items():
        if index % 20 == 0 or name in ("1", "-rf", "--json"):
            one = command("show", "interface", f"--interface={name}", "--json").stdout
            assert {record["interface_index"] for record in records(one)} == {index}
            assert is_clean(command("get", f"10.{index}.0.9").stdout)
            (found,) = records(command("get", f"10.{index}.0.9", "--json").stdout)
            assert found["interface_name"] == name
