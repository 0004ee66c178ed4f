# SPDX-License-Identifier: MIT
"""A network namespace to measure in, and who changes it. The machine's own is never touched."""

from __future__ import annotations

import json
import os
import select
import shlex
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import kernel
from benchmarks.problem import Problem

PATIENCE = 180.0  # seconds until what should have ended is an error
ADDRESSES = {4: "192.0.2.1/24", 6: "2001:db8::1/64 nodad"}
REMEDY = (
    "no network namespace to measure in ({error}): run as root, or allow unprivileged user "
    "namespaces (sysctl kernel.unprivileged_userns_clone=1, "
    "kernel.apparmor_restrict_unprivileged_userns=0)"
)


class Stage:
    """A namespace with the link `v0`. With `rights` it belongs to the machine's root; else to a
    user namespace of its own, where nobody may force a receive buffer."""

    def __init__(self, produce: str, *, rights: bool) -> None:
        self._produce = produce
        self.rights = rights
        self.dirty = False  # something failed with routes left in it
        self._spaces = _make_namespace(user=not rights)
        try:
            for link in ("lo", "v0"):
                if link == "v0":
                    self.ip("link add v0 type veth peer name p0")
                    # No link-local addresses: their settling would be events of its own.
                    self.ip("link set v0 addrgenmode none")
                    self.ip("link set p0 addrgenmode none")
                    self.ip("link set p0 up")
                self.ip(f"link set {link} up")
            self.index = int(json.loads(self.ip("-json link show v0"))[0]["ifindex"])
            self.lay()
        except BaseException:
            self.close()
            raise

    def lay(self) -> None:
        """Wait until v0 is up, and give it its addresses."""
        deadline = time.monotonic() + PATIENCE
        while json.loads(self.ip("-json link show v0"))[0]["operstate"] != "UP":
            if time.monotonic() > deadline:
                raise Problem("the link v0 does not come up")
            time.sleep(0.01)  # the kernel's own delay, up to 1 s
        for address in ADDRESSES.values():
            self.ip(f"address replace {address} dev v0")

    def enter(self) -> None:
        """In the child, before it becomes another program."""
        for descriptor, kind in self._spaces:
            kernel.setns(descriptor, kind)
        kernel.die_with_parent()

    def ip(self, arguments: str) -> str:
        return self._run(["ip", *shlex.split(arguments)])

    def produce(
        self, verb: str, family: int, count: int, *, rounds: int = 1, pace_us: int = 0
    ) -> dict[str, Any]:
        """Add or delete routes; when it began and ended, and the times of paced ones."""
        with self.producer(verb, family, count, rounds=rounds, pace_us=pace_us) as running:
            return running.result()

    def producer(
        self, verb: str, family: int, count: int, *, rounds: int = 1, pace_us: int = 0
    ) -> Running:
        self.dirty = True
        numbers = (family, self.index, count, rounds, pace_us)
        return Running([self._produce, verb, *map(str, numbers)], self.enter)

    def _run(self, command: list[str]) -> str:
        with Running(command, self.enter) as running:
            return running.output()

    def close(self) -> None:
        for descriptor, _ in self._spaces:
            os.close(descriptor)
        self._spaces = []


class Running:
    """A program inside a stage that ends by itself; killed when its `with` ends before."""

    def __init__(self, command: list[str], enter: Callable[[], None]) -> None:
        self._command = command
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=enter,
            start_new_session=True,
        )

    def output(self) -> str:
        try:
            out, err = self._process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired as late:
            raise Problem(str(late)) from None
        if self._process.returncode != 0:
            raise Problem(f"{shlex.join(self._command)}: {err.strip()}")
        return out

    def result(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.output())
        return found

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate()


def _make_namespace(*, user: bool) -> list[tuple[int, int]]:
    """Descriptors of fresh namespaces with their kinds, in the order to enter them."""
    kinds = [("user", kernel.CLONE_NEWUSER)] * user + [("net", kernel.CLONE_NEWNET)]
    uid, gid = os.getuid(), os.getgid()
    told, tell = os.pipe()
    end, keep = os.pipe()
    holder = os.fork()
    if holder == 0:
        try:
            kernel.die_with_parent()
            os.close(keep)
            kernel.unshare(sum(kind for _, kind in kinds))
            if user:
                Path("/proc/self/setgroups").write_text("deny")
                Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
                Path("/proc/self/gid_map").write_text(f"0 {gid} 1")
            os.write(tell, b"made")
            os.read(end, 1)  # until the parent holds the namespaces
        except OSError as error:
            os.write(tell, str(error).encode())
        finally:
            os._exit(0)
    os.close(tell)
    os.close(end)
    try:
        said = os.read(told, 1000) if select.select([told], [], [], PATIENCE)[0] else b"no answer"
        if said != b"made":
            raise Problem(REMEDY.format(error=said.decode()))
        return [(os.open(f"/proc/{holder}/ns/{name}", os.O_RDONLY), kind) for name, kind in kinds]
    finally:
        os.close(keep)
        os.close(told)
        os.waitpid(holder, 0)
