# SPDX-License-Identifier: MIT
"""What a callback is promised of the changes that were made. On Linux it gets each of them, in
order. On Windows the system merges by key what waits behind a callback: an ADD or a DELETE replaces
all that waits of its key, a PARAMETER another PARAMETER. So there it gets some of the changes, in
their order, and of each key at least the last ADD or DELETE and the last change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence

from netioapi import NotificationType
from tests.support.platforms import WINDOWS

PARAMETER = NotificationType.PARAMETER
Event = tuple[Hashable, int]  # a key, and what happened to its row


def never_merged(types: Sequence[int]) -> list[int]:
    """Of the changes of one key those that no system merges away."""
    since = max((i for i, type in enumerate(types) if type != PARAMETER), default=-1)
    return [*types[since : since + 1], *types[since + 1 :][-1:]] if since >= 0 else [*types[-1:]]


def assert_reported(made: Iterable[Event], reported: Iterable[Event]) -> None:
    """Checks what was reported of these changes; on Windows they are of one family, whose changes
    alone have an order."""
    made, reported = list(made), list(reported)
    if not WINDOWS or len(reported) == len(made):
        assert reported == made
        return
    rest = iter(made)
    for number, event in enumerate(reported):
        assert event in rest, f"not made, or not in this order: {event}, {number} of {reported}"
    of_key: dict[Hashable, tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for which, events in enumerate((made, reported)):
        for key, type in events:
            of_key[key][which].append(type)
    for key, (types, got) in of_key.items():
        wanted = never_merged(types)
        assert got[-len(wanted) :] == wanted, (key, types, got)
