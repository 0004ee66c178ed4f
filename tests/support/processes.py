# SPDX-License-Identifier: MIT
"""Child processes with a deadline: any program, a Python program, a fork."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import warnings
from pathlib import Path

from tests.support.paths import ROOT


def fork() -> int:
    """os.fork() without the warning that 3.12 and later give where there are threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return os.fork()


def run(
    command: list[str],
    *,
    timeout: float = 90,
    code: int | None = 0,
    stdin: str | None = None,
    env: dict[str, str] | None = None,
    creationflags: int = 0,
) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end, and kills its process group at the deadline. `code` None: any exit
    code is accepted."""
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL if stdin is None else subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(env or {})},
        start_new_session=True,  # ignored on Windows
        creationflags=creationflags,
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
    """Ends a process and its children, as far as the system can; returns its output."""
    if sys.platform == "win32":
        # The whole tree: a surviving child would keep the pipes open.
        subprocess.run(["taskkill", "/F", "/T", "/PID", str(process.pid)], capture_output=True)
        process.kill()
        return process.communicate()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGABRT)  # faulthandler then prints the stack
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
    """Runs a script (a Path) or a program (its text) in a new interpreter of this Python.

    It must end in time with exit code `code` and have printed `marker`. The code shows a crash
    after the last line of a script; the missing marker shows a script that ended early.
    """
    program = [str(source)] if isinstance(source, Path) else ["-c", source]
    command = [sys.executable, "-X", "faulthandler", *program, *arguments]
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = run(command, timeout=timeout, code=code, env={"PYTHONPATH": path, **(env or {})})
    if marker is not None:
        assert marker in done.stdout, f"no {marker!r} in {done.stdout!r}, {done.stderr!r}"
    return done
