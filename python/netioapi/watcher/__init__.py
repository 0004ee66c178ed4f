# SPDX-License-Identifier: MIT
"""Watcher: the stream of the system's changes, for loops of all kinds."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Iterable

from netioapi import _native
from netioapi.batch import Batch
from netioapi.watcher import parameters, waiting
from netioapi.watcher.settling import Settler

TYPE_CHECKING = False  # the name that type checkers know; typing costs time at import
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
    from typing import Literal, Self

# The most changes of one batch when the reader does not say: so much memory a batch costs at most.
LARGEST_BATCH = 65_536

_clock = time.monotonic  # of settling; tests put another one here


class Watcher:
    """Changes of routes, addresses and interfaces, from the moment the constructor returns.

        with Watcher("route", snapshot=True) as watcher:
            for batch in watcher:
                for change in batch:
                    print(change.kind, change.type.name, change.row)

    Nothing is dropped in silence: where the system lost changes a batch says so (`overflow`), the
    tables are read again, and the difference is delivered (until `synced`).

    kinds: any of "route", "address", "interface"; none means all three.
    family: AF_INET, AF_INET6 of the socket module, or AF_UNSPEC (0) for both.
    tables: routing tables, as numbers or "main", "local", "default"; None means all but local.
        Routes only, Linux only.
    interfaces: names or indices of interfaces that exist now; None means all. The name is looked
        up once: the filter follows the interface, not the name.
    prefixes: str like "10.0.0.0/8", networks or addresses of ipaddress; None means all. They are
        compared to the destinations of routes, and to addresses as prefixes of full length (/32,
        /128; not their subnet). Interfaces pass always.
    prefix_match: how what passes lies to one of the prefixes. "covered": equal to it or more
        specific, thus inside it. "exact": equal to it. "covering": equal to it or less specific,
        thus containing it: the routes, a default route too, that could lead there. So
        "0.0.0.0/0" is everything of IPv4 when covered, its default routes alone when exact.
    protocols: numbers of RouteProtocol; routes only; None means all.
    snapshot: begin with all rows that exist, as changes that are `initial`; the batch that
        completes them says `synced`.
    settle: seconds. Hold changes back until the stream was quiet for that long, and deliver the
        last state of each thing only. 0.0 delivers at once. More than 0.0 allows one reader.
    max_delay: seconds. With settle: deliver at the latest so long after the first change that is
        held back. None means no limit.
    queue: how many changes wait for a slow reader one by one; beyond, changes of the same thing
        become one, so that memory stays bounded and what is delivered last is the exact state.
    receive_buffer: bytes to ask of the system for its side of the stream; None means the default.
        On Linux all of a process in one network share it: the largest that was asked for since the
        first of them came counts, also below the default.

    Any thread may call any method at any time. Several may read, and each change goes to one of
    them; with `settle` only one reads at a time, and a second call that reads raises RuntimeError.
    A Watcher that nobody refers to any more ends by itself, with a ResourceWarning.

    Raises: ValueError, TypeError, InvalidParameterError for a wrong argument; NetioError where the
        system refuses.
    """

    def __init__(
        self,
        *kinds: str,
        family: int = 0,
        tables: Iterable[int | str] | None = None,
        interfaces: Iterable[int | str] | None = None,
        prefixes: Iterable[str | IPv4Network | IPv6Network | IPv4Address | IPv6Address]
        | None = None,
        prefix_match: Literal["covered", "exact", "covering"] = "covered",
        protocols: Iterable[int] | None = None,
        snapshot: bool = False,
        settle: float = 0.0,
        max_delay: float | None = None,
        queue: int = 1_000_000,
        receive_buffer: int | None = None,
    ) -> None:
        self._pid = os.getpid()
        self._what = " ".join(dict.fromkeys(map(str, kinds))) or "all"
        settle = parameters.seconds_from(settle, "settle")
        if max_delay is not None:
            max_delay = parameters.seconds_from(max_delay, "max_delay")
        self._settler = Settler(settle, max_delay) if settle > 0 else None
        self._readers: list[object] = []  # of a settled one: the first may read
        self._watch = _native.Watch(
            kinds=parameters.kinds_from(kinds),
            family=family,
            tables=parameters.tables_from(tables),
            interfaces=parameters.interfaces_from(interfaces),
            prefixes=parameters.prefixes_from(prefixes),
            prefix_match=parameters.prefix_match_from(prefix_match),
            protocols=parameters.protocols_from(protocols),
            snapshot=snapshot,
            queue=parameters.positive_from(queue, "queue", "changes"),
            receive_buffer=0
            if receive_buffer is None
            else parameters.positive_from(receive_buffer, "receive_buffer", "bytes"),
        )

    # ---- reading ---------------------------------------------------------------

    def read(self, timeout: float | None = None, max_changes: int | None = None) -> Batch | None:
        """Wait for changes and return them.

        timeout: seconds; None waits without limit, 0 only looks.
        max_changes: the most to return at once; None means LARGEST_BATCH. The rest stays queued.

        Returns None when the time has passed, and at once and always when the watcher is stopped,
        or the program ends: `stopped` tells them apart.

        Raises: ValueError when the watcher was closed before the call. RuntimeError in a child
            process after fork(); and while another call reads a Watcher with `settle`, so in a
            signal handler that interrupts a read. Whatever a signal handler raises, such as
            KeyboardInterrupt: what the call was just returning is then lost, as with any function
            of Python, and a new Watcher with snapshot=True has the whole state.
        """
        self._refuse_closed()
        most = LARGEST_BATCH
        if max_changes is not None:
            most = parameters.positive_from(max_changes, "max_changes", "changes")
        return self._read(timeout, most)

    def _read(self, timeout: float | None, most: int) -> Batch | None:
        if self._settler is None:
            return self._watch.read(timeout, most)
        return self._read_settled(self._settler, timeout, most)

    def _refuse_closed(self) -> None:
        # Who reads in a daemon thread while the program ends has done nothing wrong, and is told
        # by the end of the stream.
        if self._watch.closed and not self._watch.closed_at_exit:
            raise ValueError("watcher is closed")

    def _read_settled(self, settler: Settler, timeout: float | None, most: int) -> Batch | None:
        deadline = None
        if timeout is not None:
            deadline = time.monotonic() + _native._seconds_from(timeout, "timeout")
        reader = object()
        try:
            self._become_reader(reader)
            while True:
                found = self._look(most)
                if isinstance(found, Batch):
                    return found
                if self._watch.stopped:
                    return None
                wait = found
                if deadline is not None:
                    left = deadline - time.monotonic()
                    if left <= 0:
                        return None
                    wait = left if wait is None else min(wait, left)
                self._watch.wait(wait)
        finally:
            if reader in self._readers:
                self._readers.remove(reader)

    def _become_reader(self, reader: object) -> None:
        """Refuse a second reader of a settled Watcher; the caller's `finally` takes it out again.

        The list is changed by one call each, so a signal handler that raises leaves no reader.
        """
        if self._settler is None:
            return
        self._refuse_forked()
        self._readers.append(reader)
        if self._readers[0] is not reader:
            raise RuntimeError(
                "a Watcher with settle= has one reader at a time, and another call is reading it"
            )

    def _refuse_forked(self) -> None:
        if os.getpid() != self._pid:
            self._watch.wait(0)  # raises what every call in the child raises

    def _look(self, most: int) -> Batch | float | None:
        """What can be delivered now; or for how long at most to wait for more."""
        settler = self._settler
        if self._watch.stopped:
            return None
        if settler is None:
            return self._watch.read(0, most)
        self._refuse_forked()
        # What was quiet for long enough before now is not put off by what has come since.
        batch = settler.take(_clock(), most)
        if batch is None:
            more = settler.take_in(self._read_now, _clock)
            now = _clock()
            batch = settler.take(now, most)
            if batch is None:
                due = now if more else settler.due  # there may be more at once
                return None if due is None else max(due - now, 0.0)
        if settler.due is not None:
            self._watch.wake_one()  # the rest of a batch that was cut is readable
        return batch

    def _read_now(self) -> Batch | None:
        return self._watch.read(0, LARGEST_BATCH)

    def __iter__(self) -> Self:
        """Batches, until the watcher is stopped or closed."""
        self._refuse_closed()
        return self

    def __next__(self) -> Batch:
        batch = self._read(None, LARGEST_BATCH)  # None when it is closed, too
        if batch is None:
            raise StopIteration
        return batch

    def __aiter__(self) -> Self:
        """Batches, until the watcher is stopped or closed: on asyncio, uvloop or trio.

        Waits by the loop's own means, with no polling and no thread (but on Windows, where a loop
        cannot wait for a handle). What is cancelled has taken nothing from the stream.
        """
        self._refuse_closed()
        return self

    async def __anext__(self) -> Batch:
        reader = object()
        try:
            self._become_reader(reader)
            while True:
                await waiting.checkpoint()
                found = self._look(LARGEST_BATCH)
                if isinstance(found, Batch):
                    return found
                if self._watch.stopped:
                    raise StopAsyncIteration
                if found != 0:
                    await waiting.readable(self._watch, found)
        finally:
            if reader in self._readers:
                self._readers.remove(reader)

    def fileno(self) -> int:
        """A descriptor that is readable while read() has something to return, or is stopped.

        For select() and its like. It is no more than that: never read from it, and with `settle`
        call read(timeout=0) also when the time has passed. Raises: NetioError where this system
        has none (Windows); ValueError when closed.
        """
        return self._watch.fileno()

    # ---- the end ---------------------------------------------------------------

    def stop(self) -> None:
        """End all reading, at once and for ever: iteration ends, read() returns None.

        Never waits. From any thread, a callback, a signal handler. What is queued is not
        delivered any more. The subscription lasts until close().
        """
        self._watch.stop()

    def close(self) -> None:
        """Stop, end the subscription and free what it holds. Closing twice is fine.

        After it returns nothing of it runs. A second thread that closes waits for the first. In a
        child process after fork() there is nothing to end, and it returns at once.
        """
        if self._watch.closed and os.getpid() != self._pid:
            return  # the thread that was closing it is in the parent
        self._watch.close()

    @property
    def stopped(self) -> bool:
        """True after stop() or close()."""
        return self._watch.stopped

    @property
    def closed(self) -> bool:
        """True once close() was called."""
        return self._watch.closed

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        watch = getattr(self, "_watch", None)
        if watch is None or watch.closed:
            return
        try:
            if os.getpid() == self._pid:
                warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)
        finally:
            watch.close()

    # ---- what it tells ---------------------------------------------------------

    def stats(self) -> dict[str, int]:
        """Counters, as a dict. After close() as they were then.

        received: changes that came from the system and passed the filters.
        delivered: changes that readers were given.
        coalesced: changes that became one with a later change of the same thing.
        queued: changes that wait for a reader. Received are delivered + coalesced + queued.
        queue_high_water: the most that ever waited.
        lost: changes dropped for want of memory; a batch with `overflow` said so.
        overflows: times that the system's buffer was full. This and the rest counts what all
            watchers of the network namespace share.
        resyncs: times that tables were read again and compared.
        ignored: messages that did not come from the kernel, or were malformed.
        receive_buffer: bytes that the system granted.
        """
        figures = self._watch.stats()
        if self._settler is not None:
            figures["delivered"] = self._settler.delivered
            figures["coalesced"] += self._settler.coalesced
            figures["queued"] += self._settler.held
        return figures

    def __repr__(self) -> str:
        state = "closed" if self.closed else "stopped" if self.stopped else "live"
        return f"<Watcher of {self._what}: {state}>"
