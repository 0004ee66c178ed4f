# SPDX-License-Identifier: MIT
"""Fixtures. The whole run happens in a user and network namespace of its own, so that no test
can see or touch the machine's network; a test that changes something asks for `netns`, and gets
a fresh one for itself."""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator

import pytest

from tests.support import Collector, Namespace, enter_user_namespace, fresh_namespace

forbidden = ""  # why there are no namespaces here


def pytest_configure(config: pytest.Config) -> None:
    # At once: a process of several threads may not.
    global forbidden
    if config.option.help or config.option.version or config.option.collectonly:
        return
    if not sys.platform.startswith("linux"):
        forbidden = "network namespaces exist on Linux alone"
        return
    try:
        enter_user_namespace()
    except OSError as error:
        forbidden = f"no network namespaces here: {error}"


def pytest_report_header() -> str:
    return f"namespaces: {forbidden or 'this run is in its own'}"


@pytest.fixture
def netns() -> Iterator[Namespace]:
    """A fresh network namespace that the test's thread is in, and all that it starts."""
    if forbidden:
        if os.environ.get("CI") == "true" and sys.platform.startswith("linux"):
            pytest.fail(f"CI may not skip: {forbidden}")
        pytest.skip(forbidden)
    with fresh_namespace() as namespace:
        namespace.ip("link set lo up")
        yield namespace


@pytest.fixture
def other_netns(netns: Namespace) -> Iterator[Namespace]:
    """A second one, to move links to: `netns.ip(f"link set v0 netns {other_netns.path}")`."""
    other = Namespace()
    yield other
    other.close()


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def seed() -> int:
    """The seed of a test's random part: printed, and set again by NETIOAPI_SEED."""
    value = int(os.environ.get("NETIOAPI_SEED") or random.SystemRandom().randrange(2**32))
    print(f"seed: NETIOAPI_SEED={value}")
    return value
