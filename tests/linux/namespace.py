# SPDX-License-Identifier: MIT
"""The network of a test on Linux: a network namespace, changed by `ip`."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.support.processes import python, run

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def enter_user_namespace() -> None:
    """Makes this process root of a user and a network namespace of its own.

    Only a process with one thread may. Where real root may not, or must stay root because of
    NETIOAPI_REAL_ROOT=1 (some settings belong to the machine's root), it gets the network namespace
    alone.
    """
    uid, gid = os.getuid(), os.getgid()
    try:
        if os.environ.get("NETIOAPI_REAL_ROOT") == "1":
            raise PermissionError
        _checked(_libc.unshare(CLONE_NEWUSER | CLONE_NEWNET), "unshare(user, net)")
    except OSError:
        _checked(_libc.unshare(CLONE_NEWNET), "unshare(user, net)")
        return
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


class Namespace:
    """A network namespace. Inside `with`, the calling thread and the programs that it starts are in
    it."""

    def __init__(self) -> None:
        before = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        try:
            _checked(_libc.unshare(CLONE_NEWNET), "unshare(net)")
            self._fd = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
            _checked(_libc.setns(before, CLONE_NEWNET), "setns")
        finally:
            os.close(before)
        self._outer: list[int] = []

    def __enter__(self) -> Namespace:
        self._outer.append(os.open("/proc/thread-self/ns/net", os.O_RDONLY))
        _checked(_libc.setns(self._fd, CLONE_NEWNET), "setns")
        return self

    def __exit__(self, *_: object) -> None:
        outer = self._outer.pop()
        try:
            _checked(_libc.setns(outer, CLONE_NEWNET), "setns")
        finally:
            os.close(outer)

    def close(self) -> None:
        """The namespace lives on while anything is in it."""
        os.close(self._fd)

    @property
    def path(self) -> str:
        """The name that `ip link set v0 netns PATH` takes."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    # The other methods act in the namespace of the calling thread: this one, inside `with`.

    def ip(self, arguments: str, *, check: bool = True, timeout: float = 90) -> str:
        """Runs `ip ...`, and returns its output."""
        return run(
            ["ip", *shlex.split(arguments)], code=0 if check else None, timeout=timeout
        ).stdout

    def batch(self, lines: str, *, check: bool = True, timeout: float = 120) -> None:
        """Runs many `ip` commands, one per line. `check`: all must succeed; otherwise each may
        fail."""
        if check:
            run(["ip", "-batch", "-"], stdin=lines + "\n", timeout=timeout)
        else:
            run(["ip", "-force", "-batch", "-"], stdin=lines + "\n", code=None, timeout=timeout)

    def json(self, arguments: str) -> list[dict[str, Any]]:
        """The output of `ip -details -json ...`."""
        printed = self.ip(f"-details -json {arguments}")
        found = json.loads(printed) if printed.strip() else []
        return [one for one in found if one]  # `ip` prints {} for objects that its filter left out

    def sysctl(self, name: str, value: object | None = None) -> str:
        """Reads a setting below net, such as `ipv4.ip_forward` or `ipv6.conf.v0.mtu`, or writes
        it."""
        path = Path("/proc/sys/net", *name.split("."))
        if value is not None:
            path.write_text(f"{value}\n")
        return path.read_text().strip()

    python = staticmethod(python)

    def veth(self, name: str = "v0", peer: str = "p0", *, up: bool = True) -> int:
        """Adds a pair of links, both up unless `up` is false; the index of the first."""
        self.ip(f"link add {name} type veth peer name {peer}")
        if up:
            self.ip(f"link set {name} up")
            self.ip(f"link set {peer} up")
        return int(self.json(f"link show dev {name}")[0]["ifindex"])


@contextlib.contextmanager
def fresh_namespace() -> Iterator[Namespace]:
    namespace = Namespace()
    try:
        with namespace:
            yield namespace
    finally:
        namespace.close()
