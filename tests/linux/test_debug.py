# SPDX-License-Identifier: MIT
"""NETIOAPI_DEBUG=1: a line on stderr for each event, whatever stderr is, and never a reader that
waits for it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.linux.namespace import Namespace
from tests.support.paths import ROOT
from tests.support.processes import python

DEBUG = {"NETIOAPI_DEBUG": "1"}
LINE = re.compile(r"netioapi: (\d+\.\d{6} net \d+ |\d+ lines dropped)")
RING = 2048  # lines: csrc/base/debug.c
TIMEOUT_S = 60

# Changes the network, until the watcher has seen all of it; then ends.
PROGRAM = """
import subprocess, sys
import netioapi
with netioapi.Watcher("route", "interface", tables=[77]) as watcher:
    for arguments in sys.argv[1:]:
        subprocess.run(["ip", *arguments.split(" ")], check=True)
    subprocess.run(["ip", *"route add 198.51.100.0/24 dev lo table 77".split()], check=True)
    while not any("198.51.100.0" in str(change.row) for change in watcher.read(60)):
        pass
print("done")
"""
# Waits for its parent before it reads.
COMMANDED = """
import sys
import netioapi
watcher = netioapi.Watcher("route", receive_buffer=4096)
print("ready", flush=True)
sys.stdin.readline()
while watcher.stats()["overflows"] == 0 or not any(batch.synced for batch in iter(
        lambda: watcher.read(1), None)):
    pass
watcher.close()
"""
# A thread gets its name when it first runs, and is listed for a moment after it is joined.
THREADS = """
import contextlib, os, time
def threads():
    found = []
    for task in os.listdir("/proc/self/task"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/self/task/{task}/comm") as name:
            found.append(name.read().strip())
    return found
def wait_until(name, there):
    deadline = time.monotonic() + 30
    while (name in threads()) != there:
        assert time.monotonic() < deadline
"""
FULL = """
import fcntl, os, subprocess, sys, threading, time
import netioapi
before = fcntl.fcntl(2, fcntl.F_GETFL)
count = int(sys.argv[1])
watcher = netioapi.Watcher("route")
lines = "".join(f"route {verb} 10.{n // 256}.{n % 256}.0/24 dev lo\\n"
                for n in range(count) for verb in ("add", "delete"))
subprocess.run(["ip", "-batch", "-"], input=lines, text=True, check=True)
seen = 0
while seen < 2 * count:
    seen += len(watcher.read(60))
print("seen", flush=True)
sys.stdin.readline()
began = time.monotonic()
watcher.close()
print(f"{time.monotonic() - began:.3f}", flush=True)
assert fcntl.fcntl(2, fcntl.F_GETFL) == before
"""


def events(text: str) -> list[str]:
    """The lines, without their times; each is one of ours."""
    lines = text.splitlines()
    assert all(LINE.match(line) for line in lines), text
    return [LINE.sub("", line) for line in lines]


def position(lines: list[str], pattern: str, start: int = 0) -> int:
    """Of the first line from `start` on in which the pattern is found."""
    for number in range(start, len(lines)):
        if re.search(pattern, lines[number]):
            return number
    raise AssertionError(f"no {pattern!r} from line {start} on:\n" + "\n".join(lines))


@contextlib.contextmanager
def started(program: str, *arguments: str, stderr: int) -> Iterator[subprocess.Popen[str]]:
    """A program whose stderr the test reads when it likes."""
    with subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env={**os.environ, **DEBUG, "PYTHONPATH": str(ROOT)},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go_on(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_debug_prints_each_event_in_order(netns: Namespace) -> None:
    done = python(
        PROGRAM,
        "route add 192.0.2.0/24 dev lo table 77",
        "route delete 192.0.2.0/24 dev lo table 77",
        env=DEBUG,
        marker="done",
    )
    lines = events(done.stderr)
    at = -1
    for pattern in (
        "^reader starts$",
        r"^reconcile \d+: .*IPv6-routes, \d+ rows, \d+\.\d{3} ms, exact$",
        "^attach: interfaces routes$",
        r"^RTM_NEWROUTE 192\.0\.2\.0/24 table 77 metric 0 dev 1\b",
        r"^RTM_DELROUTE 192\.0\.2\.0/24 table 77 metric 0 dev 1\b",
        "^detach: interfaces routes$",
        "^reader stops$",
    ):
        at = position(lines, pattern, at + 1)


@pytest.mark.parametrize("value", ["", "0"])
def test_debug_off_prints_nothing_and_starts_no_thread(netns: Namespace, value: str) -> None:
    program = """
import netioapi
with netioapi.Watcher("route"):
    wait_until("netio-reader", True)
    assert "netio-debug" not in threads()
print("done")
"""
    done = python(THREADS + program, env={"NETIOAPI_DEBUG": value}, marker="done")
    assert done.stderr == ""


def test_debug_thread_is_joined_with_the_last_registration(netns: Namespace) -> None:
    program = """
import netioapi
for _ in range(3):
    with netioapi.Watcher("route"):
        with netioapi.Watcher("address"):
            wait_until("netio-debug", True)
        assert "netio-debug" in threads()
    wait_until("netio-debug", False)
print("joined")
"""
    python(THREADS + program, env=DEBUG, marker="joined")


def test_overflow_and_its_repair_are_reported(netns: Namespace) -> None:
    routes = "\n".join(f"route add 10.{n // 256}.{n % 256}.0/24 dev lo" for n in range(5000))
    with started(COMMANDED, stderr=subprocess.PIPE) as process:
        assert line_of(process) == "ready"
        process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, process.pid, os.WSTOPPED | os.WNOWAIT)
        netns.batch(routes)
        process.send_signal(signal.SIGCONT)
        _, text = process.communicate("\n", timeout=TIMEOUT_S)
    lines = events(text)
    overflow = position(lines, "^overflow: messages were lost$")
    position(lines, r"^reconcile \d+: links .*IPv4-routes.* rows, .*, exact$", overflow)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b'a"b\\c', rb'"a\x22b\x5cc"'),
        (b"\x1b[31mred", rb'"\x1b[31mred"'),
        (b"\x9b\xff\xe2\x80\xae", rb'"\x9b\xff\xe2\x80\xae"'),
        (b"{x}'`$(", b'"{x}\'`$("'),
    ],
)
def test_hostile_interface_name_is_escaped(netns: Namespace, name: bytes, shown: bytes) -> None:
    add = f"link add {os.fsdecode(name)} type veth peer name p0"
    done = python(PROGRAM, add, env=DEBUG, marker="done")
    assert all(" " <= byte <= "~" for byte in done.stderr.replace("\n", ""))
    position(events(done.stderr), re.escape(f"RTM_NEWLINK dev 3 {shown.decode()} flags"))


@pytest.mark.timeout(120)
def test_full_stderr_stops_no_reader_and_the_dropped_lines_are_counted(netns: Namespace) -> None:
    count = 2 * RING
    with started(FULL, str(count), stderr=subprocess.PIPE) as process:
        # All messages arrive, though nothing reads the lines about them.
        assert line_of(process) == "seen"
        assert process.stderr is not None
        text = os.read(process.stderr.fileno(), 1 << 20).decode()
        deadline = time.monotonic() + TIMEOUT_S
        while "lines dropped" not in text:
            assert time.monotonic() < deadline
            text += os.read(process.stderr.fileno(), 1 << 20).decode()
        go_on(process)
        _, rest = process.communicate(timeout=TIMEOUT_S)
    lines = (text + rest).splitlines()
    assert all(LINE.match(line) for line in lines), "a line was split"
    dropped = [
        int(found[1]) for found in map(re.compile(r"netioapi: (\d+) l").match, lines) if found
    ]
    routes = sum("ROUTE 10." in line for line in lines)
    assert dropped
    assert routes < 2 * count
    assert routes + sum(dropped) >= 2 * count  # other lines may have been dropped, too
    assert "reader stops" in lines[-1]


@pytest.mark.timeout(120)
def test_close_does_not_wait_for_a_stderr_that_stays_full(netns: Namespace) -> None:
    with started(FULL, str(RING), stderr=subprocess.PIPE) as process:
        assert line_of(process) == "seen"
        go_on(process)
        assert float(line_of(process)) < 10  # 0.2 s, on a machine that has time
        assert process.wait(TIMEOUT_S) == 0


def test_lines_and_the_programs_own_share_a_file(netns: Namespace, tmp_path: Path) -> None:
    program = PROGRAM.replace(
        "    for arguments", "    print('own', file=sys.stderr)\n    for arguments"
    )
    with (tmp_path / "stderr").open("w+") as file:
        file.write("before\n")
        file.flush()
        with started(program + "print('own', file=sys.stderr)\n", stderr=file.fileno()) as process:
            process.communicate(timeout=TIMEOUT_S)
        file.seek(0)
        first, *lines, last = file.read().splitlines()
    assert (first, last) == ("before", "own")
    own = lines.index("own")
    assert len(events("\n".join(lines[:own] + lines[own + 1 :]))) > 5


def test_lines_reach_a_terminal(netns: Namespace) -> None:
    master, slave = pty.openpty()
    with started(PROGRAM, stderr=slave) as process:
        os.close(slave)
        text = ""
        with contextlib.suppress(OSError):  # EIO at the end
            while part := os.read(master, 65536).decode():
                text += part
        process.communicate(timeout=TIMEOUT_S)
    os.close(master)
    position(events(text.replace("\r\n", "\n")), "^reader stops$")


def test_lines_reach_a_socket_and_leave_its_flags_alone(netns: Namespace) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        before = fcntl.fcntl(theirs, fcntl.F_GETFL)
        with started(PROGRAM, stderr=theirs.fileno()) as process:
            process.communicate(timeout=TIMEOUT_S)
        assert fcntl.fcntl(theirs, fcntl.F_GETFL) == before
        theirs.close()
        text = ""
        while part := ours.recv(65536):
            text += part.decode()
    position(events(text), "^reader stops$")


def test_closed_stderr_is_no_error(netns: Namespace) -> None:
    program = "import os\nos.close(2)\n" + PROGRAM
    assert python(program, env=DEBUG, marker="done").stderr == ""


def test_child_of_a_fork_prints_lines_of_its_own(netns: Namespace) -> None:
    program = """
import os, sys
import netioapi
with netioapi.Watcher("route"):
    child = os.fork()
    if child == 0:
        with netioapi.Watcher("address"):
            pass
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
print("done")
"""
    lines = events(python(program, env=DEBUG, marker="done").stderr)
    # Once each: the lines of the parent are not printed by the child, too.
    for pattern in ("attach: routes", "attach: addresses", "detach: routes", "detach: addresses"):
        assert lines.count(pattern) == 1, lines
