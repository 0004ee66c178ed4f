# SPDX-License-Identifier: MIT
"""Tests against real daemons. They run only where the command line names this folder:

    .ci/needs daemons        installs the daemons
    pytest tests/real        the quick ones, as root
    pytest tests/real -m ""  all of them

All daemons run in network namespaces that a test makes. A missing daemon skips its tests, and
fails them where CI is true.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.real.daemons import Daemons
from tests.real.rooms import Rooms
from tests.support.network import Network

HERE = Path(__file__).parent


def is_named(config: pytest.Config) -> bool:
    """Whether the command line names this folder or a file in it."""
    paths = [(config.invocation_params.dir / one.split("::")[0]).resolve() for one in config.args]
    return any(path == HERE or HERE in path.parents for path in paths)


@pytest.hookimpl(tryfirst=True)  # before the run enters a namespace
def pytest_configure(config: pytest.Config) -> None:
    # FRR and dhcpcd change their user, which a user namespace with one user does not allow.
    if is_named(config) and os.getuid() == 0:
        os.environ.setdefault("NETIOAPI_REAL_ROOT", "1")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    return None if is_named(config) else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.real)


@pytest.fixture
def daemons(netns: Network, other_netns: Network) -> Iterator[Daemons]:
    """Starts daemons, in the network of the calling thread; the end of the test ends them."""
    with Daemons() as started:
        yield started


@pytest.fixture
def rooms(netns: Network, other_netns: Network) -> Rooms:
    """The observed network and another, with one link between them."""
    found = Rooms(netns, other_netns)
    found.join()
    return found
