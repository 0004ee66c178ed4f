# SPDX-License-Identifier: MIT
"""The interpreter exits cleanly with live registrations and a live Watcher, under a flood, and
where callbacks or threads hinder it. test_exits.py repeats the exits in every way."""

from __future__ import annotations

import pytest

from tests.lifecycle.programs import LIVE, run_all
from tests.support.network import Network
from tests.support.processes import python
from tests.support.signals import BY_CTRL_C, signal_statement


def test_exit_by_a_handled_signal_is_clean(flood: None) -> None:
    how = f"""
signal.signal(signal.SIGTERM, lambda *_: sys.exit(4))
{signal_statement("SIGTERM")}
live[0].cancel()
sys.exit('the signal was not handled')
"""
    run_all(4, LIVE + how, 4, "")


def test_exit_by_ctrl_c_from_a_callback_is_clean(flood: None) -> None:
    how = f"""
netioapi.notify_route_change2(lambda *_: {signal_statement("SIGINT")})
time.sleep(20)  # Ctrl-C ends it on every system; on Windows it ends no wait for an Event
"""
    run_all(4, LIVE + how, BY_CTRL_C, "KeyboardInterrupt")


@pytest.mark.slow
def test_callback_that_never_returns_is_abandoned_at_exit(flood: None) -> None:
    """After about five seconds; the other registrations end cleanly meanwhile."""
    how = """
inside = threading.Event()
def forever(*_):
    inside.set()
    time.sleep(1000)
netioapi.notify_route_change2(forever)
netioapi.notify_route_change2(lambda *_: threading.Event().wait())
assert inside.wait(20)
"""
    run_all(4, LIVE + how, 0, "", timeout=60)


def test_ctrl_c_ends_the_wait_for_callbacks_at_exit(flood: None) -> None:
    how = f"""
inside = threading.Event()
def forever(*_):
    inside.set()
    threading.Event().wait()
netioapi.notify_route_change2(forever)
assert inside.wait(20)
running = threading.Lock()
running.acquire()
def end_the_waiting():
    running.acquire()
    {signal_statement("SIGINT")}
threading.Thread(target=end_the_waiting, daemon=True).start()
# It runs just before our handler, which waits: no Python code between them sees the signal.
atexit.register(running.release)
"""
    run_all(4, LIVE + how, 0, "Exception ignored in: <netioapi.Registration")


def test_registration_at_exit_works_before_our_handler_and_raises_after(netns: Network) -> None:
    program = """
import atexit

def after():  # registered before our handler, so it runs after it
    try:
        netioapi.notify_route_change2(print)
    except RuntimeError as error:
        assert "exiting" in str(error)
    else:
        raise AssertionError("registered at exit")
    assert not early.active
    early.cancel()
    early.cancel(0, wait=False)
    print("after", flush=True)

atexit.register(after)
import netioapi
early = netioapi.notify_route_change2(print)

def before():
    assert early.active
    with netioapi.notify_route_change2(print) as late:
        assert late.active
    netioapi.notify_route_change2(print)
    print("before", flush=True)

atexit.register(before)
"""
    done = python(program)
    assert (done.stdout, done.stderr) == ("before\nafter\n", "")


def test_watcher_after_our_exit_handler_is_closed(netns: Network) -> None:
    """A daemon thread may be anywhere in its loop at that time."""
    program = """
import atexit

def after():  # registered before our handler, so it runs after it
    for watcher in (plain, settled):
        assert watcher.closed and watcher.stopped
        assert watcher.read() is None and watcher.read(timeout=0) is None
        assert list(watcher) == []
        watcher.close()
    assert closed.closed
    try:
        closed.read()
    except ValueError:
        print("after", flush=True)

atexit.register(after)
import netioapi
plain, settled, closed = netioapi.Watcher(), netioapi.Watcher(settle=1), netioapi.Watcher()
closed.close()
"""
    done = python(program)
    assert (done.stdout, done.stderr) == ("after\n", "")


@pytest.mark.parametrize("daemon", [True, False])
def test_threads_that_register_during_exit_do_no_harm(flood: None, daemon: bool) -> None:
    how = f"""
end = time.monotonic() + 1
def churn():
    while {daemon} or time.monotonic() < end:
        try:
            registration = netioapi.notify_route_change2(seen)
            registration.cancel(wait=count % 2 == 0)
        except RuntimeError:
            return
for _ in range(4):
    threading.Thread(target=churn, daemon={daemon}).start()
live[0].cancel()
"""
    run_all(20 if daemon else 4, LIVE + how, 0, "")


def test_threads_that_wait_in_cancel_during_exit_do_no_harm(flood: None) -> None:
    how = """
inside, leave = threading.Event(), threading.Event()
def held(*_):
    inside.set()
    leave.wait()
registration = netioapi.notify_route_change2(held)
assert inside.wait(20)
for _ in range(3):
    threading.Thread(target=registration.cancel, daemon=True).start()
while registration.active:
    time.sleep(0.001)
atexit.register(leave.set)
"""
    run_all(8, LIVE + how, 0, "")


def test_registrations_in_modules_and_cycles_end_cleanly_at_exit(flood: None) -> None:
    how = """
class Odd:
    def __init__(self):
        self.registration = netioapi.notify_route_change2(self.seen)
        self.me = self
    def seen(self, *_):
        pass
    def __del__(self):
        self.registration.cancel()
        print("deleted", flush=True)
odd = Odd()
sys.odd = Odd()
netioapi.odd = Odd()
threading.current_thread().odd = Odd()
"""
    run_all(8, LIVE + how, 0, "")
