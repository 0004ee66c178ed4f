# SPDX-License-Identifier: MIT
"""Changes and Batches as pickles and copies: each attribute survives, at every protocol."""

from __future__ import annotations

import copy
import pickle
import socket

import pytest

import netioapi
from netioapi import Batch, Change, NotificationType, Watcher
from tests.support.changes import read_snapshot, read_until, route_to
from tests.support.network import Network
from tests.support.platforms import WINDOWS
from tests.support.processes import python

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
ATTRIBUTES = ("kind", "type", "row", "time_ns", "initial", "synthesized", "_identity")


@pytest.fixture
def changes(netns: Network) -> list[Change]:
    """Of each kind and type, with a rare item in some, a synthesized one among them."""
    netns.veth()
    netns.ip("address add 10.0.0.1/24 dev v0")
    with Watcher(snapshot=True) as watcher:
        found = read_snapshot(watcher)
        # Each lasts until it was read: on Windows a row is read after its notification.
        netns.ip("route add 10.1.0.0/16 dev v0")
        found += read_until(watcher, route_to("10.1.0.0/16"))
        netns.ip("route replace 10.1.0.0/16 dev v0 mtu 1400")
        found += read_until(watcher, route_to("10.1.0.0/16", NotificationType.PARAMETER))
        netns.ip("route add 10.2.0.0/16 dev v0")
        found += read_until(watcher, route_to("10.2.0.0/16"))
        netns.ip("link set v0 down")
        if WINDOWS:  # which keeps the routes of a link that is down
            netns.ip("route del 10.1.0.0/16 dev v0", check=False)
        found += read_until(watcher, route_to("10.1.0.0/16", NotificationType.DELETE))
    assert {change.kind for change in found} == {"route", "address", "interface"}
    assert {change.type for change in found} == {
        NotificationType.ADD,
        NotificationType.PARAMETER,
        NotificationType.DELETE,
    }
    return found


def assert_same(made: Change, change: Change) -> None:
    assert made == change
    assert hash(made) == hash(change)
    assert repr(made) == repr(change)
    for name in ATTRIBUTES:
        assert getattr(made, name) == getattr(change, name), name
    assert made.row._asdict() == change.row._asdict()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pickled_change_is_the_same(changes: list[Change], protocol: int) -> None:
    for change in changes:
        assert_same(pickle.loads(pickle.dumps(change, protocol)), change)
    loaded = pickle.loads(pickle.dumps(changes, protocol))
    assert loaded == changes


def test_copied_change_is_the_same(changes: list[Change]) -> None:
    for change in changes:
        assert_same(copy.copy(change), change)
        assert_same(copy.deepcopy(change), change)
        function, given = change.__reduce__()[:2]
        assert_same(function(*given), change)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_pickled_batch_is_the_same(changes: list[Change], protocol: int) -> None:
    for overflow in (False, True):
        batch = Batch(changes, overflow, not overflow)
        made = pickle.loads(pickle.dumps(batch, protocol))
        assert list(made) == changes
        assert (made.overflow, made.synced) == (overflow, not overflow)
        assert made.routes == batch.routes
        assert [row._asdict() for row in made.interfaces] == [
            row._asdict() for row in batch.interfaces
        ]
    empty = pickle.loads(pickle.dumps(Batch([], False, True), protocol))
    assert (len(empty), empty.synced) == (0, True)
    assert list(copy.deepcopy(batch)) == changes


def test_pickled_change_merges_like_the_original(netns: Network) -> None:
    netns.veth()
    with Watcher("route", family=socket.AF_INET) as watcher:
        netns.ip("route add 10.1.0.0/16 dev v0")
        (added,) = read_until(watcher, route_to("10.1.0.0/16"))
        netns.ip("route del 10.1.0.0/16 dev v0")
        (deleted,) = read_until(watcher, route_to("10.1.0.0/16", NotificationType.DELETE))
    again = pickle.loads(pickle.dumps(added._merge(added)))
    assert again._merge(deleted) is None  # it came and went
    known = pickle.loads(pickle.dumps(deleted._merge(added)))
    assert known._merge(deleted).type == NotificationType.DELETE


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_change_pickled_here_is_loaded_in_another_process(
    changes: list[Change], protocol: int
) -> None:
    data = pickle.dumps(changes[-1], protocol)
    python(
        f"import pickle; change = pickle.loads({data!r}); "
        f"assert repr(change) == {repr(changes[-1])!r}, change; print('done')",
        marker="done",
    )


def test_change_of_wrong_parts_raises(changes: list[Change]) -> None:
    change = changes[0]
    row, *numbers = change.__reduce__()[1]
    for place in range(3):
        for wrong in (-1, 3 if place < 2 else 4, 255, 256, 2**31, 10**400):
            given = [*numbers[:place], wrong, *numbers[place + 1 :]]
            with pytest.raises(ValueError, match=r"."):
                Change._from_row(row, *given)
    for time_ns in (-1, 2**64, 10**400):
        with pytest.raises(ValueError, match=r"."):
            Change._from_row(row, *numbers[:3], time_ns)
    key = netioapi.IpForwardRow("10.0.0.0/8")  # a row without its other fields
    for wrong_row in (None, change, key, b""):
        with pytest.raises(TypeError):
            Change._from_row(wrong_row, *numbers)
