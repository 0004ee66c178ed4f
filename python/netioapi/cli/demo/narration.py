# SPDX-License-Identifier: MIT
"""What the demo shows: its steps, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import netioapi


@dataclass(frozen=True)
class Comparison:
    """The difference between the state rebuilt from the changes and the kernel's own."""

    only_reported: tuple[str, ...]
    only_kernel: tuple[str, ...]
    table_equal: bool  # the routes equal get_ip_forward_table2()
    sizes: Counter[str]

    @property
    def equal(self) -> bool:
        return self.table_equal and not self.only_reported and not self.only_kernel


@dataclass
class Step:
    """One change that the demo makes to the network, and the changes that were reported for it."""

    number: int
    name: str
    title: str
    note: str = ""
    show: Callable[[netioapi.Change], object] = bool  # the changes to print
    sample: list[netioapi.Change] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    synthesized: int = 0  # changes for which the kernel sent no message
    seconds: float = 0.0
    kernel_deletions: int | None = None  # how many the kernel announced; None: not shown
    reported_deletions: int = 0  # IPv4 routes that were reported as deleted
    comparison: Comparison | None = None  # None: too many routes to compare after each step


@dataclass(frozen=True)
class Verdict:
    """The result of the demo: the last comparison, or the first that failed."""

    comparison: Comparison
    compared: int  # the number of comparisons
    changes: int
    overflows: int
    seconds: float

    @property
    def equal(self) -> bool:
        return self.comparison.equal
