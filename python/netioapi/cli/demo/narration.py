# SPDX-License-Identifier: MIT
"""What the demo has to tell: a step, and the verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import netioapi


@dataclass(frozen=True)
class Comparison:
    """The state rebuilt from the changes, and the kernel's own."""

    only_reported: tuple[str, ...]
    only_kernel: tuple[str, ...]
    table_equal: bool  # to get_ip_forward_table2()
    sizes: Counter[str]

    @property
    def equal(self) -> bool:
        return self.table_equal and not self.only_reported and not self.only_kernel


@dataclass
class Step:
    """One thing that is done to the kernel, and what was reported of it."""

    number: int
    name: str
    title: str
    note: str = ""
    show: Callable[[netioapi.Change], object] = bool  # what of it is worth a line
    sample: list[netioapi.Change] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    synthesized: int = 0  # changes for which the kernel sent no message
    seconds: float = 0.0
    kernel_deletions: int | None = None  # deletions that it announced; where that is the point
    reported_deletions: int = 0  # IPv4 routes that were reported as deleted
    comparison: Comparison | None = None  # None: too many routes to do it after each step


@dataclass(frozen=True)
class Verdict:
    """Of the whole story: the last comparison, or the first that failed."""

    comparison: Comparison
    compared: int  # how often
    changes: int
    overflows: int
    seconds: float

    @property
    def equal(self) -> bool:
        return self.comparison.equal
