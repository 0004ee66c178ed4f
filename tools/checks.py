# SPDX-License-Identifier: MIT
"""Runs the commands of a nox session and writes each result into a JUnit XML file: pytest its own,
every other command one test case. `python tools/checks.py FOLDER` sums them up (.ci/run does).

A pytest run with failures repeats those tests once. A test that passes only then is UNSTEADY:
it counts as passed, and the summary names it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import FrameType, TracebackType
from typing import Protocol
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
AGAIN = ".again"  # in the name of the file of a repeated run
MOST_SECONDS = 3600.0  # for one command: far above what the longest needs
SHORTENED = re.compile(r"[^\w.+-]+")


class Session(Protocol):
    """What is used of nox.Session."""

    @property
    def name(self) -> str: ...
    @property
    def bin_paths(self) -> list[str] | None: ...
    def error(self, *arguments: object) -> object: ...


def reports() -> Path:
    """The folder of the XML files: NETIOAPI_REPORTS, or one in nox's own."""
    return Path(os.environ.get("NETIOAPI_REPORTS") or ROOT / ".nox" / "reports")


def _terminate(number: int, frame: FrameType | None) -> None:
    sys.exit(128 + number)  # so that `finally` ends the child processes


class Checks:
    """The commands of one session. A failed one does not keep the next from running; the session
    fails at the end of the `with`, and names those that failed."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._cases: list[tuple[str, float, str]] = []  # name, seconds, why it failed
        self.failed: list[str] = []
        reports().mkdir(parents=True, exist_ok=True)
        signal.signal(signal.SIGTERM, _terminate)

    def __enter__(self) -> Checks:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if error is not None and not isinstance(error, KeyboardInterrupt | SystemExit):
            self.record("the session", 0.0, f"{type(error).__name__}: {error}")
        if self._cases:
            suite = ElementTree.Element("testsuite", name=self._session.name)
            for name, seconds, reason in self._cases:
                case = ElementTree.SubElement(
                    suite, "testcase", classname=self._session.name, name=name
                )
                case.set("time", f"{seconds:.2f}")
                if reason:
                    ElementTree.SubElement(case, "failure", message=reason)
            path = self._file(f"checks-{os.getpid()}-{time.time_ns()}")
            ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
        if self.failed and error is None:
            self._session.error(f"failed: {', '.join(self.failed)}")

    def _file(self, label: str) -> Path:
        label = SHORTENED.sub("-", label)
        return reports() / f"{self._session.name}-{label}.xml"

    def record(self, name: str, seconds: float, failure: str = "") -> bool:
        """Add a test case; `failure` is empty where it passed."""
        self._cases.append((name, seconds, failure))
        if failure:
            self.failed.append(name)
            print(f"FAILED: {name}: {failure}", flush=True)
        return not failure

    def run(
        self,
        name: str,
        *command: str | Path,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        seconds: float = MOST_SECONDS,
    ) -> bool:
        """One command that is one check."""
        started = time.monotonic()
        code = self._call(command, env or {}, cwd, seconds)
        return self.record(name, time.monotonic() - started, f"exit code {code}" if code else "")

    def pytest(
        self,
        label: str,
        python: str | Path,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        seconds: float = MOST_SECONDS,
    ) -> bool:
        """pytest with `arguments`, and a second time for those that failed."""
        cache = reports() / f"cache-{SHORTENED.sub('-', label)}"
        command = [python, "-m", "pytest", "-q", "-o", f"cache_dir={cache}", *arguments]
        return self.tests(label, command, command, env=env, cwd=cwd, seconds=seconds)

    def tests(
        self,
        label: str,
        command: Sequence[str | Path],
        again: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path = ROOT,
        seconds: float = MOST_SECONDS,
        prefix: str = "",
        by_environment: bool = False,
    ) -> bool:
        """A command that ends in a run of pytest, and the one that repeats what failed.

        Both get pytest's option for the XML file: as arguments, or in PYTEST_ADDOPTS where the
        command takes none. `prefix` is what the file's path begins with where pytest runs."""
        path, repeated = self._file(label), self._file(f"{label}{AGAIN}")
        path.unlink(missing_ok=True)
        repeated.unlink(missing_ok=True)
        started = time.monotonic()

        def start(command: Sequence[str | Path], report: Path, *options: str) -> int:
            given = [f"--junitxml={prefix}{report}", *options]
            more = dict(env or {})
            if by_environment:
                more["PYTEST_ADDOPTS"] = " ".join(given)
                given = []
            return self._call([*command, *given], more, cwd, seconds)

        code = start(command, path)
        if code == 1 and path.exists():
            print("== what failed, once more", flush=True)
            code = start(again, repeated, "--last-failed", "--last-failed-no-failures=none")
        if code == 0 and path.exists():
            return True
        if code == 1 and repeated.exists() and "failed" in _joined(path)[0].values():
            self.failed.append(label)  # its cases are in those files
            return False
        return self.record(label, time.monotonic() - started, f"exit code {code}")

    def _call(
        self, command: Sequence[str | Path], more: Mapping[str, str], cwd: Path, seconds: float
    ) -> int:
        """The exit code; 124 where it took too long. Nothing that it started outlives it then."""
        env = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **more}
        first = [more["PATH"]] if "PATH" in more else []
        paths = [*first, *(self._session.bin_paths or []), os.environ["PATH"]]
        env["PATH"] = os.pathsep.join(paths)
        program = shutil.which(command[0], path=env["PATH"]) or command[0]
        shown = " ".join(map(str, command))
        print(f"-- {shown if len(shown) < 300 else shown[:300] + ' ...'}", flush=True)
        group = None if sys.platform == "win32" else 0  # of its own: all of it can be ended
        try:
            process = subprocess.Popen(
                [program, *command[1:]],
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                process_group=group,
            )
        except OSError as error:
            print(error, flush=True)
            return 127
        try:
            return process.wait(seconds)
        except subprocess.TimeoutExpired:
            print(f"not within {seconds:.0f} s", flush=True)
            return 124
        finally:
            if process.poll() is None:
                _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
        if sys.platform == "win32":
            process.terminate()
        else:
            os.killpg(process.pid, number)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            continue
        return


# ---- the summary


def _results(path: Path) -> dict[tuple[str, str], str]:
    """(class, name) of each test case: "passed", "failed" or "skipped"."""
    found: dict[tuple[str, str], str] = {}
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        key = (case.get("classname", ""), case.get("name", ""))
        tags = {child.tag for child in case}
        failed, skipped = tags & {"failure", "error"}, "skipped" in tags
        if found.get(key) != "failed":  # an error of the teardown is a second case
            found[key] = "failed" if failed else "skipped" if skipped else "passed"
    return found


def _joined(path: Path) -> tuple[dict[tuple[str, str], str], list[tuple[str, str]]]:
    """The results of a run, where a test that passed when it was repeated has passed; and those."""
    results = _results(path)
    repeated = path.with_name(f"{path.stem}{AGAIN}.xml")
    second = _results(repeated) if repeated.exists() else {}
    unsteady = [
        key for key, result in results.items() if result == "failed" and second.get(key) == "passed"
    ]
    return results | dict.fromkeys(unsteady, "passed"), unsteady


def summary(folder: Path) -> tuple[list[str], int, int]:
    """Lines to print, and how many passed and failed.

    `sessions-failed` in that folder has a line for each session that failed: one without a failed
    test case counts as one."""
    lines, passed, failed = [], 0, 0
    with_failures = set()
    for path in sorted(folder.glob("*.xml")):
        if path.stem.endswith(AGAIN):
            continue
        try:
            results, unsteady = _joined(path)
        except ElementTree.ParseError as error:
            results, unsteady = {("", f"{path.name}: {error}"): "failed"}, []
        counts = {"passed": 0, "failed": 0, "skipped": 0}
        notes = []
        for (place, name), result in results.items():
            if (place, name) in unsteady:
                notes.append(f"  UNSTEADY, passed at the second run only: {place}::{name}")
            elif result == "failed":
                notes.append(f"  FAILED: {place}::{name}")
                with_failures.add(path.stem.split("-")[0])
            counts[result] += 1
        passed += counts["passed"]
        failed += counts["failed"]
        shown = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
        lines += [f"{re.sub(r'-checks-[0-9-]+$', '', path.stem)}: {shown or 'no test'}", *notes]
    ended = folder / "sessions-failed"
    for session in ended.read_text().split() if ended.exists() else []:
        if session not in with_failures and not (session == "nightly" and with_failures):
            failed += 1
            lines.append(f"  FAILED: the session {session}")
    return lines, passed, failed


if __name__ == "__main__":
    shown, good, bad = summary(Path(sys.argv[1]))
    print(*shown, "", f"{good} passed, {bad} failed", sep="\n")
    sys.exit(bad > 0 or good == 0)
