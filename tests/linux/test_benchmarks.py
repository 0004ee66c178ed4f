# SPDX-License-Identifier: MIT
"""The benchmark and the regression check run from end to end, write their figures, and leave
nothing behind after Ctrl-C. Speed is not tested: the machine may be busy."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks.against import LIMIT, Comparison, interval
from benchmarks.report import markdown

from tests.linux.namespace import Namespace
from tests.support.paths import ROOT, repo_text
from tests.support.processes import run

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
needs_git = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="no git clone")
COMMAND = [sys.executable, "-m", "benchmarks"]
# A subject that the machine lacks is skipped; these are always there.
ALWAYS = {
    "prefilled": {"reference", "columns", "objects", "callbacks", "callbacks-busy"},
    "dump": {"reference", "table", "mirror", "ip-route"},
    "storm": {"reference", "watcher", "watcher-loop", "watcher-hog"},
    "burst": {"watcher"},
    "slow": {"watcher"},
    "latency": {"reference", "callback", "watcher"},
    "idle": {"sync", "async"},
    "import": {"bare", "netioapi"},
}


def test_benchmark_help_lists_every_subject() -> None:
    done = run([*COMMAND, "--help"], env={"PYTHONPATH": str(ROOT)})
    assert all(name in done.stdout for subjects in ALWAYS.values() for name in subjects)


@pytest.mark.timeout(300)
def test_quick_benchmark_measures_every_subject(netns: Namespace, tmp_path: Path) -> None:
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
        measured.setdefault(row["scenario"], set()).add(row["subject"])
        assert len(row["runs"]) >= 1
        assert all(value >= 0 for value in row["medians"].values())
    for scenario, subjects in ALWAYS.items():
        assert subjects <= measured[scenario]
    for row in found["rows"]:
        if row["scenario"] in ("storm", "burst", "slow") and row["subject"] != "reference":
            assert row["medians"]["exact"] == 1
            assert row["medians"]["reported"] == 1
    assert {one["verdict"] for one in found["targets"]} <= {"met", "missed", "not measured"}
    assert all(one["target"] in done.stdout for one in found["targets"])
    tables = markdown(found)
    assert all(one["target"] in tables["targets"] for one in found["targets"])
    assert "| Watcher, columns | " in tables["speeds"]


def test_readme_has_the_places_of_the_tables() -> None:
    page = repo_text("benchmarks/README.md")
    for name in ("targets", "speeds"):
        assert page.count(f"<!-- {name} -->\n") == page.count(f"\n<!-- end of {name} -->") == 1


def test_bootstrap_interval_of_equal_values_is_that_value() -> None:
    assert interval([1.5] * 21) == (1.5, 1.5)


def test_bootstrap_interval_of_known_values_is_near_the_order_statistics() -> None:
    """The exact 95% interval of the median of 21 values lies from the 6th to the 16th."""
    values = [float(one) for one in range(1, 22)]
    low, high = interval(values)
    assert 6 <= low <= 8
    assert 14 <= high <= 16
    assert interval(values) == (low, high)


@pytest.mark.parametrize(
    ("new_ns", "verdict"),
    [
        pytest.param([100.0, 101.0, 102.0] * 7, "fine", id="equal"),
        pytest.param([100.0 * LIMIT] * 21, "fine", id="at the limit"),
        pytest.param([108.0, 109.0, 110.0] * 7, "slower", id="slower"),
        pytest.param([70.0, 104.0, 150.0] * 7, "fine", id="noise"),
    ],
)
def test_comparison_is_slower_when_the_whole_interval_is(new_ns: list[float], verdict: str) -> None:
    found = Comparison("prefilled/columns", [100.0] * 21, new_ns).as_dict()
    assert found["low"] <= found["ratio"] <= found["high"]
    assert found["verdict"] == verdict


@needs_git
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_against_compares_with_a_commit(netns: Namespace, tmp_path: Path) -> None:
    written = tmp_path / "figures.json"
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    options = f"--against HEAD columns dump/table --pairs 5 --routes 200 --json {written}"
    done = run(
        [*COMMAND, *options.split()],
        timeout=240,
        code=None,
        env={"PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)},
    )
    found = json.loads(written.read_text())
    assert [one["subject"] for one in found["subjects"]] == ["prefilled/columns", "dump/table"]
    for one in found["subjects"]:
        assert len(one["pairs"]) == 5
        assert all(value > 0 for pair in one["pairs"] for value in pair)
        assert one["subject"] in done.stdout
    slower = any(one["verdict"] == "slower" for one in found["subjects"])
    assert done.returncode == (1 if slower else 0)
    assert "building the old package" in done.stderr
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(["--against", "no-such-commit"], "no commit 'no-such-commit'", id="commit"),
        pytest.param(["--against", "HEAD", "storm"], "choose from", id="subject"),
        pytest.param(["nonsense"], "no subject 'nonsense'", id="name"),
    ],
)
@needs_git
def test_wrong_argument_names_the_remedy(arguments: list[str], expected: str) -> None:
    done = run([*COMMAND, *arguments], code=None, env={"PYTHONPATH": str(ROOT)})
    assert done.returncode != 0
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        pytest.param(["--runs", "1000", "prefilled"], "prefilled", id="measuring"),
        pytest.param(["--against", "HEAD"], "building", id="building", marks=needs_git),
    ],
)
def test_ctrl_c_ends_the_benchmark_and_leaves_nothing(
    netns: Namespace, tmp_path: Path, arguments: list[str], first: str
) -> None:
    process = subprocess.Popen(
        [*COMMAND, "--quick", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)},
    )
    try:
        assert process.stderr is not None
        assert first in process.stderr.readline()
        assert any(tmp_path.iterdir())
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


def test_benchmark_without_ip_names_the_missing_package(netns: Namespace) -> None:
    done = run(
        [*COMMAND, "--quick"], code=None, env={"PYTHONPATH": str(ROOT), "CC": "", "PATH": ""}
    )
    assert done.returncode == 1
    assert "apt-get install iproute2" in done.stderr
