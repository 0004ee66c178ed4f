# SPDX-License-Identifier: MIT
"""What the changes of a step must be, beyond the state that they lead to.

- A row's interface has the name that the link had, also when its route is deleted with it.
- A deletion of an IPv6 route is marked as found by comparison only if the kernel did not announce
  it.
- What a step did not touch is not reported as deleted.
- A change of an attribute that has no field is reported.
"""

from __future__ import annotations

import os
import re
import time
from collections import Counter
from ipaddress import IPv4Network, IPv6Network, ip_network

from .announced import LEG, Announced
from .follow import DELETE, Follower, Report
from .oracle import Key, Truth

# The mark of a deletion is still wrong in rare cases: a night's walks look for them.
STRICT = os.environ.get("NETIOAPI_MARKS") == "1"
OWN_PROTOCOLS = {2, 9}  # the kernel's own routes, and those of router advertisements
Prefix = IPv4Network | IPv6Network


def touched_by(commands: list[str]) -> set[Prefix] | None:
    """The destinations that a step changes, where it changes nothing else; None: anything."""
    found: set[Prefix] = set()
    for command in commands:
        shape = re.fullmatch(
            r"-([46]) route (?:add|append|prepend|replace|change|delete) (.*)", command
        )
        if shape is None or "nhid" in command:
            return None
        word = next(one for one in shape[2].split() if one == "default" or re.search(r"[.:]", one))
        anywhere = "0.0.0.0/0" if shape[1] == "4" else "::/0"
        found.add(ip_network(anywhere if word == "default" else word, strict=False))
    return found


class Checks:
    """The checks of one walk, with the kernel's announcements as their witness."""

    def __init__(self, announced: Announced, *, at_once: bool) -> None:
        self._announced = announced
        self.at_once = at_once
        self.lost = 0  # steps whose announcements the witness itself has lost

    def begin(self, followers: list[Follower], truth: Truth) -> None:
        self._announced.begin(truth.index)
        self._overflows = [getattr(one, "overflows", 0) for one in followers]
        for one in followers:
            one.reports = []

    def end(
        self, followers: list[Follower], before: Truth, after: Truth, touched: set[Prefix] | None
    ) -> None:
        """Raises AssertionError with what is wrong about the changes since begin()."""
        self._announced.refresh()
        self.lost += self._announced.lost
        for number, one in enumerate(followers):
            wrong = self._unreported(one, before, after)
            reports = one.reports or []
            wrong += [line for report in reports for line in self._names(report)]
            if not self._announced.lost:
                # Of a burst, too many are marked still.
                if (
                    STRICT
                    and not self.at_once
                    and getattr(one, "overflows", 0) == self._overflows[number]
                ):
                    wrong += self._marks(reports, before)
                if touched is not None:
                    wrong += self._untouched(reports, before, after, touched)
            text = "\n  ".join(wrong)
            assert not wrong, f"{one.label}: changes that are not right:\n  {text}"

    def _names(self, report: Report) -> list[str]:
        index, name, before = report.index, report.name, report.before
        if index == 0 or self._announced.had_name(
            index, name, before if report.type == DELETE else None
        ):
            return []
        return [f"{report}: never the interface's name"]

    def _marks(self, reports: list[Report], before: Truth) -> list[str]:
        plain, found = Counter[Key](), Counter[Key]()
        for one in reports:
            if one.kind == "route" and one.type == DELETE and one.key[3].version == 6:
                (found if one.mark else plain)[one.key[LEG]] += 1
        # Where one prefix has several routes, some that the kernel announced are marked still.
        several = Counter((key[:4], key[6]) for key in before.routes)
        return [
            f"{key}: its deletion is marked as found, but the kernel announced it"
            for key in found
            if self._announced.deleted[key] > plain[key] and several[key[:4], key[6]] < 2
        ]

    def _untouched(
        self, reports: list[Report], before: Truth, after: Truth, touched: set[Prefix]
    ) -> list[str]:
        return [
            f"{one}: deleted, but no change touched it"
            for one in reports
            if one.kind == "route"
            and one.type == DELETE
            and one.key[3] not in touched
            and not self._announced.deleted[one.key[LEG]]
            and one.key in before.routes
            and one.key in after.routes
            and before.routes[one.key][0]["protocol"] not in OWN_PROTOCOLS
        ]

    def _unreported(self, follower: Follower, before: Truth, after: Truth) -> list[str]:
        changed: set[Key] = {
            key
            for key in before.rest.keys() & after.rest.keys()
            if before.rest[key] != after.rest[key]
            and len(before.rest[key]) == len(after.rest[key]) == 1
            and follower.concerns("route", key)
        }
        deadline = time.monotonic() + 20
        while True:
            changed -= {one.key for one in follower.reports or ()}
            if not changed or time.monotonic() > deadline:
                break
            follower.take(0.05)
        return [
            f"{key}: {before.rest[key]} has become {after.rest[key]}, unreported" for key in changed
        ]
