# SPDX-License-Identifier: MIT
"""Fixtures. On Linux the whole run happens in a user and network namespace of its own, on Windows
over a stand-in for iphlpapi.dll: no test can see or change the machine's network. A test that
changes something requests `netns` and gets a network for itself."""

from __future__ import annotations

import ctypes
import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.collector import Collector
from tests.support.network import Flood, Network, may_be_missing, prepare

forbidden = ""  # why networks for tests cannot be made here
# The folders of the other system.
ELSEWHERE = {"windows"} if sys.platform != "win32" else {"linux", "real"}


def pytest_configure(config: pytest.Config) -> None:
    # Now, since on Linux a process with several threads cannot enter a user namespace.
    global forbidden
    if config.option.help or config.option.version or config.option.collectonly:
        return
    # A background job of a script ignores SIGINT, and so would every program that a test starts.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # So does a process group of its own on Windows, as agents of CI make one.
    if sys.platform == "win32":
        ctypes.windll.kernel32.SetConsoleCtrlHandler(None, False)
    try:
        prepare()
    except OSError as error:
        forbidden = f"no networks for tests here: {error}"


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    here = Path(__file__).parent
    return True if collection_path in {here / one for one in ELSEWHERE} else None


def pytest_report_header() -> str:
    return f"networks: {forbidden or Network.__doc__}"


@pytest.fixture
def netns() -> Iterator[Network]:
    """A network for this test: its thread and the programs that it starts are in it. `lo` alone,
    up."""
    if forbidden:
        if not may_be_missing():
            pytest.fail(f"not to be skipped: {forbidden}")
        pytest.skip(forbidden)
    network = Network()
    try:
        with network:
            network.ip("link set lo up")
            yield network
    finally:
        network.close()


@pytest.fixture
def flood(netns: Network) -> Iterator[None]:
    """That network changes all the time, so that callbacks of every kind run."""
    with Flood(netns.veth()):
        yield


@pytest.fixture
def other_netns(netns: Network) -> Iterator[Network]:
    """A second network, to move links to: `netns.ip(f"link set v0 netns {other_netns.path}")`."""
    if not hasattr(os, "fork"):
        pytest.skip("this system has one network")
    other = Network()
    yield other
    other.close()


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture
def seed() -> int:
    """The seed of a test's random part: printed, and set by NETIOAPI_SEED to repeat a run."""
    value = int(os.environ.get("NETIOAPI_SEED") or random.SystemRandom().randrange(2**32))
    print(f"seed: NETIOAPI_SEED={value}")
    return value
