# SPDX-License-Identifier: MIT
"""An agent of CI starts its jobs in a process group of their own. There Ctrl-C is ignored, by each
program that a job starts, too: so the suite ends that for the programs that its tests start."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.processes import run

pytestmark = pytest.mark.usefixtures("link")
TEST = "tests/windows/test_monitor.py::test_ctrl_c_ends_monitor_quietly[kinds1]"


def test_ctrl_c_reaches_the_programs_of_a_suite_in_a_group_of_its_own() -> None:
    group = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", TEST]
    assert "1 passed" in run(command, timeout=120, creationflags=group).stdout
