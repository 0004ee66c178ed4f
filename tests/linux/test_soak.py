# SPDX-License-Identifier: MIT
"""The soak runs from end to end, for seconds: `python -m tests.soak` is the real one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.linux.namespace import Namespace
from tests.soak.measure import BYTES_ALLOWED, FEWEST, Measured, grown
from tests.support.paths import ROOT
from tests.support.processes import run

COMMAND = [sys.executable, "-m", "tests.soak"]
PATH = {"PYTHONPATH": str(ROOT)}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_short_soak_succeeds(netns: Namespace, seed: int, tmp_path: Path) -> None:
    written = tmp_path / "soak.json"
    arguments = ["--minutes", "0.1", "--seed", str(seed), "--json", str(written)]
    done = run([*COMMAND, *arguments], timeout=280, env=PATH)
    assert done.stdout.startswith(f"seed {seed}\n")
    assert done.stdout.endswith("all is as it was\n")
    found = json.loads(written.read_text())
    assert (found["seed"], found["failures"]) == (seed, [])
    for what in ("moves", "changes", "registrations", "watchers", "namespaces", "followers"):
        assert found["counts"][what] > 0, what
    assert found["counts"]["exact at the end"] > 0
    assert len(found["points"]) == found["rounds"] + 1


def test_ctrl_c_ends_the_soak_at_once(netns: Namespace) -> None:
    with subprocess.Popen(
        [*COMMAND, "--minutes", "9", "--seed", "7"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **PATH},
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "seed 7\n"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=20)
        finally:
            process.kill()
    assert process.returncode == 130, err
    assert "Traceback" not in err
    assert out.startswith("seed 7\n")
    assert "interrupted" in out


def test_growth_of_memory_is_detected() -> None:
    flat = [Measured(1000 + number % 3, 4096, 1, 4) for number in range(2 * FEWEST)]
    assert grown(flat) == []
    leaks = [Measured(number * BYTES_ALLOWED // 4, 4096, 1, 4) for number in range(2 * FEWEST)]
    assert len(grown(leaks)) == 1
    # A peak at one point that is gone at the next is no leak.
    odd = [Measured(1000 + (number == 15) * 2**30, 4096, 1, 4) for number in range(2 * FEWEST)]
    assert grown(odd) == []
    fills = [Measured(min(number, 4) * BYTES_ALLOWED, 4096, 1, 4) for number in range(2 * FEWEST)]
    assert grown(fills) == []
