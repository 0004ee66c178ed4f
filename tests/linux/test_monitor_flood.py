# SPDX-License-Identifier: MIT
"""`netioapi monitor` whose output is not read, while the network changes without end."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from netioapi import Watcher
from tests.linux.flood import Flood
from tests.linux.namespace import Namespace

QUEUE = 100_000  # the queue of its Watcher, a tenth of the default; changes beyond it merge
MONITOR = f"""
import runpy, netioapi
netioapi.Watcher.__init__.__kwdefaults__["queue"] = {QUEUE}
runpy.run_module("netioapi", run_name="__main__")
"""
MEASURED = (QUEUE + 100_000, QUEUE + 350_000)  # after so many changes
BOUND = 24 << 20  # bytes; a queued change takes about 170
# The Teredo port changes with its address, and the hint with the default route.
FLIPS = """address add 2001:0:c000:201:0:63bf:3fff:fdfe/128 dev v0 nodad
route add default dev v0
address delete 2001:0:c000:201:0:63bf:3fff:fdfe/128 dev v0
route delete default dev v0"""


def memory(process: subprocess.Popen[bytes]) -> int:
    """Bytes of the pages that belong to this process alone."""
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
        Watcher("route", queue=100) as seen,  # counts the changes
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        assert any(b'"synced"' in line for line in iter(process.stdout.readline, b""))
        with Flood(index, pause=0):
            used = []
            for count in MEASURED:
                while seen.stats()["received"] < count:  # until pytest's own timeout
                    netns.batch("\n".join([FLIPS] * 100))
                used.append(memory(process))
            print("bytes, one time and another:", used)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == -signal.SIGTERM
        assert process.stderr.read() == b""
    assert used[1] - used[0] < BOUND, used
