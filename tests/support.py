# SPDX-License-Identifier: MIT
"""What tests share: a collector of events, subprocesses with a deadline, network namespaces.

Everything here that waits has a deadline, and says what it saw when the deadline passes.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parent.parent
T = TypeVar("T")

CLONE_NEWUSER = 0x10000000
CLONE_NEWNET = 0x40000000


class Collector:
    """A callback that keeps what it is given, as tuples of its arguments, and can be waited for."""

    def __init__(self, then: Callable[..., object] | None = None) -> None:
        self._condition = threading.Condition()
        self._events: list[tuple[Any, ...]] = []
        self._then = then

    def __call__(self, *arguments: Any) -> None:
        with self._condition:
            self._events.append(arguments)
            self._condition.notify_all()
        if self._then is not None:
            self._then(*arguments)

    def __len__(self) -> int:
        return len(self.events)

    @property
    def events(self) -> list[tuple[Any, ...]]:
        with self._condition:
            return list(self._events)

    def clear(self) -> None:
        with self._condition:
            self._events.clear()

    def wait_for(self, predicate: Callable[[list[tuple[Any, ...]]], T], timeout: float = 10) -> T:
        """What `predicate(all events so far)` returns as soon as that is true."""
        deadline = time.monotonic() + timeout
        with self._condition:
            while not (result := predicate(list(self._events))):
                left = deadline - time.monotonic()
                if left <= 0 or not self._condition.wait(left):
                    if result := predicate(list(self._events)):
                        break
                    raise AssertionError(
                        f"not within {timeout} s; {len(self._events)} events, the last of them: "
                        f"{self._events[-20:]}"
                    )
        return result

    def wait_any(self, predicate: Callable[..., object], timeout: float = 10) -> tuple[Any, ...]:
        """The first event whose `predicate(*arguments)` is true."""
        found = self.wait_for(lambda all_: [e for e in all_ if predicate(*e)], timeout)
        return found[0]

    def wait_count(self, count: int, timeout: float = 10) -> list[tuple[Any, ...]]:
        return self.wait_for(lambda all_: all_ if len(all_) >= count else [], timeout)


def eventually(check: Callable[[], T], timeout: float = 10, what: str = "") -> T:
    """Look until `check()` is true: for states of the kernel that no event announces."""
    deadline = time.monotonic() + timeout
    pause = threading.Event()
    while not (result := check()):
        assert time.monotonic() < deadline, f"not within {timeout} s: {what or check}: {result!r}"
        pause.wait(0.005)
    return result


def run(
    command: list[str],
    *,
    timeout: float = 30,
    code: int | None = 0,
    stdin: str | None = None,
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run to the end; kill the whole group at the deadline. `code` None: any exit code is right."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
        start_new_session=True,
    ) as process:
        late = False
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            late = True
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGABRT)  # faulthandler shows where it stood
            try:
                out, err = process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                out, err = process.communicate()
    shown = f"{shlex.join(command)[:2000]}\n--- stdout\n{out}\n--- stderr\n{err}"
    assert not late, f"still running after {timeout} s: {shown}"
    if code is not None:
        assert process.returncode == code, f"exit code {process.returncode}, not {code}: {shown}"
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def python(
    source: str | Path,
    *arguments: str,
    marker: str | None = None,
    timeout: float = 30,
    code: int | None = 0,
    env: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a script (a Path) or a program (its text) in a fresh interpreter of this Python.

    It must end in time with exit code `code` and have printed `marker`: a crash after the last
    line of a script is seen by the code, a script that never got that far by the marker.
    """
    program = [str(source)] if isinstance(source, Path) else ["-c", source]
    command = [sys.executable, "-X", "faulthandler", *program, *arguments]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = run(command, timeout=timeout, code=code, env={"PYTHONPATH": path, **(env or {})})
    if marker is not None:
        assert marker in done.stdout, f"no {marker!r} in {done.stdout!r}, {done.stderr!r}"
    return done


_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def enter_user_namespace() -> None:
    """Make this process root of a user and a network namespace of its own.

    Only a process of one thread may. Real root that may not, or that NETIOAPI_REAL_ROOT=1 wants
    to stay what it is (some settings are the machine's root's alone), gets the network.
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
    """A network namespace. Inside `with`, the calling thread and what it starts are in it."""

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
        """It lives on while anything is in it."""
        os.close(self._fd)

    @property
    def path(self) -> str:
        """What `ip link set v0 netns PATH` takes."""
        return f"/proc/{os.getpid()}/fd/{self._fd}"

    # The rest acts in the namespace of the calling thread: this one's, inside `with`.

    def ip(self, arguments: str, *, check: bool = True, timeout: float = 30) -> str:
        """Run `ip ...`; what it printed."""
        return run(
            ["ip", *shlex.split(arguments)], code=0 if check else None, timeout=timeout
        ).stdout

    def batch(self, lines: str, *, timeout: float = 120) -> None:
        """Run many `ip` commands, one a line."""
        run(["ip", "-batch", "-"], stdin=lines + "\n", timeout=timeout)

    def json(self, arguments: str) -> list[dict[str, Any]]:
        """What `ip -details -json ...` prints."""
        printed = self.ip(f"-details -json {arguments}")
        found = json.loads(printed) if printed.strip() else []
        return [one for one in found if one]  # `ip` prints {} for what its filter left out

    def sysctl(self, name: str, value: object | None = None) -> str:
        """Read a setting below net, say `ipv4.ip_forward` or `ipv6.conf.v0.mtu`; or write it."""
        path = Path("/proc/sys/net", *name.split("."))
        if value is not None:
            path.write_text(f"{value}\n")
        return path.read_text().strip()

    python = staticmethod(python)

    def veth(self, name: str = "v0", peer: str = "p0", *, up: bool = True) -> int:
        """A pair of links, up and past their first settling; the index of the first."""
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
