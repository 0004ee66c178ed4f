# SPDX-License-Identifier: MIT
"""Holds for every test in this folder: it leaves no registration, no table and no callback."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from tests.support.waiting import eventually
from tests.windows.dll import Figure, checked, is_standin, stat
from tests.windows.structures import AF_INET, AF_INET6
from tests.windows.support import INDEX, interface_row

LEFT = (Figure.LIVE, Figure.GIVEN, Figure.RUNNING, Figure.QUEUED)


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """Registrations, tables and callbacks of the system are as many as before; and none was
    cancelled twice, or without being registered."""
    if not is_standin():
        yield
        return
    before = {figure: stat(figure) for figure in LEFT}
    refused = stat(Figure.REFUSED)
    yield
    gc.collect()

    def left() -> dict[Figure, int]:
        return {figure: stat(figure) for figure in LEFT if stat(figure) > before[figure]}

    eventually(lambda: not left(), what=f"{before}, and then {left()} more")
    assert stat(Figure.REFUSED) == refused


@pytest.fixture
def link(netns: object) -> int:
    """An interface of both families, without the driver's routes; its index."""
    for family in (AF_INET, AF_INET6):
        checked("standin_put_interface", interface_row(1500, family), "Ethernet 7")
    return INDEX
