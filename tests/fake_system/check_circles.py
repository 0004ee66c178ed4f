# SPDX-License-Identifier: MIT
"""The binding over an unruly system: a wait for a cancellation within another such wait of the same
thread. Each check runs by name in a process of its own, with the package that test_fake_system.py
builds over tower.c.

The main thread is in a callback, since this system calls back on the registering thread. The
callback cancels a registration whose own callback is held, and waits. Signal handlers run within
that wait, and wait themselves."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from netioapi import DeadlockError, Registration
from tests.fake_system.system import ADD, SYNCHRONOUS, notify, raises, registrations, system
from tests.support.collector import Collector

SECONDS = 20


class Held:
    """A registration whose callback, on a thread of its own, runs `work` after `release`."""

    def __init__(self, work: Callable[[], None] = lambda: None) -> None:
        self._work, self._go = work, threading.Event()
        self.errors = Collector()
        entered = threading.Event()
        self._entered = entered
        self.registration = notify(self._call, on_error=self.errors)
        system.fake_call(1, 1, ADD)
        assert entered.wait(SECONDS)

    def _call(self, row: Any, type: Any) -> None:
        self._entered.set()
        assert self._go.wait(SECONDS)
        self._work()

    def release(self) -> None:
        self._go.set()


def interrupt(handler: Callable[[], object]) -> threading.Event:
    """Lets the main thread run the handler; set when the handler has returned."""
    returned = threading.Event()
    pending.append((handler, returned))
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)
    return returned


def handle(number: int, frame: Any) -> None:
    handler, returned = pending.pop()
    handler()
    returned.set()


pending: list[tuple[Callable[[], object], threading.Event]] = []
signal.signal(signal.SIGUSR1, handle)


def newest(before: list[Registration]) -> Registration:
    (made,) = set(registrations()) - set(before)
    return made


def cancel_in_main(held: Held, then: Callable[[], None]) -> None:
    """Registers; the callback, on the main thread, cancels `held` and calls `then`."""
    errors = Collector()

    def look(row: Any, type: Any) -> None:
        if not done.is_set():
            done.set()
            then()
            held.registration.cancel()

    done = threading.Event()
    system.fake_set(SYNCHRONOUS, 1)
    notify(look, initial_notification=True, on_error=errors).cancel()
    system.fake_join()
    assert not errors.events, errors.events
    assert not held.errors.events, held.errors.events


def outer_wait_is_known_after_a_wait_within_it() -> None:
    before: list[Registration] = []

    def work() -> None:
        mine = newest([*before, held.registration])
        assert interrupt(lambda: other.cancel()).wait(SECONDS)
        raises(DeadlockError, mine.cancel, SECONDS)

    other = notify(print)
    before.append(other)
    held = Held(work)
    cancel_in_main(held, held.release)


def both_waits_are_known_while_the_inner_one_lasts() -> None:
    main: list[Registration] = []

    def work() -> None:
        interrupt(handler)
        assert waiting.wait(SECONDS)
        raises(DeadlockError, main[0].cancel, SECONDS)
        inner.release()
        assert inner_done.wait(SECONDS)

    def work_of_inner() -> None:
        raises(DeadlockError, main[0].cancel, SECONDS)
        inner_done.set()

    def handler() -> None:
        waiting.set()
        inner.registration.cancel()

    waiting, inner_done = threading.Event(), threading.Event()
    inner = Held(work_of_inner)
    held = Held(work)

    def then() -> None:
        main.append(newest([inner.registration, held.registration]))
        held.release()

    cancel_in_main(held, then)
    assert not inner.errors.events


def callback_within_a_wait_has_no_part_in_it() -> None:
    """It can return while the wait goes on, so a cancel of its registration is no circle."""
    main: list[Registration] = []

    def work() -> None:
        returned = interrupt(handler)
        assert entered.wait(SECONDS)
        within = newest([held.registration, *main, inner.registration])
        raises(TimeoutError, within.cancel, 0)
        raises(DeadlockError, main[0].cancel, SECONDS)
        inner.release()
        assert returned.wait(SECONDS)

    def handler() -> None:
        notify(look, initial_notification=True)

    def look(row: Any, type: Any) -> None:
        entered.set()
        inner.registration.cancel()

    entered = threading.Event()
    inner = Held()
    held = Held(work)

    def then() -> None:
        main.append(newest([inner.registration, held.registration]))
        held.release()

    cancel_in_main(held, then)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("passed", flush=True)
