# SPDX-License-Identifier: MIT
"""pyarrow, polars, duckdb, nanoarrow and numpy read the values of the row objects from our tables:
the programs in tests/support/arrow_consumers.py, each in a process of its own."""

from __future__ import annotations

import pytest

from tests.support.arrow_consumers import NEEDS, PROGRAMS
from tests.support.arrow_libraries import must_be_installed, need
from tests.support.processes import python

EVERY = [(library, program.__name__) for library in PROGRAMS for program in PROGRAMS[library]]


@pytest.mark.parametrize(("library", "program"), EVERY, ids=[program for _, program in EVERY])
def test_consumer_reads_the_values_of_the_rows(library: str, program: str, seed: int) -> None:
    for one in (library, *NEEDS.get(library, [])):
        need(one)
    call = f"from tests.support import arrow_consumers as a; a.{program}({seed}); print('done')"
    python(call, marker="done", timeout=50)


def test_missing_consumer_fails_in_ci_and_skips_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "netioapi_is_never_called_so"
    monkeypatch.setenv("CI", "false")
    with pytest.raises(pytest.skip.Exception):
        need(name)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception if must_be_installed() else pytest.skip.Exception):
        need(name)
