# SPDX-License-Identifier: MIT
"""A measured thing in a process of its own: it says lines of JSON, and stops and goes on."""

from __future__ import annotations

import json
import os
import select
import shlex
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import kernel
from benchmarks.problem import Problem, Unavailable
from benchmarks.stage import PATIENCE, Stage

ROOT = str(Path(__file__).parents[1])  # where a worker finds this package


class Child:
    """`with Child(command, stage) as child:` kills it at the end, whatever state it is in."""

    def __init__(
        self, command: list[str], stage: Stage, *, foreign: bool = False, package: str = ""
    ) -> None:
        self._command = command
        self._said = b""
        self._errors = tempfile.TemporaryFile()
        paths = filter(None, [package, ROOT, os.environ.get("PYTHONPATH")])
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL if foreign else subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            preexec_fn=stage.enter,
            start_new_session=True,
        )
        self.pid = self._process.pid

    def expect(self, event: str, patience: float = PATIENCE) -> dict[str, Any]:
        """The next line it says; an error when that is another event, or late."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        deadline = time.monotonic() + patience
        while b"\n" not in self._said:
            if not select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
                raise Problem(f"{self}: no {event!r} within {patience:.0f} s")
            more = os.read(descriptor, 1 << 20)
            if not more:
                raise Problem(f"{self} ended before {event!r}: {self._last_words()}")
            self._said += more
        line, _, self._said = self._said.partition(b"\n")
        said: dict[str, Any] = json.loads(line)
        if said["event"] == "unavailable":
            raise Unavailable(said["reason"])
        if said["event"] != event:
            raise Problem(f"{self} said {line!r} instead of {event!r}")
        return said

    def say(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def stop(self) -> None:
        """Stop it; it is stopped on return."""
        os.kill(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    # ---- those that are not ours cannot say how far they are: the kernel knows

    def wait_until_joined(self, group_bit: int) -> None:
        self._look_until(
            lambda: any(one.groups & group_bit for one in kernel.netlink_sockets(self.pid)),
            "a socket in the route group",
        )

    def wait_until_drained(self) -> None:
        """Until it has read everything and sleeps."""
        self._look_until(
            lambda: (
                not any(one.queued for one in kernel.netlink_sockets(self.pid))
                and kernel.threads_asleep(self.pid)
            ),
            "an empty socket",
        )

    def _look_until(self, is_true: Any, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not is_true():
            if self._process.poll() is not None:
                raise Problem(f"{self} ended: {self._last_words()}")
            if time.monotonic() > deadline:
                raise Problem(f"{self}: no {what} within {PATIENCE:.0f} s")
            time.sleep(0.002)

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return "; ".join(lines[-3:]) or f"exit code {self._process.poll()}"

    def __str__(self) -> str:
        return shlex.join(Path(part).name if "/" in part else part for part in self._command)

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()  # a stopped one as well
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    pass
        self._process.wait()
        self._errors.close()
