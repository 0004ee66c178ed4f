# SPDX-License-Identifier: MIT
"""The binding over an unruly system: the exit of an interpreter. Each check runs by name in a
process of its own, with the package that test_fake_system.py builds over tower.c."""

from __future__ import annotations

import atexit
import importlib
import sys
import sysconfig
import threading
from collections.abc import Callable
from typing import Any

from tests.fake_system.system import (
    ADD,
    HOLD_DELETE,
    NO_EVENTS,
    NO_THREADS,
    notify,
    system,
)
from tests.support.waiting import eventually

run_exit_functions: Callable[[], None] = atexit._run_exitfuncs


def exit_starts_the_helper_later() -> None:
    """No thread is left when the exit begins, but there is one later."""
    registration = notify(print)

    def give() -> None:
        eventually(lambda: not registration.active)
        system.fake_set(NO_THREADS, 0)

    giver = threading.Thread(target=give)
    giver.start()
    system.fake_set(NO_THREADS, 1)
    run_exit_functions()
    giver.join()
    assert system.fake_registered() == 0


def exit_without_events_waits_for_a_callback() -> None:
    entered, leave, exited = threading.Event(), threading.Event(), threading.Event()
    early: list[bool] = []

    def held(row: Any, type: Any) -> None:
        entered.set()
        assert leave.wait(20)

    registration = notify(held)
    system.fake_call(1, 1, ADD)
    assert entered.wait(20)
    system.fake_set(NO_EVENTS, 1)

    def end() -> None:
        eventually(lambda: not registration.active)
        early.append(exited.wait(0.3))
        leave.set()

    ender = threading.Thread(target=end)
    ender.start()
    run_exit_functions()
    exited.set()
    ender.join()
    assert early == [False]
    assert (registration.delivered, system.fake_registered()) == (1, 0)


# ---- the main interpreter and another one exit at the same time


class Interpreter:
    """One that has imported the package."""

    def __init__(self) -> None:
        self._module = importlib.import_module("_interpreters")
        self._id = self._module.create("legacy")
        failure = self._module.run_string(self._id, "import netioapi")
        assert failure is None, failure

    def destroy(self) -> None:
        self._module.destroy(self._id)


def possible() -> bool:
    """3.12 has the package in one interpreter alone, and 3.11 no usable module for others.
    Free-threaded, a state is deleted by a thread attached to it, which cannot be held meanwhile."""
    return sys.version_info >= (3, 13) and not sysconfig.get_config_var("Py_GIL_DISABLED")


def second_waits_for_first(first: Callable[[], None], second: Callable[[], None]) -> None:
    """`first` deletes the pinned state and is held there. `second` may not return meanwhile."""
    returned, early = threading.Event(), []

    def release() -> None:
        early.append(returned.wait(0.3))
        system.fake_set(HOLD_DELETE, 0)

    def run_second() -> None:
        eventually(lambda: system.fake_waiting() == 1)
        threading.Thread(target=release).start()
        second()
        returned.set()

    system.fake_set(HOLD_DELETE, 1)
    other = first if second is run_exit_functions else run_second
    thread = threading.Thread(target=other)
    thread.start()
    (first if other is run_second else run_second)()
    thread.join(20)
    assert not thread.is_alive()
    assert early == [False]


def interpreter_that_main_unpins_ends_after_that() -> None:
    if possible():
        second_waits_for_first(run_exit_functions, Interpreter().destroy)


def main_exits_after_an_interpreter_that_unpins_itself() -> None:
    if possible():
        second_waits_for_first(Interpreter().destroy, run_exit_functions)


if __name__ == "__main__":
    globals()[sys.argv[1]]()
    print("passed", flush=True)
