# SPDX-License-Identifier: MIT
"""Fixtures of the tests on Linux."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.linux.cases import Case, Player


@pytest.fixture(scope="module")
def player(request: pytest.FixtureRequest) -> Iterator[Player]:
    """Plays the cases of this module that the run has selected."""
    chosen = [
        item.callspec.params.get("case")
        for item in request.session.items
        if item.path == request.path and isinstance(item, pytest.Function)
        if hasattr(item, "callspec")
    ]
    player = Player([case for case in chosen if isinstance(case, Case)])
    yield player
    player.close()
