# SPDX-License-Identifier: MIT
"""Watcher: the stream of the system's changes, for threads and for event loops."""

from __future__ import annotations

import contextlib
import os
import time
import warnings
import weakref
from collections.abc import Iterable

from netioapi import _native
from netioapi.batch import Batch
from netioapi.watcher import parameters, waiting
from netioapi.watcher.settling import Settler

TYPE_CHECKING = False  # the name that type checkers know; typing costs time at import
if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
    from typing import Literal, Self

# The largest number of changes in one batch, unless read() gets another one. It bounds the memory
# of a batch.
LARGEST_BATCH = 65_536

# How often a Watcher on Windows compares the tables with what it has delivered, if a registration
# reports nothing: it may have gone silent. Seconds; tests replace it.
_SILENCE_CHECK = 300.0

_clock = time.monotonic  # the clock of settling, which tests replace


class _Reader:
    """A call that reads a settled Watcher. Only the frame of the call keeps it alive."""

    __slots__ = ("__weakref__",)


class Watcher:
    """Changes of routes, addresses and interfaces, from the moment the constructor returns.

        with Watcher("route", snapshot=True) as watcher:
            for batch in watcher:
                for change in batch:
                    print(change.kind, change.type.name, change.row)

    No loss is silent. Where changes were lost, a batch has `overflow` set; the tables are read
    again, and the difference is delivered, up to a batch that has `synced` set. On Windows a
    registration can go silent; every five minutes the tables are compared to find that.

    kinds: any of "route", "address", "interface"; without any, all three.
    family: AF_INET or AF_INET6 of the socket module, or AF_UNSPEC (0, the default) for both.
    tables: the routing tables, as numbers or as "main", "local", "default"; None means all but
        local. For routes, and on Linux only.
    interfaces: names, indices or LUIDs; None means all. A name means the interface that has it at
        the moment, as its name or an alternative name: one that gets the name comes with all its
        rows (ADD), one that loses it leaves with them (DELETE). There need be none yet. An index or
        a LUID means that interface, which has to exist, whatever its name; on Windows also after it
        was made anew with its LUID, under whatever index.
    prefixes: str like "10.0.0.0/8", networks or addresses of ipaddress; None means all. They are
        compared with the destination of a route, and with an address as a prefix of full length
        (/32 or /128, not its subnet). Interfaces always pass.
    prefix_match: the relation of a destination or address that passes to one of the prefixes.
        "covered": equal to the prefix or more specific, so inside of it. "exact": equal to it.
        "covering": equal to it or less specific, so it contains the prefix; these are the routes
        that could lead there, default routes included. "0.0.0.0/0" stands for all of IPv4 with
        "covered", and for the IPv4 default routes alone with "exact".
    protocols: numbers of RouteProtocol, for routes only; None means all.
    snapshot: True delivers all existing rows first, as changes that are `initial`; the batch that
        completes them has `synced` set.
    lifetimes: True makes each renewal a Parameter change: of a DHCP lease, or of an address or a
        route of a router advertisement. By default a renewal is no change. A lifetime is that of
        the time of the row. Linux sends no message when an advertisement renews only the default
        route. On Windows a renewal is a notification after which a lifetime is longer than before.
    settle: seconds, by default 0.0, which delivers changes at once. Otherwise changes are held back
        until no change has come for that time, and only the last state of each row is delivered. A
        row that came and went meanwhile is not delivered; the deletion of a row that was delivered
        before, or that existed before a Watcher without a snapshot, is. Such a Watcher has one
        reader at a time.
    max_delay: seconds; with settle, the longest time that a change is held back. None means no
        limit.
    queue: the number of changes that wait for a slow reader one by one, by default 1,000,000.
        Beyond it, changes of the same row are merged as with settle: memory stays bounded, and the
        last state that is delivered is exact.
    receive_buffer: the size in bytes of the system's buffer for the stream; None means the default.
        On Linux all registrations and Watchers of a process in one network namespace share one
        buffer. Its size is the largest that one of them has requested since the first of them was
        created, even if that is less than the default.

    Any thread may call any method at any time. Several threads may read, and each change goes to
    one of them; with `settle` a second call that reads meanwhile raises RuntimeError. The
    deallocation of a Watcher closes it, with a ResourceWarning.

    Raises: ValueError, TypeError or InvalidParameterError for a wrong argument; NetioError when the
        system refuses the subscription.
    Source: NotifyRouteChange2, NotifyUnicastIpAddressChange, NotifyIpInterfaceChange; rtnetlink(7).
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
        lifetimes: bool = False,
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
        self._readers: list[weakref.ref[_Reader]] = []  # with settle; only the first may read
        self._watch = _native.Watch(
            kinds=parameters.kinds_from(kinds),
            family=family,
            tables=parameters.tables_from(tables),
            interfaces=parameters.interfaces_from(interfaces),
            prefixes=parameters.prefixes_from(prefixes),
            prefix_match=parameters.prefix_match_from(prefix_match),
            protocols=parameters.protocols_from(protocols),
            snapshot=snapshot,
            lifetimes=lifetimes,
            queue=parameters.positive_from(queue, "queue", "changes"),
            receive_buffer=0
            if receive_buffer is None
            else parameters.positive_from(receive_buffer, "receive_buffer", "bytes"),
            silence_check_ns=int(_SILENCE_CHECK * 1e9),
        )

    # ---- reading ---------------------------------------------------------------

    def read(self, timeout: float | None = None, max_changes: int | None = None) -> Batch | None:
        """Wait for changes and return them.

        timeout: seconds to wait at most; None (the default) waits without a limit, 0 does not wait.
        max_changes: the largest number of changes to return; None means 65,536. The others stay
            queued.

        Returns a Batch; None when the timeout passes, and always when the Watcher is stopped or
        the program exits (`stopped` is True then).

        Raises: ValueError when the Watcher was closed before the call. RuntimeError in a child
            process after fork(); and while another call reads a Watcher with `settle`, so in a
            signal handler that interrupts a read. Any exception that a signal handler raises, such
            as KeyboardInterrupt. If it comes while the call returns, the batch is lost, as with any
            function in Python; a new Watcher with snapshot=True delivers the whole state.
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
        # For a daemon thread that reads while the program exits, the stream just ends.
        if self._watch.closed and not self._watch.closed_at_exit:
            raise ValueError("watcher is closed")

    def _read_settled(self, settler: Settler, timeout: float | None, most: int) -> Batch | None:
        deadline = None
        if timeout is not None:
            deadline = time.monotonic() + _native._seconds_from(timeout, "timeout")
        reader = _Reader()
        mine = weakref.ref(reader)
        try:
            self._become_reader(mine)
            while True:
                found = self._poll(most)
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
            if mine in self._readers:
                self._readers.remove(mine)

    def _become_reader(self, mine: weakref.ref[_Reader]) -> None:
        """Refuse a second reader of a settled Watcher.

        There is no lock, which a signal handler that reads would wait for: one call adds a reader,
        and the first that is alive reads. The caller removes it in a `finally`, without an
        allocation, whose failure would lose what was read. Where a signal handler raises before
        that, the reader ends with the frame of its call.
        """
        if self._settler is None:
            return
        self._refuse_forked()
        self._readers.append(mine)
        for one in list(self._readers):
            if one is mine:
                return
            if one() is not None:
                raise RuntimeError(
                    "a Watcher with settle= has one reader at a time, and another call is reading "
                    "it"
                )
            with contextlib.suppress(ValueError):  # another thread has removed it
                self._readers.remove(one)

    def _refuse_forked(self) -> None:
        if os.getpid() != self._pid:
            self._watch.wait(0)  # raises, since this is the child

    def _poll(self, most: int) -> Batch | float | None:
        """A batch that is due; or the longest time, in seconds, to wait for the next one."""
        settler = self._settler
        if self._watch.stopped:
            return None
        if settler is None:
            return self._watch.read(0, most)
        self._refuse_forked()
        # Changes that have settled are delivered first: newer ones do not delay them.
        batch = settler.take(_clock(), most)
        if batch is None:
            more = settler.take_in(self._read_now, _clock)
            now = _clock()
            batch = settler.take(now, most)
            if batch is None:
                due = now if more else settler.due  # the queue may hold more
                return None if due is None else max(due - now, 0.0)
        if settler.due is not None:
            self._watch.wake_one()  # the changes beyond `most` are due, too
        return batch

    def _read_now(self) -> Batch | None:
        return self._watch.read(0, LARGEST_BATCH)

    def __iter__(self) -> Self:
        """Iterate over batches until the Watcher is stopped or closed."""
        self._refuse_closed()
        return self

    def __next__(self) -> Batch:
        batch = self._read(None, LARGEST_BATCH)  # None also when it is closed
        if batch is None:
            raise StopIteration
        return batch

    def __aiter__(self) -> Self:
        """Iterate over batches until the Watcher is stopped or closed, on asyncio, uvloop or trio.

        The event loop itself waits, without polling and without a thread; only on Windows a loop
        that cannot wait for a handle needs a thread. A cancelled read takes no change from the
        stream.
        """
        self._refuse_closed()
        return self

    async def __anext__(self) -> Batch:
        reader = _Reader()
        mine = weakref.ref(reader)
        try:
            self._become_reader(mine)
            while True:
                await waiting.checkpoint()
                found = self._poll(LARGEST_BATCH)
                if isinstance(found, Batch):
                    return found
                if self._watch.stopped:
                    raise StopAsyncIteration
                if found != 0:
                    await waiting.readable(self._watch, found)
        finally:
            if mine in self._readers:
                self._readers.remove(mine)

    def fileno(self) -> int:
        """Return a descriptor that is readable while read() would return without waiting.

        It is for select() and the like, never to be read from. With `settle`, call read(timeout=0)
        when the descriptor is readable, and again when the settle time has passed.

        Raises: NetioError on Windows, which has no such descriptor (handle() is for it);
            ValueError when closed.
        """
        return self._watch.fileno()

    def handle(self) -> int:
        """Return, on Windows, the handle of an event that is set while read() would not wait.

        It is for WaitForMultipleObjects(), RegisterWaitForSingleObject(), QWinEventNotifier and the
        like, never to be set, reset or closed. It is valid until close(); a wait for it ends by
        stop(), so stop and end the waits before you close. With `settle`, call read(timeout=0)
        when the event is set, and again when the settle time has passed.

        Raises: NetioError on Linux, where fileno() returns a descriptor; ValueError when closed.
        """
        return self._watch.handle()

    # ---- ending ----------------------------------------------------------------

    def stop(self) -> None:
        """End all reading, at once and for ever: every iteration ends, and read() returns None.

        Never waits. Any thread, callback or signal handler may call it. Queued changes are not
        delivered any more. The subscription lasts until close().
        """
        self._watch.stop()

    def close(self) -> None:
        """Stop, end the subscription and free its resources. A second close() does nothing.

        A thread that closes while another one does waits for it. In a child process after fork()
        there is nothing to end, and close() returns at once.

        Raises: NetioError when the system's cancel function fails.
        """
        if self._watch.closed and os.getpid() != self._pid:
            return  # the thread that closes it exists in the parent only
        self._watch.close()

    @property
    def stopped(self) -> bool:
        """True after stop() or close()."""
        return self._watch.stopped

    @property
    def closed(self) -> bool:
        """True as soon as close() was called."""
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

    # ---- state -----------------------------------------------------------------

    def stats(self) -> dict[str, int]:
        """Return the counters as a dict; after close(), their last values.

        received: changes that passed the filters. It equals delivered + coalesced + queued.
        delivered: changes that readers got.
        coalesced: changes that were merged into a change of the same row, or that came and went.
        queued: changes that wait for a reader.
        queue_high_water: the largest number of changes that waited at once.
        lost: changes dropped after an allocation failure; a batch has `overflow` set for them.
        overflows: how often the system's buffer was full. This counter and the next ones are common
            to all Watchers of the process in one network namespace.
        resyncs: how often tables were read again and compared.
        ignored: messages that did not come from the kernel, or were malformed.
        receive_buffer: the size in bytes of the system's buffer.
        unreadable: routes that a table did not show when it was last read, because Linux cut the
            table short: at a route of more than 1,150 (IPv6) or 2,000 (IPv4) legs. They are kept.
        """
        settler = self._settler
        if settler is None:
            return self._watch.stats()
        # In this order: what is read meanwhile counts as coalesced for a moment, and none twice.
        delivered, held = settler.delivered, settler.held
        figures = self._watch.stats()
        figures["coalesced"] += figures["delivered"] - delivered - held
        figures["delivered"] = delivered
        figures["queued"] += held
        return figures

    def __repr__(self) -> str:
        state = "closed" if self.closed else "stopped" if self.stopped else "live"
        return f"<Watcher of {self._what}: {state}>"
