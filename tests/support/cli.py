# SPDX-License-Identifier: MIT
"""The commands as a user runs them: a process, its output line by line, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from tests.support.collector import Collector
from tests.support.paths import ROOT
from tests.support.platforms import on_wine
from tests.support.processes import run
from tests.support.signals import BY_CTRL_C

COMMAND = [sys.executable, "-X", "faulthandler", "-m", "netioapi"]
Record = dict[str, Any]

# For Popen on Windows, where Ctrl-C reaches every process of a console: a process that Ctrl-C is to
# end alone needs a console of its own.
OWN_CONSOLE = getattr(subprocess, "CREATE_NO_WINDOW", 0)
CTRL_C_AT_ITS_CONSOLE = """
import ctypes, sys
kernel = ctypes.WinDLL("kernel32.dll")
kernel.FreeConsole()
assert kernel.AttachConsole(int(sys.argv[1]))
assert kernel.SetConsoleCtrlHandler(None, True)  # so that it ignores the Ctrl-C that it sends
assert kernel.GenerateConsoleCtrlEvent(0, 0)
"""


def send_signal(process: subprocess.Popen[Any], number: int) -> None:
    """SIGINT on Windows is Ctrl-C at the console; any other signal ends the process there."""
    if sys.platform == "win32" and number == signal.SIGINT:
        run([sys.executable, "-c", CTRL_C_AT_ITS_CONSOLE, str(process.pid)])
    else:
        process.send_signal(number)


def ended_by(number: int) -> set[int]:
    """The possible exit codes of a process that this signal ended, without a handler of its own."""
    if sys.platform != "win32":
        return {-number}
    assert number == signal.SIGINT
    return {BY_CTRL_C, 0} if on_wine() else {BY_CTRL_C}


def netioapi(
    *arguments: str, code: int | None = 0, env: dict[str, str] | None = None, timeout: float = 90
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return run([*COMMAND, *arguments], code=code, env=env, timeout=timeout)


def records(text: str) -> list[Record]:
    return [json.loads(line) for line in text.splitlines()]


def on_terminal(*arguments: str, env: dict[str, str]) -> str:
    """The output that a command writes to a terminal."""
    import pty  # missing on Windows

    mine, its = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, *arguments], stdout=its, stderr=its, env={**os.environ, **env}
    ) as process:
        os.close(its)
        found = b""
        try:
            while data := os.read(mine, 65536):
                found += data
        except OSError:  # the other end is closed
            pass
        os.close(mine)
        assert process.wait(20) == 0, found
    return found.decode()


class Running:
    """A command, or another program, that keeps running: read its lines, then end it."""

    def __init__(self, *arguments: str, command: list[str] | None = None) -> None:
        self._lines = Collector()
        self._process = subprocess.Popen(
            [*(COMMAND if command is None else command), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            bufsize=1,
            cwd=ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
            creationflags=OWN_CONSOLE,
        )
        self.errors = ""
        self._threads = [threading.Thread(target=self._read), threading.Thread(target=self._warn)]
        for thread in self._threads:
            thread.start()

    def __enter__(self) -> Running:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        for thread in self._threads:
            thread.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert stream is not None
            stream.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines(line.rstrip("\n"))

    def _warn(self) -> None:
        assert self._process.stderr is not None
        self.errors = self._process.stderr.read()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lines(self) -> list[str]:
        return [line for (line,) in self._lines.events]

    @property
    def records(self) -> list[Record]:
        return [json.loads(line) for line in self.lines]

    def wait_line(self, wanted: Callable[[str], object], timeout: float = 60) -> str:
        try:
            line: str = self._lines.wait_any(wanted, timeout)[0]
        except AssertionError as error:
            raise AssertionError(f"{error}; standard error: {self.errors}") from None
        return line

    def wait_record(self, timeout: float = 60, **wanted: object) -> Record:
        """The first record that has all of these values."""

        def fits(line: str) -> bool:
            record = json.loads(line)
            return all(record.get(key) == value for key, value in wanted.items())

        found: Record = json.loads(self.wait_line(fits, timeout))
        return found

    def type(self, text: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(text)
        self._process.stdin.flush()

    def end(self, number: int = signal.SIGTERM) -> int:
        send_signal(self._process, number)
        return self.wait()

    def wait(self, timeout: float = 60) -> int:
        """Waits for the end: the exit code. The output is complete then."""
        code = self._process.wait(timeout)
        for thread in self._threads:
            thread.join(timeout)
        return code


def live_monitor(*arguments: str) -> Running:
    """`monitor --json` after its snapshot: every later change is printed."""
    running = Running("monitor", "--json", "--snapshot", *arguments)
    try:
        running.wait_record(kind="mark", change="synced")
    except BaseException:
        running.__exit__()
        raise
    return running
