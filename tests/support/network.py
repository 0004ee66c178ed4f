# SPDX-License-Identifier: MIT
"""The network that a test has to itself, on this system: `Network.ip("route add ...")` changes it,
in a network namespace (Linux) or in the stand-in for iphlpapi.dll (Windows). One suite for both."""

from __future__ import annotations

import os
import sys

if sys.platform == "win32":
    from tests.windows.dll import is_standin
    from tests.windows.flood import Flood
    from tests.windows.network import StandinNetwork as Network
else:
    from tests.linux.flood import Flood
    from tests.linux.namespace import Namespace as Network
    from tests.linux.namespace import enter_user_namespace

__all__ = [
    "Flood",
    "Network",
    "may_be_missing",
    "prepare",
    "settle_slowly",
]


def prepare() -> None:
    """Before the first Network. Raises OSError where there can be none."""
    if sys.platform != "win32":
        enter_user_namespace()
    elif not is_standin():
        raise OSError("the system's own iphlpapi.dll is loaded; tools/windows/suite has another")


def settle_slowly(network: Network, seconds: float = 0.5) -> None:
    """IPv6 addresses are tentative for a while, as they always are on Linux. On Windows they are
    in the stand-in when a test says so."""
    if sys.platform == "win32":
        network.dad_seconds = seconds


def may_be_missing() -> bool:
    """Where it is not an error that there are no networks for tests: on a real Windows."""
    if sys.platform == "win32":
        return os.environ.get("NETIOAPI_STANDIN") != "1"
    return os.environ.get("CI") != "true"
