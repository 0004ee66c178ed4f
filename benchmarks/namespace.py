# SPDX-License-Identifier: MIT
"""The network namespace of a measurement, and its changes. The machine's own is never touched."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks import kernel
from benchmarks.process import TIMEOUT, Problem, run

ADDRESSES = {4: "192.0.2.1/24", 6: "2001:db8::1/64 nodad"}
REMEDY = (
    "no network namespace to measure in: run as root, or allow unprivileged user namespaces "
    "(sysctl kernel.unprivileged_userns_clone=1, kernel.apparmor_restrict_unprivileged_userns=0)"
)


class Namespace:
    """A namespace with the link `v0`. A privileged one belongs to the machine's root; any other to
    a user namespace of its own, where no process may force a receive buffer."""

    def __init__(self, produce: str, *, privileged: bool) -> None:
        self._produce = produce
        self._descriptors = _make_namespaces(user=not privileged)
        try:
            self.ip("link set lo up")
            self.ip("link add v0 type veth peer name p0")
            for link in ("v0", "p0"):
                # No link-local addresses: each would cause events of its own.
                self.ip(f"link set {link} addrgenmode none")
                self.ip(f"link set {link} up")
            self.index = int(json.loads(self.ip("-json link show v0"))[0]["ifindex"])
            self.add_addresses()
        except BaseException:
            self.close()
            raise

    def add_addresses(self) -> None:
        """Wait until v0 is up, and give it its addresses."""
        deadline = time.monotonic() + TIMEOUT
        while json.loads(self.ip("-json link show v0"))[0]["operstate"] != "UP":
            if time.monotonic() > deadline:
                raise Problem("the link v0 does not come up")
            time.sleep(0.01)  # the kernel's own delay, up to 1 s
        for address in ADDRESSES.values():
            self.ip(f"address replace {address} dev v0")

    def enter(self) -> None:
        """In the child, before it becomes another program."""
        for descriptor, kind in self._descriptors:
            kernel.setns(descriptor, kind)
        kernel.die_with_parent()

    def ip(self, arguments: str) -> str:
        return run(["ip", *shlex.split(arguments)], enter=self.enter)

    def produce(
        self, verb: str, family: int, count: int, *, rounds: int = 1, pace_us: int = 0
    ) -> dict[str, Any]:
        """Add or delete routes. Returns the times of the beginning and the end, and, of paced
        routes, of each."""
        numbers = (family, self.index, count, rounds, pace_us)
        output = run([self._produce, verb, *map(str, numbers)], enter=self.enter)
        times: dict[str, Any] = json.loads(output)
        return times

    def close(self) -> None:
        for descriptor, _ in self._descriptors:
            os.close(descriptor)
        self._descriptors = []


def _make_namespaces(*, user: bool) -> list[tuple[int, int]]:
    """Descriptors of new namespaces with their kinds, in the order to enter them."""
    kinds = [("user", kernel.CLONE_NEWUSER)] * user + [("net", kernel.CLONE_NEWNET)]
    uid, gid = os.getuid(), os.getgid()

    def unshare() -> None:
        kernel.die_with_parent()
        kernel.unshare(sum(kind for _, kind in kinds))
        if user:
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
            Path("/proc/self/gid_map").write_text(f"0 {gid} 1")

    try:
        # Keeps the namespaces until this process holds them; ends with its input.
        keeper = subprocess.Popen(["cat"], stdin=subprocess.PIPE, preexec_fn=unshare)
    except (subprocess.SubprocessError, OSError):
        raise Problem(REMEDY) from None
    with keeper:
        return [
            (os.open(f"/proc/{keeper.pid}/ns/{name}", os.O_RDONLY), kind) for name, kind in kinds
        ]
