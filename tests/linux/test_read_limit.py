# SPDX-License-Identifier: MIT
"""get_ip_forward_table2 of a large table while routes change: complete within its time, or a clear
error, and what a signal handler raises ends it."""

from __future__ import annotations

import errno
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

import netioapi
from netioapi import IpForwardRow, NetioError
from tests.linux.namespace import Namespace
from tests.linux.route_flap import Flap, add_routes, prefixes

ERROR_NOT_FOUND, ERROR_TIMEOUT = 1168, 1460
ROUTES, FLAPPING = 50_000, 3000
STAY = {socket.AF_INET: "20.0.0.0/32", socket.AF_INET6: "2001:db8::/64"}
# In the order of a dump before the routes that stay, and behind them.
FLAPS = {"before": ("10.0.0.0/32", "2001:db7::/64"), "behind": ("90.0.0.0/32", "2001:db9::/64")}


@pytest.fixture
def index(netns: Namespace) -> int:
    """A link with routes of both families that stay."""
    index = netns.veth()
    for stem in STAY.values():
        add_routes(stem, ROUTES, index)
    return index


@contextmanager
def flapping(where: str, index: int, pause: float) -> Iterator[None]:
    with ExitStack() as flaps:
        for stem in FLAPS[where]:
            flaps.enter_context(Flap(stem, FLAPPING, index, pause=pause))
        yield


def addresses(rows: netioapi.Table[IpForwardRow]) -> list[bytes]:
    return [row.destination_prefix.network_address.packed for row in rows]


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("where", FLAPS)
def test_table_beside_a_flap_has_every_other_route_once(index: int, where: str) -> None:
    stay = {one for stem in STAY.values() for one in prefixes(stem, ROUTES)}
    with flapping(where, index, pause=0.05):
        for _ in range(4):
            found = addresses(netioapi.get_ip_forward_table2(timeout=60))
            there = [one for one in found if one in stay]
            assert len(there) == len(stay)
            assert set(there) == stay


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_table_beside_a_flood_is_complete_or_an_error(index: int) -> None:
    """Two processes that change routes as fast as they can leave no processor idle."""
    stay = {one for stem in STAY.values() for one in prefixes(stem, ROUTES)}
    with flapping("before", index, pause=0.0):
        for _ in range(3):
            try:
                found = addresses(netioapi.get_ip_forward_table2())
            except NetioError as error:
                if error.code != ERROR_TIMEOUT:
                    raise
            else:
                assert stay <= set(found)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_entries_beside_a_flap_are_found_and_missed_ones_are_not(index: int) -> None:
    rows = list(netioapi.get_ip_forward_table2())[:: ROUTES // 3]
    absent = [IpForwardRow(one, interface_index=index) for one in ("20.9.0.0/32", "2001:dba::/64")]
    with flapping("before", index, pause=0.05):
        for row in rows:
            assert netioapi.get_ip_forward_entry2(row) == row
        for row in absent:
            with pytest.raises(NetioError) as caught:
                netioapi.get_ip_forward_entry2(row)
            assert caught.value.code == ERROR_NOT_FOUND


@pytest.mark.parametrize("family", [socket.AF_UNSPEC, *STAY], ids=lambda family: family.name)
def test_deadline_that_cannot_be_met_is_an_error_that_names_the_remedy(
    index: int, family: int
) -> None:
    with pytest.raises(NetioError, match=r"timeout=.*Watcher") as caught:
        netioapi.get_ip_forward_table2(family, timeout=0)
    assert caught.value.code == ERROR_TIMEOUT
    assert caught.value.errno == errno.ETIMEDOUT
    assert caught.value.function == "GetIpForwardTable2"
    for timeout in (None, 60, 3.5e8, 1e300):
        rows = netioapi.get_ip_forward_table2(family, timeout=timeout)
        assert len(rows) >= ROUTES


class Stop(Exception):
    """What the handlers of this file raise."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_signal_handler_runs_during_the_call_and_what_it_raises_ends_it(index: int) -> None:
    runs = 0

    def handle(*_: object) -> None:
        nonlocal runs
        runs += 1
        if runs == 3:  # at the end of a call that runs no handler it would be the first
            raise Stop

    def read_on() -> None:
        nonlocal runs
        for _ in range(100):
            runs = 0
            netioapi.get_ip_forward_table2(timeout=60)

    before = signal.signal(signal.SIGALRM, handle)
    with flapping("before", index, pause=0.0):
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        try:
            with pytest.raises(Stop):
                read_on()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
