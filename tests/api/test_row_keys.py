# SPDX-License-Identifier: MIT
"""Constructed rows: keys for the Get*Entry functions, and the arguments that they reject."""

from __future__ import annotations

import contextlib
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Any

import pytest

from netioapi import InvalidParameterError, IpForwardRow, IpInterfaceRow, UnicastIpAddressRow
from tests.support.leaks import leaks


def test_constructed_key_has_the_given_members() -> None:
    row = IpForwardRow("10.0.0.0/8", "10.1.1.1", interface_index=3)
    assert row.destination_prefix == IPv4Network("10.0.0.0/8")
    assert (row.next_hop, row.interface_index) == (IPv4Address("10.1.1.1"), 3)
    assert row.metric is None
    assert row.table is None
    assert row == IpForwardRow(
        destination_prefix=IPv4Network("10.0.0.0/8"),
        next_hop=b"\x0a\x01\x01\x01",
        interface_index=3,
    )
    assert IpForwardRow("10.0.0.0/8").next_hop == IPv4Address("0.0.0.0")
    assert IpForwardRow("::/0", interface_luid=2**64 - 1).next_hop == IPv6Address("::")
    assert IpForwardRow("10.0.0.0/8", IPv6Address("fe80::1")).next_hop == IPv6Address("fe80::1")
    address = UnicastIpAddressRow(IPv6Address("fd00::1"), interface_luid=5)
    assert (address.address, address.interface_luid) == (IPv6Address("fd00::1"), 5)
    interface = IpInterfaceRow(socket.AF_INET6, interface_index=2**32 - 1)
    assert (interface.family, interface.interface_index) == (socket.AF_INET6, 2**32 - 1)


def test_address_zone_must_be_an_interface() -> None:
    assert UnicastIpAddressRow("fe80::1%lo").address == IPv6Address("fe80::1")
    assert UnicastIpAddressRow("fe80::1%1") == UnicastIpAddressRow("fe80::1%lo")
    with pytest.raises(InvalidParameterError, match="no interface named 'nosuch'"):
        UnicastIpAddressRow("fe80::1%nosuch")
    with pytest.raises(InvalidParameterError, match="no interface with the index 99999"):
        UnicastIpAddressRow("fe80::1%99999")


WRONG: list[tuple[type[Any], tuple[Any, ...], dict[str, Any], type[Exception]]] = [
    (IpForwardRow, (), {}, TypeError),
    (IpForwardRow, (None,), {}, TypeError),
    (IpForwardRow, (IPv4Address("10.0.0.0"),), {}, TypeError),
    (IpForwardRow, (b"\x0a\0\0\0",), {}, TypeError),
    (IpForwardRow, ("10.0.0.1/8",), {}, InvalidParameterError),
    (IpForwardRow, ("10.0.0.0/33",), {}, InvalidParameterError),
    (IpForwardRow, ("",), {}, InvalidParameterError),
    (IpForwardRow, ("\udcff:",), {}, InvalidParameterError),
    (IpForwardRow, ("10.0.0.0/8", 1), {}, TypeError),
    (IpForwardRow, ("10.0.0.0/8", "x"), {}, InvalidParameterError),
    (IpForwardRow, ("10.0.0.0/8", b"123"), {}, InvalidParameterError),
    (IpForwardRow, ("10.0.0.0/8",), {"interface_index": -1}, InvalidParameterError),
    (IpForwardRow, ("10.0.0.0/8",), {"interface_index": 2**32}, InvalidParameterError),
    (IpForwardRow, ("10.0.0.0/8",), {"interface_luid": 2**64}, InvalidParameterError),
    (IpForwardRow, ("10.0.0.0/8",), {"interface_index": "lo"}, TypeError),
    (IpForwardRow, ("10.0.0.0/8",), {"interface_index": 1.0}, TypeError),
    (IpForwardRow, ("10.0.0.0/8",), {"metric": 1}, TypeError),
    (UnicastIpAddressRow, (), {}, TypeError),
    (UnicastIpAddressRow, ("10.0.0.0/8",), {}, InvalidParameterError),
    (UnicastIpAddressRow, (IPv4Network("10.0.0.0/8"),), {}, TypeError),
    (UnicastIpAddressRow, ("10.0.0.1", 1), {}, TypeError),
    (IpInterfaceRow, (), {}, TypeError),
    (IpInterfaceRow, (socket.AF_UNSPEC,), {}, InvalidParameterError),
    (IpInterfaceRow, (99,), {}, InvalidParameterError),
    (IpInterfaceRow, (10**30,), {}, InvalidParameterError),
    (IpInterfaceRow, ("x",), {}, TypeError),
]


@pytest.mark.parametrize(("row_type", "args", "keywords", "error"), WRONG)
def test_key_with_wrong_arguments_raises(
    row_type: type[Any], args: tuple[Any, ...], keywords: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error) as caught:
        row_type(*args, **keywords)
    assert type(caught.value) is error
    assert row_type.__name__ in str(caught.value)


def test_constructing_keys_leaks_nothing() -> None:
    def use() -> None:
        for wrong_type, args, keywords, _ in WRONG:
            with contextlib.suppress(TypeError, ValueError):
                wrong_type(*args, **keywords)
        IpForwardRow("10.0.0.0/8", "10.1.1.1")
        UnicastIpAddressRow("fe80::1%lo")
        IpInterfaceRow(socket.AF_INET)

    assert not leaks(use)
