# SPDX-License-Identifier: MIT
"""A room of csrc as a shared library that ctypes drives, and hypothesis as the suite uses it."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hypothesis

from tests.linux.c_programs import CSRC, FLAGS, INCLUDES, compiler, missing, unavailable
from tests.support.paths import ROOT
from tests.support.processes import run


def library(name: str, sources: list[str], folder: Path) -> ctypes.CDLL:
    """tests/c/NAME.c with these of csrc; skips the test where there is no compiler."""
    if (reason := missing("plain")) is not None:
        unavailable(reason)
    cc = compiler()
    assert cc is not None
    binary = folder / f"{name}.so"
    paths = [str(ROOT / "tests/c" / f"{name}.c"), *(str(CSRC / source) for source in sources)]
    run([cc, "-shared", "-fPIC", "-fvisibility=hidden", *FLAGS, *INCLUDES, *paths,
         "-o", str(binary)], timeout=120)  # fmt: skip
    return ctypes.CDLL(str(binary))


def check(
    property_: Callable[..., None],
    seed: int,
    examples: int,
    *,
    shrink: bool = True,
    **strategies: Any,
) -> None:
    """Does it hold for so many examples? All of them follow from the seed; nothing is kept."""
    phases = [hypothesis.Phase.generate, *([hypothesis.Phase.shrink] if shrink else [])]
    hypothesis.seed(seed)(
        hypothesis.settings(
            max_examples=examples,
            deadline=None,  # machines are slow at times, which is no failure
            database=None,
            phases=phases,
            suppress_health_check=list(hypothesis.HealthCheck),
        )(hypothesis.given(**strategies)(property_))
    )()
