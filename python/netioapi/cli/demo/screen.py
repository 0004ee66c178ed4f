# SPDX-License-Identifier: MIT
"""The demo's output: text, or JSON lines."""

from __future__ import annotations

import sys
import time
from typing import Protocol

from netioapi.cli.demo.narration import Step, Verdict
from netioapi.cli.output.describe import Describer
from netioapi.cli.output.lines import SIGNS, UNANNOUNCED
from netioapi.cli.output.paint import Paint, is_terminal
from netioapi.cli.output.records import line

MANY = 20_000  # from this many routes on progress is shown
SHOWN = 10  # differences that are shown


class Screen(Protocol):
    def show_opening(self, routes: int) -> None: ...
    def show_title(self, step: Step) -> None: ...
    def show_progress(self, what: str, done: int, total: int) -> None: ...
    def show_status(self, what: str) -> None: ...
    def show_step(self, step: Step) -> None: ...
    def show_verdict(self, verdict: Verdict) -> None: ...
    def show_forbidden(self, reason: str, seconds: float) -> None: ...


def screen(*, json: bool) -> Screen:
    return JsonScreen() if json else TextScreen()


class TextScreen:
    """Text, with colours and progress only on a terminal."""

    def __init__(self) -> None:
        self._terminal = is_terminal()
        self._paint = Paint()
        self._describer = Describer()
        self._shown_at = 0.0
        self._has_status = False
        encoding = sys.stdout.encoding or "ascii"
        self._tick, self._cross, self._dots = ("ok", "DIFFERENT", "...")
        try:
            "✓✗…█░".encode(encoding)
            self._tick, self._cross, self._dots = ("✓", "✗", "…")
            self._full, self._empty = "█", "░"
        except UnicodeEncodeError:
            self._full, self._empty = "#", "."

    def show_opening(self, routes: int) -> None:
        self._say(self._paint("bold", "netioapi demo"))
        self._say(
            "A network namespace of its own: it needs no root, and leaves your network alone.\n"
            "Each step changes the network. Below it are the changes that a Watcher reported;\n"
            "the state rebuilt from these reports is compared with the kernel's own: "
            f"{self._tick} if equal."
        )

    def show_title(self, step: Step) -> None:
        self._say(f"\n{self._paint('bold', f'{step.number}  {step.title}')}")
        if step.note:
            self._say(f"   {self._paint('dim', step.note)}")

    def show_progress(self, what: str, done: int, total: int) -> None:
        now = time.monotonic()
        if total >= MANY and now - self._shown_at > 0.1:
            filled = 30 * done // total
            bar = self._full * filled + self._empty * (30 - filled)
            self.show_status(f"{bar} {done:,} of {total:,} {what}")
            self._shown_at = now

    def show_status(self, what: str) -> None:
        """Show a line that the next one replaces."""
        if self._terminal:
            print(f"\r\x1b[K   {what}", end="", flush=True)
            self._has_status = True

    def show_step(self, step: Step) -> None:
        for change in step.sample:
            sign = SIGNS[change.type.name.lower()]
            tail = self._paint("dim", UNANNOUNCED) if change.synthesized else ""
            text = self._describer.row(change.kind, change.row)
            self._say(f"   {self._paint(sign, sign)} {change.kind:9}  {text}{tail}")
        total = step.counts.total()
        if total > len(step.sample):
            self._say(self._paint("dim", f"   {self._dots} and {total - len(step.sample):,} more"))
        counted = [
            f"{step.counts[word]:,} {name}"
            for word, name in (("add", "added"), ("parameter", "changed"), ("delete", "deleted"))
            if step.counts[word]
        ]
        said = f"   reported: {', '.join(counted) or 'nothing'}, in {step.seconds * 1000:.0f} ms"
        if step.comparison is not None:
            said += f"  {self._mark(step.comparison.equal)}"
        self._say(said)
        if step.kernel_deletions is not None:
            said = f"{step.kernel_deletions:>9,}"
            lost = f"{step.reported_deletions:>9,}"
            self._say(
                f"   deleted IPv4 routes, by the kernel's own messages: {self._paint('-', said)}"
            )
            self._say(
                f"   deleted IPv4 routes, as reported by netioapi:      {self._paint('good', lost)}"
            )

    def show_verdict(self, verdict: Verdict) -> None:
        found = verdict.comparison
        self._say(f"\n{self._mark(found.equal)} {self._judged(verdict)}")
        if found.equal:
            self._say(
                f"  Compared after {verdict.compared} steps, with get_ip_forward_table2() and with "
                "a netlink dump\n  that shares no code with the library."
            )
        self._differences("only reported", found.only_reported)
        self._differences("only in the kernel", found.only_kernel)
        if not found.table_equal:
            self._say("  get_ip_forward_table2() returns something else.")
        if verdict.overflows:
            self._say(f"  Buffer overflows, each reported and repaired: {verdict.overflows}.")
        self._say(f"  {verdict.seconds:.2f} s. Your own network, live: netioapi monitor")

    def _judged(self, verdict: Verdict) -> str:
        changes = f"The state rebuilt from {verdict.changes:,} reported changes alone"
        return f"{changes} {'equals' if verdict.equal else 'is not'} the kernel's own."

    def _mark(self, equal: bool) -> str:
        return self._paint("good", self._tick) if equal else self._paint("bad", self._cross)

    def show_forbidden(self, reason: str, seconds: float) -> None:
        self._say(f"netioapi demo: no network namespace here: {reason}.")
        self._say(f"Watching the live system for {seconds:.0f} s instead:")

    def _differences(self, title: str, facts: tuple[str, ...]) -> None:
        for fact in facts[:SHOWN]:
            self._say(f"  {title}: {fact}")
        if len(facts) > SHOWN:
            self._say(f"  {self._dots} and {len(facts) - SHOWN:,} more {title}")

    def _say(self, text: str) -> None:
        if self._has_status:
            text = "\r\x1b[K" + text
            self._has_status = False
        print(text, flush=True)


class JsonScreen:
    """One object per step, and the verdict."""

    def show_opening(self, routes: int) -> None:
        self._say({"kind": "start", "routes": routes})

    def show_title(self, step: Step) -> None:
        pass

    def show_progress(self, what: str, done: int, total: int) -> None:
        pass

    def show_status(self, what: str) -> None:
        pass

    def show_step(self, step: Step) -> None:
        record: dict[str, object] = {
            "kind": "step",
            "step": step.number,
            "name": step.name,
            "title": step.title,
            "added": step.counts["add"],
            "changed": step.counts["parameter"],
            "deleted": step.counts["delete"],
            "synthesized": step.synthesized,
            "seconds": round(step.seconds, 6),
            "equal": None if step.comparison is None else step.comparison.equal,
        }
        if step.kernel_deletions is not None:
            record["kernel_deleted_ipv4"] = step.kernel_deletions
            record["reported_deleted_ipv4"] = step.reported_deletions
        self._say(record)

    def show_verdict(self, verdict: Verdict) -> None:
        found = verdict.comparison
        self._say(
            {
                "kind": "verdict",
                "equal": found.equal,
                "compared": verdict.compared,
                "changes": verdict.changes,
                "overflows": verdict.overflows,
                "seconds": round(verdict.seconds, 6),
                **found.sizes,
                "only_reported": found.only_reported,
                "only_kernel": found.only_kernel,
                "table_equal": found.table_equal,
            }
        )

    def show_forbidden(self, reason: str, seconds: float) -> None:
        self._say({"kind": "forbidden", "reason": reason, "seconds": seconds})

    def _say(self, record: dict[str, object]) -> None:
        print(line(record), flush=True)
