# SPDX-License-Identifier: MIT
"""Batch: what one read of a Watcher returns."""

from __future__ import annotations

from collections.abc import Iterator

from netioapi import _native
from netioapi._native import (
    Change,
    Changes,
    IpForwardRow,
    IpInterfaceRow,
    Table,
    UnicastIpAddressRow,
)


class Batch:
    """Changes that were delivered together, in the system's order.

    Iterate over it, or take its rows as tables, which numpy, pyarrow, polars and others read as
    columns (see Table). A Change is made when it is asked for, each time anew: equal, not the same.
    Tables make none, so who takes columns pays for no objects.

    It may hold no change at all and only say something about the stream; it is true even then, so
    that `while batch := watcher.read():` goes on.

    overflow: changes were lost before or within this batch, by the system or for want of memory.
        The tower reads the tables again and delivers the difference, as changes that are
        `synthesized`; a batch with `synced` ends it.
    synced: the snapshot, or the repair after an overflow, is complete: who has applied all changes
        up to the end of this batch has the exact state.
    """

    __slots__ = ("_changes", "overflow", "synced")

    def __init__(self, changes: Changes | list[Change], overflow: bool, synced: bool) -> None:
        self._changes = changes
        self.overflow = overflow
        self.synced = synced

    def __iter__(self) -> Iterator[Change]:
        return iter(self._changes)

    def __len__(self) -> int:
        return len(self._changes)

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, index: int) -> Change:
        return self._changes[index]

    def __repr__(self) -> str:
        marks = " overflow" * self.overflow + " synced" * self.synced
        return f"<Batch of {len(self)}{marks}>"

    @property
    def routes(self) -> Table[IpForwardRow]:
        """The rows of all route changes in order, those of deleted routes included: a Table."""
        return _native._table_of_changes(self._changes, "route")

    @property
    def addresses(self) -> Table[UnicastIpAddressRow]:
        """The rows of all address changes in order, those of deleted ones included: a Table."""
        return _native._table_of_changes(self._changes, "address")

    @property
    def interfaces(self) -> Table[IpInterfaceRow]:
        """The rows of all interface changes in order, those of deleted ones included: a Table."""
        return _native._table_of_changes(self._changes, "interface")
