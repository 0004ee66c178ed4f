# SPDX-License-Identifier: MIT
"""The benchmark runs from end to end, writes what it says, and Ctrl-C leaves nothing behind.
No speed is tested here: the machine may be doing anything else."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.linux.namespace import Namespace
from tests.support.paths import ROOT
from tests.support.processes import run

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
COMMAND = [sys.executable, "-m", "benchmarks"]
# What the machine lacks is skipped; it is ours to have these.
ALWAYS = {
    "prefilled": {"reference", "columns", "objects", "callback-idle", "callback-busy"},
    "dump": {"reference", "table", "mirror", "ip-route"},
    "storm": {"reference", "watcher", "watcher-loop", "watcher-hog"},
    "burst": {"watcher"},
    "slow": {"watcher"},
    "latency": {"reference", "callback", "watcher"},
    "idle": {"sync", "async"},
    "import": {"bare", "netioapi"},
}


def test_help_lists_what_can_be_measured() -> None:
    done = run([*COMMAND, "--help"], env={"PYTHONPATH": str(ROOT)})
    assert all(name in done.stdout for things in ALWAYS.values() for name in things)


@pytest.mark.timeout(300)
def test_quick(netns: Namespace, tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    done = run(
        [*COMMAND, "--quick", "--routes", "200", "--json", str(written)],
        timeout=240,
        env={"PYTHONPATH": str(ROOT)},
    )
    found = json.loads(written.read_text())
    assert found["failed"] == []
    measured: dict[str, set[str]] = {}
    for row in found["rows"]:
        measured.setdefault(row["scenario"], set()).add(row["thing"])
        assert row["runs"] >= 1
        assert all(value >= 0 for value in row["medians"].values())
    for scenario, things in ALWAYS.items():
        assert things <= measured[scenario]
    for row in found["rows"]:
        if row["scenario"] in ("storm", "burst", "slow") and row["thing"] != "reference":
            assert row["medians"]["exact"] == 1
            assert row["medians"]["told"] == 1
    assert {one["verdict"] for one in found["targets"]} <= {"met", "missed", "not measured"}
    assert all(one["target"] in done.stdout for one in found["targets"])


def test_ctrl_c_ends_it_and_leaves_nothing(netns: Namespace, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--quick", "--runs", "1000", "--only", "prefilled"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    try:
        assert process.stderr is not None
        assert "prefilled" in process.stderr.readline()  # it measures
        folder = Path(tempfile.gettempdir()) if not any(tmp_path.iterdir()) else tmp_path
        assert folder == tmp_path
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []
    mine = str(tmp_path)
    for one in Path("/proc").glob("[0-9]*/environ"):
        try:
            assert mine not in one.read_text(errors="replace"), f"{one} is left behind"
        except (FileNotFoundError, PermissionError, ProcessLookupError):
            continue


def test_what_is_missing_is_named(netns: Namespace) -> None:
    done = run(
        [*COMMAND, "--quick"], code=None, env={"PYTHONPATH": str(ROOT), "CC": "", "PATH": ""}
    )
    assert done.returncode == 1
    assert "apt-get install iproute2" in done.stderr
