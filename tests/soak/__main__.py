# SPDX-License-Identifier: MIT
"""Soak netioapi: network changes, registrations, watchers, overflows, dying namespaces and forks,
all at random and at once, in network namespaces of its own and without root. At the end every
follower's state is the kernel's, memory has not grown, and threads and descriptors are as many as
before."""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT

from .measure import ENVIRONMENT

SILENT = 90.0  # seconds without a line: it hangs, with the GIL held


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m tests.soak",
        description=__doc__,
        epilog="Exit code: 0 all was right, 1 something was not, 130 by Ctrl-C. A seed repeats the "
        "choices; what they meet depends on how fast the machine is.",
    )
    parser.add_argument("--minutes", type=float, default=30.0, help="how long (default: 30)")
    seed = random.SystemRandom().randrange(2**32)
    parser.add_argument("--seed", type=int, default=seed, help="of the choices (default: any)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the summary there")
    return parser.parse_args(arguments)


class Worker:
    """The process under test, seen from outside."""

    def __init__(self, seed: int, seconds: float) -> None:
        self.last: dict[str, Any] = {}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.soak.worker", str(seed), str(seconds)],
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**os.environ, **ENVIRONMENT, "PYTHONPATH": str(ROOT)},
            start_new_session=True,
        )
        self._read = b""

    def line(self) -> dict[str, Any] | None:
        """The next line of its output; None when it has ended, or was silent and was ended."""
        assert self.process.stdout is not None
        while b"\n" not in self._read:
            ready, _, _ = select.select([self.process.stdout], [], [], SILENT)
            if not ready:
                self.process.send_signal(signal.SIGABRT)  # faulthandler then prints the stacks
                self.process.wait(10)
            chunk = os.read(self.process.stdout.fileno(), 1 << 16) if ready else b""
            if not chunk:
                return None
            self._read += chunk
        line, self._read = self._read.split(b"\n", 1)
        self.last = json.loads(line)
        return self.last

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def progress(report: dict[str, Any]) -> str:
    counts = report["counts"]
    shown = {
        name: counts.get(name, 0)
        for name in ("moves", "changes", "overflows", "registrations", "watchers", "namespaces")
    }
    shown |= {
        "MB": report["pages"] >> 20,
        "threads": report["threads"],
        "fds": report["descriptors"],
    }
    words = ", ".join(f"{value:,} {name}" for name, value in shown.items())
    return f"{report['seconds']:5.0f} s  round {report['rounds']}: {words}"


def follow(worker: Worker) -> None:
    """Shows the progress: on a terminal in one line, otherwise once a minute."""
    terminal, shown = sys.stderr.isatty(), 0.0
    while (report := worker.line()) is not None:
        if terminal:
            print(f"\r\x1b[K{progress(report)}", end="", file=sys.stderr, flush=True)
        elif report["seconds"] >= shown + 60:
            shown = report["seconds"]
            print(progress(report), file=sys.stderr, flush=True)
    if terminal:
        print(file=sys.stderr)


def judge(worker: Worker) -> list[str]:
    code = worker.process.wait(60)
    failures: list[str] = list(worker.last.get("failures", ()))
    if "failures" not in worker.last:
        failures.append(f"it ended without a result, by exit code {code} (its errors are above)")
    elif code != 0 and not failures:
        failures.append(f"it ended by exit code {code} after a good result")
    return failures


def summary(seed: int, report: dict[str, Any], failures: list[str]) -> str:
    lines = [f"seed {seed}"]
    if report:
        lines.append(progress(report))
        lines.append(", ".join(f"{n:,} {name}" for name, n in sorted(report["counts"].items())))
    if points := report.get("points"):
        lines += [f"{n}: {[point[n] for point in points[1:]]}" for n in ("bytes", "pages")]
    lines += [f"FAILED: {failure}" for failure in failures]
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    options = parse(arguments)
    worker = Worker(options.seed, options.minutes * 60)
    failures, code = [], 130
    try:
        print(f"seed {options.seed}", flush=True)
        follow(worker)
        failures = judge(worker)
        code = 1 if failures else 0
    except KeyboardInterrupt:
        failures = ["interrupted"]
    finally:
        worker.kill()
    if options.json is not None:
        found = {"seed": options.seed, **worker.last, "failures": failures}
        options.json.write_text(json.dumps(found, indent=1) + "\n")
    print(summary(options.seed, worker.last, failures))
    print("failed" if failures else "all is as it was")
    return code


def as_ctrl_c(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, as_ctrl_c)  # so that the worker is ended, too
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)  # before the beginning, or after the end
