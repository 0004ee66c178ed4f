# SPDX-License-Identifier: MIT
"""What tests share on every system: a collector, subprocesses with a deadline, Ctrl-C, and
the mark of what Linux alone has.

Everything here that waits has a deadline, and says what it saw when the deadline passes. What
changes the network is in tests/network.py.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import pytest

ROOT = Path(__file__).resolve().parent.parent
WINDOWS = sys.platform == "win32"
# What a process ends with by Ctrl-C that nobody handles: seen by its parent.
BY_CTRL_C = 0xC000013A if WINDOWS else -signal.SIGINT
# Seconds to wait for what is sure to come: on a starved machine it comes late.
PATIENCE = 60.0
T = TypeVar("T")


def linux_only(reason: str) -> pytest.MarkDecorator:
    """For a test of what Windows does not have, with what that is."""
    return pytest.mark.skipif(WINDOWS, reason=f"not on Windows: {reason}")


def repo_text(path: str) -> str:
    """A text file of the repository; Windows' own encoding is another."""
    return (ROOT / path).read_text(encoding="utf-8")


def on_wine() -> bool:
    return sys.platform == "win32" and hasattr(ctypes.WinDLL("ntdll.dll"), "wine_get_version")


def ctrl_c() -> None:
    """What Ctrl-C does to this process, from any thread."""
    if WINDOWS:  # os.kill() would end it there
        signal.raise_signal(signal.SIGINT)
    else:  # raise_signal() would interrupt the calling thread here, and not the main one
        os.kill(os.getpid(), signal.SIGINT)


def fork() -> int:
    """os.fork(); from 3.12 on it warns of the threads, of which tests of a fork have some."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def strike(name: str) -> str:
    """The statement of a program that strikes itself with this signal, as ctrl_c() does."""
    if WINDOWS:
        return f"signal.raise_signal(signal.{name})"
    return f"os.kill(os.getpid(), signal.{name})"


# For a program whose callbacks look what the main thread is doing. It says so itself: without a GIL
# nobody may walk the frames of a thread that runs.
IS_IN = """
import sys
calls = []  # that have not returned yet
def profile(frame, event, argument, calls=calls):  # also when globals are gone
    if event == "call":
        calls.append(frame.f_code.co_name)
    elif event == "return" and calls:
        calls.pop()
def note_calls():  # of this thread; an exception from within profile() ends it
    calls.clear()
    sys.setprofile(profile)
def is_in(name):
    return name in calls or "_" + name in calls  # read() and what iteration calls alike
note_calls()
"""


def counts() -> tuple[int, int]:
    """The threads of this process and its descriptors. On Windows the system's pool has threads and
    handles of its own, which come and go: there it is what the system holds for us."""
    if WINDOWS:
        from tests.windows.dll import Figure, stat

        return stat(Figure.LIVE), stat(Figure.GIVEN)
    return len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd"))


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

    def wait_for(
        self, predicate: Callable[[list[tuple[Any, ...]]], T], timeout: float = PATIENCE
    ) -> T:
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

    def wait_any(
        self, predicate: Callable[..., object], timeout: float = PATIENCE
    ) -> tuple[Any, ...]:
        """The first event whose `predicate(*arguments)` is true. Each is looked at once."""
        looked = 0

        def find(all_: list[tuple[Any, ...]]) -> tuple[Any, ...] | None:
            nonlocal looked
            first, looked = looked, len(all_)
            return next((e for e in islice(all_, first, None) if predicate(*e)), None)

        return self.wait_for(find, timeout)

    def wait_count(self, count: int, timeout: float = PATIENCE) -> list[tuple[Any, ...]]:
        return self.wait_for(lambda all_: all_ if len(all_) >= count else [], timeout)


def eventually(check: Callable[[], T], timeout: float = PATIENCE, what: str = "") -> T:
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
    timeout: float = 90,
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
        start_new_session=True,  # Windows has no such groups, and ignores it
    ) as process:
        late = False
        try:
            out, err = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            late = True
            out, err = _end(process)
    shown = f"{shlex.join(command)[:2000]}\n--- stdout\n{out}\n--- stderr\n{err}"
    assert not late, f"still running after {timeout} s: {shown}"
    if code is not None:
        assert process.returncode == code, f"exit code {process.returncode}, not {code}: {shown}"
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _end(process: subprocess.Popen[str]) -> tuple[str, str]:
    """End it with all that it started, as far as the system can; what it said."""
    if sys.platform == "win32":
        # The tree, and not the process alone: a child would keep the pipes open.
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True)
        process.kill()
        return process.communicate()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGABRT)  # faulthandler shows where it stood
    try:
        return process.communicate(timeout=5)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return process.communicate()


def python(
    source: str | Path,
    *arguments: str,
    marker: str | None = None,
    timeout: float = 90,
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
