# SPDX-License-Identifier: MIT
"""Daemons of a test: each in the foreground, with a log, in a folder of its own, and ended."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn, Self

import pytest

from tests.support.network import may_be_missing
from tests.support.waiting import eventually

FOLDERS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin", "/usr/lib/frr"])


def unavailable(reason: str) -> NoReturn:
    """Skip the test, or fail it where CI is true."""
    if not may_be_missing():
        pytest.fail(f"not to be skipped: {reason}")
    pytest.skip(reason)


def find(program: str, package: str) -> str:
    """The path of a daemon. Without it the test is skipped, and fails where CI is true."""
    if path := shutil.which(program, path=FOLDERS):
        return path
    unavailable(f"no {program}: the Debian package {package} is not installed")


def is_machines_root() -> bool:
    """Whether this process may become other users."""
    words = Path("/proc/self/uid_map").read_text().split()
    return os.getuid() == 0 and words == ["0", "0", "4294967295"]


class Daemon:
    """A running program; its output is in `log`."""

    def __init__(self, command: list[str], log: Path) -> None:
        self.command, self.log = command, log
        # The kernel kills it if this process ends before its tests do.
        guarded = ["setpriv", "--pdeathsig", "KILL", "--", *command]
        with log.open("ab") as file:
            self.process = subprocess.Popen(
                guarded,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def until(self, check: Callable[[], bool], what: str, timeout: float = 60) -> None:
        """Wait until `check()` is true. The end of the daemon ends the wait."""

        def checked() -> bool:
            found = check()
            code = self.process.poll()
            assert found or code is None, f"{self.command} ended with {code}: {self.said()[-3000:]}"
            return found

        try:
            eventually(checked, timeout, what)
        except AssertionError as error:
            error.add_note(f"{self.command[0]}: {self.said()[-3000:]}")
            raise

    def until_said(self, text: str, timeout: float = 60) -> None:
        self.until(lambda: text in self.said(), f"{text!r} in the log", timeout)

    def kill(self) -> None:
        """SIGKILL: no chance to clean up, for it and its children."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(30)

    def stop(self) -> None:
        """SIGTERM, and the end; SIGKILL for what does not end by it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise


class Daemons:
    """The daemons of one test, and the folder of their files."""

    def __init__(self) -> None:
        # Not pytest's: paths of sockets are short, and a daemon's user is to reach them.
        self.folder = Path(tempfile.mkdtemp(prefix="real-"))
        self.folder.chmod(0o755)
        self._running: list[Daemon] = []

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(text)
        return path

    def folder_of(self, name: str, user: str) -> Path:
        """A folder that belongs to this user of the machine."""
        path = self.folder / name
        path.mkdir()
        found = pwd.getpwnam(user)
        os.chown(path, found.pw_uid, found.pw_gid)
        return path

    def start(self, name: str, *command: str | Path) -> Daemon:
        """Start a program in the network of the calling thread; `name` names its log."""
        daemon = Daemon([str(word) for word in command], self.folder / f"{name}.log")
        self._running.append(daemon)
        return daemon

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for daemon in reversed(self._running):
            if daemon.process.poll() is None:
                daemon.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
