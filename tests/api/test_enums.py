# SPDX-License-Identifier: MIT
"""The enums have the numbers and names of the header; the connectivity hint behaves as a value."""

from __future__ import annotations

import copy
import pickle
import re
from enum import IntEnum

import pytest

import netioapi
from netioapi import NetworkConnectivityHint, enums
from tests.support import header

HEADER = {
    "NotificationType": "MIB_NOTIFICATION_TYPE",
    "RouteProtocol": "NL_ROUTE_PROTOCOL",
    "RouteOrigin": "NL_ROUTE_ORIGIN",
    "PrefixOrigin": "NL_PREFIX_ORIGIN",
    "SuffixOrigin": "NL_SUFFIX_ORIGIN",
    "DadState": "NL_DAD_STATE",
    "RouterDiscoveryBehavior": "NL_ROUTER_DISCOVERY_BEHAVIOR",
    "LinkLocalAddressBehavior": "NL_LINK_LOCAL_ADDRESS_BEHAVIOR",
    "ConnectivityLevel": "NL_NETWORK_CONNECTIVITY_LEVEL_HINT",
    "ConnectivityCost": "NL_NETWORK_CONNECTIVITY_COST_HINT",
}
# Numbers of Windows that our copy of the header leaves out.
WINDOWS_ONLY = {"RouteProtocol": {10002, 10006, 10007}}
RTN = (
    "UNSPEC UNICAST LOCAL BROADCAST ANYCAST MULTICAST BLACKHOLE UNREACHABLE PROHIBIT THROW NAT "
    "XRESOLVE"
)


@pytest.mark.parametrize("name", HEADER)
def test_enum_members_match_the_header(name: str) -> None:
    kind: type[IntEnum] = getattr(netioapi, name)
    words = header.enum(HEADER[name])
    assert set(map(int, kind)) == set(words) | WINDOWS_ONLY.get(name, set())
    assert kind.__doc__
    assert HEADER[name] in kind.__doc__
    for number, word in words.items():
        member = kind(number)
        assert re.search(rf"\b{member.name}: {word}\b", kind.__doc__), "the header's own word"
        squeezed = member.name.replace("_", "").replace("SIXTOFOUR", "6TO4")
        assert squeezed.lower() in word.lower()


def test_route_types_match_the_kernels_numbers() -> None:
    assert [kind.name for kind in netioapi.RouteType] == RTN.split()
    assert [int(kind) for kind in netioapi.RouteType] == list(range(12))


@pytest.mark.parametrize("kind", enums.ENUMS.values(), ids=enums.ENUMS)
def test_enum_is_public_and_documented(kind: type[IntEnum]) -> None:
    assert getattr(netioapi, kind.__name__) is kind
    assert kind.__doc__
    for member in kind:
        assert re.search(rf"\b{member.name}: \w", kind.__doc__)
        assert pickle.loads(pickle.dumps(member)) is member


def hint() -> NetworkConnectivityHint:
    return NetworkConnectivityHint(
        enums.ConnectivityLevel.INTERNET_ACCESS, enums.ConnectivityCost.UNKNOWN, False, True, False
    )


def test_hint_compares_hashes_and_pickles_by_value() -> None:
    one = hint()
    assert one == hint()
    assert hash(one) == hash(hint())
    assert one != NetworkConnectivityHint(3, 0, False, False, False)
    assert one != (3, 0, False, True, False)
    assert copy.deepcopy(one) == pickle.loads(pickle.dumps(one)) == one
    assert one.over_data_limit is True
    assert repr(one).startswith("NetworkConnectivityHint(connectivity_level=<ConnectivityLevel.")
    match one:
        case NetworkConnectivityHint(enums.ConnectivityLevel.INTERNET_ACCESS, cost):
            assert cost == 0
        case _:
            pytest.fail("does not match")


def test_hint_is_immutable() -> None:
    one = hint()
    with pytest.raises(AttributeError, match="immutable"):
        one.roaming = True
    with pytest.raises(AttributeError, match="immutable"):
        del one.roaming
    with pytest.raises(AttributeError, match="immutable"):
        one.anything = 1
    with pytest.raises(TypeError):
        NetworkConnectivityHint()  # type: ignore[call-arg]
