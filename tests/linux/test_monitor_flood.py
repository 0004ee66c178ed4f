# SPDX-License-Identifier: MIT
"""`netioapi monitor` while nobody reads what it prints, and the network changes without end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from netioapi import Watcher
from tests.linux.flood import Flood
from tests.linux.namespace import Namespace

QUEUE = 100_000  # of its Watcher; changes beyond it merge. (By itself it is ten times as long.)
MONITOR = f"""
import runpy, netioapi
netioapi.Watcher.__init__.__kwdefaults__["queue"] = {QUEUE}
runpy.run_module("netioapi", run_name="__main__")
"""
MEASURED = (QUEUE + 100_000, QUEUE + 350_000)  # when so many were made
BOUND = 24 << 20  # bytes; a change that waits takes some 170 of them
# The port of a Teredo address comes and goes, and with the default route the Internet.
FLIPS = """address add 2001:0:c000:201:0:63bf:3fff:fdfe/128 dev v0 nodad
route add default dev v0
address delete 2001:0:c000:201:0:63bf:3fff:fdfe/128 dev v0
route delete default dev v0"""


def memory(process: subprocess.Popen[bytes]) -> int:
    """Bytes that are this process' alone."""
    rollup = Path(f"/proc/{process.pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) << 10 for line in rollup if line.startswith("Private_"))


@pytest.mark.timeout(400)
def test_monitor_with_a_full_pipe_has_bounded_memory_and_ends_by_sigterm(netns: Namespace) -> None:
    index = netns.veth()
    netns.ip("address add 192.0.2.1/24 dev v0")
    kinds = ["route", "address", "interface", "teredo", "hint"]
    with (
        subprocess.Popen(
            [sys.executable, "-c", MONITOR, "monitor", "--snapshot", "--json", *kinds],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as process,
        Watcher("route", queue=100) as seen,  # counts what there was to hear
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        assert any(b'"synced"' in line for line in iter(process.stdout.readline, b""))
        with Flood(index, pause=0):
            used = []
            for count in MEASURED:
                while seen.stats()["received"] < count:  # pytest's timeout ends it
                    netns.batch("\n".join([FLIPS] * 100))
                used.append(memory(process))
            print("bytes, one time and another:", used)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == -signal.SIGTERM
        assert process.stderr.read() == b""
    assert used[1] - used[0] < BOUND, used
