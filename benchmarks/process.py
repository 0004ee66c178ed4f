# SPDX-License-Identifier: MIT
"""Other processes: programs that run to their end, and measured ones that report on the way."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shlex
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import kernel

ROOT = Path(__file__).parents[1]
TIMEOUT = 180.0  # seconds until a process that should have ended is an error
Enter = Callable[[], None]  # runs in the child, before it becomes another program


class Problem(Exception):
    """Nothing can be measured here, or a measurement failed; the text names the remedy."""


class Unavailable(Problem):
    """One subject cannot be measured here; the others can."""


def run(
    command: list[str],
    *,
    enter: Enter | None = None,
    cwd: Path | None = None,
    env: dict[str, str] | None = None,
    stdout: int = subprocess.PIPE,
    timeout: float = TIMEOUT,
) -> str:
    """What a program prints to `stdout`. Ctrl-C kills it together with its own children."""
    shown = shlex.join(command) + (f" in {cwd}" if cwd is not None else "")
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=enter,
        start_new_session=True,
    )
    try:
        output, errors = process.communicate(timeout=timeout)
    except BaseException as reason:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if isinstance(reason, subprocess.TimeoutExpired):
            raise Problem(f"{shown}: still running after {timeout:.0f} s") from None
        raise
    if process.returncode != 0:
        raise Problem(f"{shown}: {errors.strip()[-2000:] or f'exit code {process.returncode}'}")
    return output or ""


class Process:
    """A measured program: it reports lines of JSON, can be stopped, and is killed, in any state, at
    the end of its `with`. `package` is the folder of the netioapi that it imports, if it is not the
    installed one. A foreign program reports nothing."""

    def __init__(
        self, command: list[str], enter: Enter, *, foreign: bool = False, package: str = ""
    ) -> None:
        self._command = command
        self._unread = b""
        self._errors = tempfile.TemporaryFile()
        paths = filter(None, [package, str(ROOT), os.environ.get("PYTHONPATH")])
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL if foreign else subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            preexec_fn=enter,
            start_new_session=True,
        )
        self.pid = self._process.pid

    def expect(self, event: str) -> dict[str, Any]:
        """The next line that the program reports; an error if it is another event, or late."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + TIMEOUT
        while b"\n" not in self._unread:
            if not select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Problem(f"{self}: no {event!r} within {TIMEOUT:.0f} s")
            more = os.read(descriptor, 1 << 20)
            if not more:
                raise Problem(f"{self} ended before {event!r}: {self._last_lines()}")
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        report: dict[str, Any] = json.loads(line)
        if report["event"] == "unavailable":
            raise Unavailable(report["reason"])
        if report["event"] != event:
            raise Problem(f"{self} reported {line!r} instead of {event!r}")
        return report

    def send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """Returns when the process is stopped."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    @property
    def drops(self) -> int:
        """The messages that the kernel dropped at the sockets of the process."""
        return sum(one.drops for one in kernel.netlink_sockets(self.pid))

    def wait_until_joined(self, group_bit: int) -> None:
        self._poll_until(
            lambda: any(one.groups & group_bit for one in kernel.netlink_sockets(self.pid)),
            "a socket in the route group",
        )

    def wait_until_drained(self) -> None:
        """Until the process has read everything and sleeps."""
        self._poll_until(
            lambda: (
                not any(one.queued for one in kernel.netlink_sockets(self.pid))
                and kernel.threads_asleep(self.pid)
            ),
            "an empty socket",
        )

    def _poll_until(self, is_true: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + TIMEOUT
        while not is_true():
            if self._process.poll() is not None:
                raise Problem(f"{self} ended: {self._last_lines()}")
            if time.monotonic() > deadline:
                raise Problem(f"{self}: no {what} within {TIMEOUT:.0f} s")
            time.sleep(0.002)

    def _last_lines(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return "; ".join(lines[-3:]) or f"exit code {self._process.poll()}"

    def __str__(self) -> str:
        return shlex.join(Path(part).name if "/" in part else part for part in self._command)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        with self._errors, contextlib.suppress(BrokenPipeError), self._process:
            pass  # closes the pipes, and waits
