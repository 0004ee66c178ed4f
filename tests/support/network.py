# SPDX-License-Identifier: MIT
"""The network of a test on this system: `Network.ip("route add ...")` changes it, in a network
namespace (Linux) or in the stand-in for iphlpapi.dll (Windows). One suite serves both."""

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
    """Call before the first Network. Raises OSError where there can be none."""
    if sys.platform != "win32":
        enter_user_namespace()
    elif not is_standin():
        raise OSError("the system's own iphlpapi.dll is loaded; tools/windows/suite has another")


def settle_slowly(network: Network, seconds: float = 0.5) -> None:
    """Makes IPv6 addresses tentative for a while: on Linux they always are, in the stand-in on
    request."""
    if sys.platform == "win32":
        network.dad_seconds = seconds


def may_be_missing() -> bool:
    """True where missing networks are no error: on a real Windows, and outside CI."""
    if sys.platform == "win32":
        return os.environ.get("NETIOAPI_STANDIN") != "1"
    return os.environ.get("CI") != "true"
