# SPDX-License-Identifier: MIT
"""The steps of the demo, and the check that the library reported every change."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import netioapi
from netioapi.cli.demo import oracle
from netioapi.cli.demo import rtnetlink as rt
from netioapi.cli.demo.links import Links
from netioapi.cli.demo.narration import Comparison, Step, Verdict
from netioapi.cli.demo.screen import MANY, Screen
from netioapi.cli.demo.state import State

TIMEOUT_S = 5.0  # the longest wait for a report; longer with many routes
MAX_COMPARED = 2_500  # up to this many IPv4 routes every step is compared
ALWAYS_COMPARED = ("delete", "up")  # with the most routes, and at the end
SAMPLES = 12  # changes that are kept to show some of them
CHUNK = 5_000  # routes that are changed before the reports are read


def _is_route(change: netioapi.Change) -> bool:
    return change.kind == "route"


def _is_ipv4_route(change: netioapi.Change) -> bool:
    return change.kind == "route" and change.row.family == socket.AF_INET


def _word(change: netioapi.Change) -> str:
    return change.type.name.lower()


def _chunks(total: int) -> Iterator[tuple[int, int]]:
    for first in range(0, total, CHUNK):
        yield first, min(first + CHUNK, total)


def _shown(facts: set[tuple[object, ...]]) -> tuple[str, ...]:
    return tuple(sorted(" ".join(map(str, fact)) for fact in facts))


class Story:
    """The demo, in the current network namespace. It runs once."""

    def __init__(self, screen: Screen, links: Links, routes: int) -> None:
        self.screen = screen
        self.links = links
        self.total_4 = routes - routes // 2
        self.total_6 = routes // 2
        self.state = State()
        self.timeout = TIMEOUT_S + routes / 10_000
        self.steps: list[Step] = []
        self.synced = False  # the state is exact; false again after an overflow

    def run(self) -> bool:
        """Run all steps. True when the rebuilt state equals the kernel's."""
        started = time.monotonic()
        self.screen.show_opening(self.total_4 + self.total_6)
        # The constructor has subscribed when it returns: no later change is missed.
        with netioapi.Watcher("route", "address", "interface", snapshot=True) as watcher:
            self.watcher = watcher
            while not self.synced:
                self._look(Step(0, "", ""), None)
            self._plug_in()
            self._add()
            self._replace()
            self._remetric()
            self._multipath()
            self._delete()
            self._link_down()
            self._link_up()
        comparisons = [step.comparison for step in self.steps if step.comparison is not None]
        wrong = [comparison for comparison in comparisons if not comparison.equal]
        verdict = Verdict(
            comparison=wrong[0] if wrong else comparisons[-1],
            compared=len(comparisons),
            changes=self.state.changes,
            overflows=self.state.overflows,
            seconds=time.monotonic() - started,
        )
        self.screen.show_verdict(verdict)
        return verdict.equal

    # ---- the steps -----------------------------------------------------------

    def _plug_in(self) -> None:
        step = self._step(
            "links",
            "Two cables are plugged in, with two addresses each",
            show=lambda change: change.kind == "address",
        )
        self.links.plug_in()
        self._await(step, lambda: step.counts["add"] >= 8, samples=4)

    def _add(self) -> None:
        total = self.total_4 + self.total_6
        step = self._step("add", f"{total:,} routes are added, IPv4 and IPv6")
        gateway = self.links.cables[0].next_hop_4
        before = len(self.state.rows["route"])
        for first, last in _chunks(self.total_4):
            self.links.add(self.links.routes_4(first, last, self.total_4, gateway))
            self._look(step)
            self.screen.show_progress("routes", last, total)
        for first, last in _chunks(self.total_6):
            self.links.add(self.links.routes_6(first, last))
            self._look(step)
            self.screen.show_progress("routes", self.total_4 + last, total)
        self._await(step, lambda: len(self.state.rows["route"]) >= before + total)

    def _replace(self) -> None:
        step = self._step(
            "replace",
            "5 routes get another next hop",
            "the kernel announces the new routes, but not the removal of the old ones",
        )
        gateway = self.links.cables[0].other_hop_4
        self.links.replace(self.links.routes_4(0, 5, self.total_4, gateway))
        self._await(
            step,
            lambda: step.counts["add"] >= 5 and step.counts["delete"] >= 5,
            samples=4,
            pairs=True,
        )

    def _remetric(self) -> None:
        step = self._step("metric", "A route gets another metric: the new one first")
        gateway = self.links.cables[0].next_hop_4
        self.links.add(self.links.routes_4(9, 10, self.total_4, gateway, metric=20))
        self.links.delete(self.links.routes_4(9, 10, self.total_4, gateway))
        self._await(step, lambda: step.counts["add"] and step.counts["delete"])

    def _multipath(self) -> None:
        step = self._step("multipath", "One route over both cables: a row for each leg")
        first, second = self.links.cables
        legs = [(first.index, first.next_hop_4, 1), (second.index, second.next_hop_4, 3)]
        self.links.add(iter([rt.route_body(socket.inet_aton("203.0.113.0"), 24, legs=legs)]))
        self._await(step, lambda: step.counts["add"] >= 2)

    def _delete(self) -> None:
        number = self.total_6 // 4
        step = self._step("delete", f"{number:,} routes are deleted")
        for first, last in _chunks(number):
            self.links.delete(self.links.routes_6(first, last))
            self._look(step)
            self.screen.show_progress("routes", last, number)
        self._await(step, lambda: step.counts["delete"] >= number)

    def _link_down(self) -> None:
        step = self._step(
            "down",
            "The link v0 goes down",
            "the kernel removes all its routes, and announces only the IPv6 ones",
            _is_ipv4_route,
        )
        cable = self.links.cables[0]
        with rt.Netlink(rt.GROUP_IPV4_ROUTE) as listener:
            self.links.set_up(cable, up=False)
            # The request is complete, so all announcements of the kernel are in the socket.
            step.kernel_deletions = listener.count_waiting(rt.RTM_DELROUTE)
        gone = self.state.count_routes
        self._await(
            step,
            lambda: (
                not gone(socket.AF_INET, cable.index) and not gone(socket.AF_INET6, cable.index)
            ),
        )

    def _link_up(self) -> None:
        step = self._step("up", "The link comes up again, and the kernel restores some routes")
        self.links.set_up(self.links.cables[0], up=True)
        self._await(step, lambda: step.counts["add"] >= 2)

    # ---- reading -------------------------------------------------------------

    def _step(
        self,
        name: str,
        title: str,
        note: str = "",
        show: Callable[[netioapi.Change], object] = _is_route,
    ) -> Step:
        step = Step(len(self.steps) + 1, name, title, note, show)
        self.steps.append(step)
        self.screen.show_title(step)
        self.started = time.monotonic()
        return step

    def _look(self, step: Step, timeout: float | None = 0.0) -> bool:
        """Apply the reported changes. False when none came in `timeout` seconds."""
        batch = self.watcher.read(timeout=timeout)
        if batch is None:
            return False
        self.state.overflows += batch.overflow
        self.synced = batch.synced or (self.synced and not batch.overflow)
        for change in batch:
            self.state.apply(change)
            if change.initial:
                continue
            step.counts[_word(change)] += 1
            step.synthesized += change.synthesized
            if change.kind == "route" and step.kernel_deletions is not None:
                step.reported_deletions += (
                    _word(change) == "delete" and change.row.family == socket.AF_INET
                )
            if len(step.sample) < SAMPLES and step.show(change):
                step.sample.append(change)
        return True

    def _await(
        self,
        step: Step,
        done: Callable[[], object],
        *,
        samples: int = 3,
        pairs: bool = False,
    ) -> None:
        """Read until `done()`, or the time has passed: the comparison finds what is missing."""
        deadline = time.monotonic() + self.timeout
        while not done():
            left = deadline - time.monotonic()
            if left <= 0 or not self._look(step, left):
                break
        step.seconds = time.monotonic() - self.started
        if pairs:  # the changes of one route together
            step.sample.sort(key=lambda change: change.row.destination_prefix)
        del step.sample[samples:]
        if step.name in ALWAYS_COMPARED or self.total_4 <= MAX_COMPARED:
            step.comparison = self._compare()
        self.screen.show_step(step)

    def _compare(self) -> Comparison:
        """Compare, and read on until both are equal or the time has passed."""
        deadline = time.monotonic() + self.timeout
        routes = len(self.state.rows["route"])
        if routes > MANY:
            self.screen.show_status(f"comparing {routes:,} routes with the kernel's")
        while True:
            reported, kernel = self.state.facts(), oracle.facts(self.links.kernel)
            table = {row.key: row for row in netioapi.get_ip_forward_table2()}
            found = Comparison(
                only_reported=_shown(reported - kernel),
                only_kernel=_shown(kernel - reported),
                table_equal=table == self.state.rows["route"],
                sizes=self.state.sizes(),
            )
            left = deadline - time.monotonic()
            if found.equal or left <= 0:
                return found
            self._look(Step(0, "", ""), min(left, 0.1))
