# SPDX-License-Identifier: MIT
"""System calls that Python lacks, and the state of a process as /proc shows it."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import signal
import socket
import time
from pathlib import Path
from typing import NamedTuple

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000
LARGEST_BUFFER = 2**30 - 1  # the kernel doubles it
_PIDFD_GETFD = 438
_PR_SET_PDEATHSIG = 1
_SO_RCVBUFFORCE = 33

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), "unshare")


def setns(descriptor: int, kind: int) -> None:
    _checked(_libc.setns(descriptor, kind), "setns")


def die_with_parent() -> None:
    _checked(_libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL), "prctl")


def cpu_ns(pid: int) -> int:
    """CPU time of a whole process, to the nanosecond."""
    return time.clock_gettime_ns((~pid << 3) | 2)


def thread_cpu_ns(tid: int) -> int:
    """CPU time of a thread of this process."""
    return time.clock_gettime_ns((~tid << 3) | 6)


def main_thread_ns(pid: int) -> int:
    """CPU time of the first thread of another process; exact while that is stopped."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])


def _status(path: str, name: str) -> int:
    found = re.search(rf"^{name}:\s*(\d+)", Path(path).read_text(), re.MULTILINE)
    return int(found[1]) if found else 0


def peak_memory(pid: int | str = "self") -> int:
    """Bytes, since the process began or forget_peak()."""
    return _status(f"/proc/{pid}/status", "VmHWM") * 1024


def memory(pid: int | str = "self") -> int:
    return _status(f"/proc/{pid}/status", "VmRSS") * 1024


def forget_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def switches(pid: int) -> dict[str, tuple[str, int]]:
    """Thread -> (its name, its voluntary context switches)."""
    return {
        task.name: (
            (task / "comm").read_text().strip(),
            _status(str(task / "status"), "voluntary_ctxt_switches"),
        )
        for task in Path(f"/proc/{pid}/task").iterdir()
    }


def threads_asleep(pid: int) -> bool:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return all((t / "stat").read_text().rpartition(")")[2].split()[0] == "S" for t in tasks)


class NetlinkSocket(NamedTuple):
    """A row of /proc/net/netlink that belongs to a process."""

    descriptor: int  # its number in that process
    groups: int
    queued: int  # bytes that wait to be read
    drops: int


def netlink_sockets(pid: int) -> list[NetlinkSocket]:
    descriptors = {}
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            descriptors[os.readlink(link)] = int(link.name)
    rows = Path(f"/proc/{pid}/net/netlink").read_text().splitlines()[1:]
    return [
        NetlinkSocket(descriptors[name], int(column[3], 16), int(column[4]), int(column[8]))
        for column in map(str.split, rows)
        if column[1] == "0" and (name := f"socket:[{column[9]}]") in descriptors
    ]


def enlarge_buffers(pid: int) -> int:
    """Give the netlink sockets of a child the largest receive buffer that this process may set, and
    return its size: without CAP_NET_ADMIN in the first user namespace, net.core.rmem_max twice."""
    process = os.pidfd_open(pid)
    granted = []
    try:
        for one in netlink_sockets(pid):
            number = _checked(
                _libc.syscall(_PIDFD_GETFD, process, one.descriptor, 0), "pidfd_getfd"
            )
            with socket.socket(fileno=number) as copy:
                try:
                    copy.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, LARGEST_BUFFER)
                except PermissionError:
                    copy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, LARGEST_BUFFER)
                granted.append(copy.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF))
    finally:
        os.close(process)
    return min(granted)


def may_force_buffers() -> bool:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, LARGEST_BUFFER)
        except PermissionError:
            return False
    return True
