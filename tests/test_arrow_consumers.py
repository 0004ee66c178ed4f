# SPDX-License-Identifier: MIT
"""pyarrow, polars, duckdb, nanoarrow and numpy read our tables and see what the row objects say:
the programs in arrow_consumers.py, each in a process of its own. What is not installed is skipped,
but not in CI on a Linux CPython that all of them are made for."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import sysconfig

import pytest

from tests.arrow_consumers import NEEDS, PROGRAMS
from tests.support import python

EVERY = [(library, program.__name__) for library in PROGRAMS for program in PROGRAMS[library]]


def must_be_there() -> bool:
    return (
        os.environ.get("CI") == "true"
        and sys.platform == "linux"
        and platform.python_implementation() == "CPython"
        and (3, 11) <= sys.version_info[:2] <= (3, 13)
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
    )


def need(library: str) -> None:
    if importlib.util.find_spec(library) is None:
        if must_be_there():
            pytest.fail(f"CI may not skip: {library} is not installed")
        pytest.skip(f"{library} is not installed")


@pytest.mark.parametrize(("library", "program"), EVERY, ids=[program for _, program in EVERY])
def test_reads_what_the_rows_say(library: str, program: str, seed: int) -> None:
    for one in (library, *NEEDS.get(library, [])):
        need(one)
    call = f"from tests import arrow_consumers as a; a.{program}({seed}); print('done')"
    python(call, marker="done", timeout=50)


def test_ci_may_not_skip(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "netioapi_is_never_called_so"
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception):
        need(name)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception if must_be_there() else pytest.skip.Exception):
        need(name)
