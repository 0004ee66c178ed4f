# SPDX-License-Identifier: MIT
"""Every allocation and every system call of the tower fails in turn (tests/c/faults.h): a clear
answer or the work done, nothing held, nothing that hangs, and streams that are exact again."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.linux.namespace import Namespace
from tests.support import ROOT

from .test_c import TOWER, Program, build, run_program

FAULTS = re.findall(r"^    X\((\w+)\)", (ROOT / "tests/c/faults.h").read_text(), re.MULTILINE)
COUNTED = ("free", "munmap", "clock_gettime")
EVERY = os.environ.get("NETIOAPI_FAULTS") == "all"
PROGRAM = Program(
    "tower_faults_test",
    ("../tests/c/faults.c", *TOWER),
    wraps=(*FAULTS, *COUNTED),
    sanitizers=("plain", "address"),
)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("sanitizer", PROGRAM.sanitizers)
def test_the_tower_survives_every_fault(
    sanitizer: str, tmp_path: Path, seed: int, netns: Namespace
) -> None:
    """NETIOAPI_FAULTS=all: each call, and not some of those that there are."""
    step = 1 if EVERY else 4 if sanitizer == "plain" else 7
    run_program(build(PROGRAM, sanitizer, tmp_path), str(seed), str(step), timeout=550)
