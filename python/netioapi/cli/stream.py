# SPDX-License-Identifier: MIT
"""All that `monitor` prints, as one stream of events.

Routes, addresses and interfaces come from a Watcher, which a thread reads. Teredo, hint and stable
come from callbacks. Both are put into one queue, and the main thread takes events from it and
prints them. While two batches are read and not printed, the reading thread waits. So with a slow
terminal the Watcher's own queue fills, which is bounded and merges changes, and this queue stays
short. When many events of callbacks wait, a new one replaces the last of them.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from typing import Any

import netioapi
from netioapi.cli.arguments import WATCHED
from netioapi.cli.output.records import CHANGES, Event

BATCHES = 2  # how many may be read and not printed yet
WAITING = 100  # how many events of one kind may wait


class Stream:
    """Subscribes when it is created. events() iterates over lists of Events."""

    def __init__(
        self,
        kinds: list[str],
        *,
        family: int,
        tables: list[int] | None = None,
        interfaces: list[int | str] | None = None,
        snapshot: bool = False,
        settle: float = 0.0,
    ) -> None:
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._turns = threading.Semaphore(BATCHES)
        self._lock = threading.Lock()
        self._waiting: defaultdict[str, deque[Event]] = defaultdict(deque)  # by kind
        self._sources = 0
        self._closing = False
        self._watcher: netioapi.Watcher | None = None
        self._reader: threading.Thread | None = None
        self._registrations: list[netioapi.Registration] = []
        self._stable: netioapi.Watcher | None = None
        self._stable_reader: threading.Thread | None = None
        self._snapshot = snapshot
        try:
            watched = [kind for kind in kinds if kind in WATCHED]
            if watched:
                self._watcher = netioapi.Watcher(
                    *watched,
                    family=family,
                    tables=tables,
                    interfaces=interfaces,
                    snapshot=snapshot,
                    settle=settle,
                )
                self._reader = threading.Thread(target=self._read, name="netioapi-read")
                self._reader.start()
                self._sources += 1
            if "teredo" in kinds:
                self._add_teredo()
            if "hint" in kinds:
                self._add_hint()
            if "stable" in kinds:
                self._add_stable(family)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._closing = True
        if self._stable is not None:
            self._stable.stop()
            if self._stable_reader is not None:
                self._stable_reader.join()
            self._stable.close()
        for registration in self._registrations:
            registration.cancel()
        if self._watcher is not None:
            self._watcher.stop()
            self._turns.release()
            if self._reader is not None:
                self._reader.join()
            self._watcher.close()

    def events(self, duration: float | None) -> Iterator[list[Event]]:
        """Iterate for `duration` seconds (None: no limit), or until every source has ended."""
        end = None if duration is None else time.monotonic() + duration
        while self._sources or not self._queue.empty():
            left = None if end is None else max(0.0, end - time.monotonic())
            try:
                item = self._queue.get(timeout=left)
            except queue.Empty:
                return
            if isinstance(item, BaseException):
                raise item
            if item is None:
                self._sources -= 1
            elif isinstance(item, str):
                with self._lock:
                    event = self._waiting[item].popleft()
                yield [event]
            else:
                yield list(events_of(item))
                self._turns.release()

    # ---- the thread that reads the Watcher ---------------------------------

    def _read(self) -> None:
        assert self._watcher is not None
        try:
            for batch in self._watcher:
                self._queue.put(batch)
                self._turns.acquire()
                if self._closing:
                    return
        except BaseException as error:
            self._queue.put(error)
        self._queue.put(None)

    # ---- callbacks, on threads of the library or of the system -------------

    def _add_teredo(self) -> None:
        def changed(port: int, change: netioapi.NotificationType) -> None:
            initial = change == netioapi.NotificationType.INITIAL
            self._put("teredo", _port() if initial else port, initial)

        self._registrations.append(
            netioapi.notify_teredo_port_change(changed, initial_notification=self._snapshot)
        )
        self._sources += 1

    def _add_hint(self) -> None:
        unseen = [self._snapshot]

        def changed(hint: netioapi.NetworkConnectivityHint) -> None:
            initial, unseen[0] = unseen[0], False
            self._put("hint", hint, initial)

        self._registrations.append(
            netioapi.notify_network_connectivity_hint_change(
                changed, initial_notification=self._snapshot
            )
        )
        self._sources += 1

    def _add_stable(self, family: int) -> None:
        def stable(table: netioapi.Table[netioapi.UnicastIpAddressRow]) -> None:
            self._put("stable", table, False)

        def follow() -> None:
            """Where the table is stable already no callback comes. So it is asked for again at each
            change, until it is not, and a registration reports all further tables."""
            assert self._stable is not None
            shown = None
            try:
                while not self._closing:
                    table, registration = netioapi.notify_stable_unicast_ip_address_table(
                        stable, family
                    )
                    if registration is not None:
                        self._registrations.append(registration)
                        self._stable.close()  # its queue would fill, and no thread reads it
                        return
                    if table != shown:
                        self._put("stable", table, shown is None)
                    shown = table
                    if self._stable.read() is None:
                        return
            except BaseException as error:
                self._queue.put(error)

        self._stable = netioapi.Watcher("address", family=family)
        self._stable_reader = threading.Thread(target=follow, name="netioapi-stable")
        self._stable_reader.start()
        self._sources += 1

    def _put(self, kind: str, payload: Any, initial: bool) -> None:
        event = Event(time.time_ns(), kind, "parameter", initial, False, payload)
        with self._lock:
            waiting = self._waiting[kind]
            if len(waiting) >= WAITING:
                waiting[-1] = event
                return
            waiting.append(event)
        self._queue.put(kind)


def _port() -> int:
    try:
        return netioapi.get_teredo_port()
    except netioapi.NetioError:  # no Teredo client is running
        return 0


def events_of(batch: netioapi.Batch) -> Iterator[Event]:
    last = 0
    if batch.overflow:
        yield Event(time.time_ns(), "mark", "overflow")
    for change in batch:
        last = change.time_ns
        yield Event(
            last,
            change.kind,
            CHANGES[change.type],
            change.initial,
            change.synthesized,
            change.row,
        )
    if batch.synced:
        yield Event(max(last, time.time_ns()), "mark", "synced")
