# SPDX-License-Identifier: MIT
"""Calls that must leak nothing: registrations and watchers, from construction to close. Their names
follow the rule in leak_values.py."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import netioapi
from netioapi import NetioError, Registration, Watcher
from tests.support.leak_values import Calls, fails
from tests.support.network import Network
from tests.support.platforms import WINDOWS

# The Notify* functions with a lasting registration; True where a family can be given.
LASTING = {
    "notify_ip_interface_change": True,
    "notify_unicast_ip_address_change": True,
    "notify_route_change2": True,
    "notify_teredo_port_change": False,
    "notify_network_connectivity_hint_change": False,
}
STABLE = "notify_stable_unicast_ip_address_table"
CHANGED = range(20)


def ignore(*_: object) -> None:
    """A callback."""


def stable() -> None:
    """Returns a table or a registration: that depends on the state of duplicate address
    detection."""
    _, registration = netioapi.notify_stable_unicast_ip_address_table(ignore)
    if registration is not None:
        registration.cancel()


def change(network: Network) -> None:
    """Routes and an address come and go, and an interface changes."""
    routes = [f"198.18.0.{number}/32 dev v0" for number in CHANGED]
    network.batch("\n".join(f"route add {one}" for one in routes))
    network.batch("address add 10.8.0.1/24 dev v0\naddress del 10.8.0.1/24 dev v0")
    network.batch("\n".join(f"route del {one}" for one in routes))
    network.batch("link set v0 mtu 1400\nlink set v0 mtu 1500")


def called(notify: Callable[..., Registration], make: Callable[[], object], **named: Any) -> Any:
    """Registers, calls `make` until the callback ran, and cancels."""

    def use() -> None:
        seen = threading.Event()
        with notify(lambda *_: seen.set(), **named):
            make()
            assert seen.wait(20)

    return use


def raising(**named: Any) -> Callable[[], None]:
    """A callback raises: on_error is called, or else sys.unraisablehook."""
    initial = partial(netioapi.notify_route_change2, initial_notification=True)

    def use() -> None:
        seen = threading.Event()
        before = sys.unraisablehook
        sys.unraisablehook = lambda *_: seen.set()
        heard = {name: lambda _: seen.set() for name in named}
        try:
            with initial(lambda *_: 1 // 0, **heard) as registration:
                assert seen.wait(20)
            assert registration.errors == 1
        finally:
            sys.unraisablehook = before

    return use


def cancels_itself(**named: Any) -> None:
    """Cancels within its own callback: that is refused, or begins without waiting."""
    own: list[Registration] = []
    known, over = threading.Event(), threading.Event()

    def callback(*_: object) -> None:
        assert known.wait(20)
        with contextlib.suppress(netioapi.DeadlockError):
            own[0].cancel(**named)
        over.set()

    own.append(netioapi.notify_route_change2(callback, initial_notification=True))
    known.set()
    assert over.wait(20)
    own[0].cancel()


def times_out(registration: Callable[..., Registration]) -> None:
    entered, leave = threading.Event(), threading.Event()

    def callback(*_: object) -> None:
        entered.set()
        assert leave.wait(20)

    slow = registration(callback)
    assert entered.wait(20)
    fails(TimeoutError, slow.cancel, timeout=0)()
    leave.set()
    slow.cancel()


def registrations(network: Network, live: Registration) -> Calls:
    initial = partial(netioapi.notify_route_change2, initial_notification=True)
    over = netioapi.notify_route_change2(ignore)
    over.cancel()
    found: Calls = {
        "Registration": fails(TypeError, Registration),
        "Registration.__repr__": lambda: (repr(live), repr(over)),
        "Registration.__enter__": live.__enter__,
        "Registration.__exit__": lambda: netioapi.notify_route_change2(ignore).__exit__(),
        "Registration.cancel": lambda: netioapi.notify_route_change2(ignore).cancel(),
        "Registration.cancel: again": over.cancel,
        "Registration.cancel: wrong": fails(TypeError, live.cancel, "x"),
        "Registration.cancel: time": fails(ValueError, live.cancel, -1),
        "Registration.cancel: no wait": lambda: initial(ignore).cancel(wait=False),
        "Registration.cancel: itself": cancels_itself,
        "Registration.cancel: itself, no wait": lambda: cancels_itself(wait=False),
        "Registration.cancel: too late": lambda: times_out(initial),
        "DeadlockError: raised": cancels_itself,
        "cancel_mib_change_notify2": lambda: netioapi.cancel_mib_change_notify2(initial(ignore)),
        "cancel_mib_change_notify2: NULL": fails(
            ValueError, netioapi.cancel_mib_change_notify2, None
        ),
        "notify_route_change2: raises": raising(),
        "notify_route_change2: on_error": raising(on_error=True),
    }
    for name in ("active", "function", "family", "delivered", "errors", "batches"):
        found[f"Registration.{name}"] = lambda name=name: getattr(live, name)
    for name, has_family in LASTING.items():
        notify = getattr(netioapi, name)
        found[name] = lambda notify=notify: notify(ignore).cancel()
        found[f"{name}: initial"] = called(notify, lambda: None, initial_notification=True)
        found[f"{name}: wrong"] = fails(TypeError, notify, 1)
        found[f"{name}: on_error"] = fails(TypeError, notify, ignore, on_error=1)
        if has_family:
            found[f"{name}: family"] = fails(ValueError, notify, ignore, 99)
            found[f"{name}: called back"] = called(notify, partial(change, network))
    found[STABLE] = stable
    for case, error, given in (("family", ValueError, (ignore, 99)), ("wrong", TypeError, (1,))):
        notify = netioapi.notify_stable_unicast_ip_address_table
        found[f"{STABLE}: {case}"] = fails(error, notify, *given)
    return found


# ---- watchers ----


def synced(watcher: Watcher) -> int:
    """Reads up to the `synced` flag; the number of changes."""
    count = 0
    for batch in watcher:
        count += len(batch)
        if batch.synced:
            break
    return count


def read(*kinds: str, **named: Any) -> None:
    with Watcher(*kinds, snapshot=True, **named) as watcher:
        assert synced(watcher)
        assert watcher.read(timeout=0) is None


def read_changes(network: Network, **named: Any) -> None:
    with Watcher(**named) as watcher:
        change(network)
        # An addition and a deletion may become nothing. On Windows they may leave no change at all.
        while (batch := watcher.read(timeout=0.1)) is not None or (
            not WINDOWS and watcher.stats()["received"] < len(CHANGED)
        ):
            list(batch or ())


async def iterate() -> None:
    async with Watcher(snapshot=True) as watcher:
        async for batch in watcher:
            if batch.synced:
                break


async def give_up() -> None:
    """Cancels a task that waits in a read."""
    async with Watcher("route", prefixes=["203.0.113.0/24"]) as watcher:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(watcher.__anext__(), 0.001)


def begin() -> None:
    with Watcher("route", snapshot=True) as watcher:
        next(watcher)


def forget() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        Watcher("route", snapshot=True)


def stopped(use: Callable[[Watcher], object]) -> Callable[[], None]:
    """Uses a watcher that is stopped."""

    def do() -> None:
        with Watcher("route", snapshot=True) as watcher:
            watcher.stop()
            use(watcher)

    return do


def watchers(network: Network, loop: asyncio.AbstractEventLoop, live: Watcher) -> Calls:
    closed = Watcher("route")
    closed.close()

    def run(coroutine: Callable[[], Any]) -> Callable[[], None]:
        return lambda: loop.run_until_complete(coroutine())

    found: Calls = {
        "Watcher": lambda: Watcher().close(),
        "Watcher.__init__": lambda: Watcher(
            "route",
            tables=None if WINDOWS else ["main", 7],
            interfaces=["v0"],
            prefixes=["10.0.0.0/8", "::/0"],
            protocols=[4],
            receive_buffer=100_000,
        ).close(),
        "Watcher.__init__: kind": fails(ValueError, Watcher, "x"),
        "Watcher.__init__: family": fails(ValueError, Watcher, family=99),
        "Watcher.__init__: interface": fails((ValueError, OSError), Watcher, interfaces=[99999]),
        "Watcher.__init__: name": lambda: Watcher(interfaces=["none", "x" * 127]).close(),
        "Watcher.__init__: prefix": fails(ValueError, Watcher, prefixes=["x"]),
        "Watcher.__init__: wrong": fails(TypeError, Watcher, queue="x"),
        "Watcher.read": read,
        "Watcher.read: changes": partial(read_changes, network),
        "Watcher.read: slow reader": partial(read_changes, network, queue=10),
        "Watcher.read: settled": partial(read, settle=0.001),
        "Watcher.read: nothing": lambda: live.read(timeout=0),
        "Watcher.read: wrong": fails(TypeError, live.read, "x"),
        "Watcher.read: time": fails(ValueError, live.read, -1),
        "Watcher.read: most": fails(ValueError, live.read, 0, 0),
        "Watcher.read: closed": fails(ValueError, closed.read),
        "Watcher.read: stopped": stopped(lambda watcher: watcher.read()),
        "Watcher.__iter__": stopped(list),
        "Watcher.__iter__: closed": fails(ValueError, iter, closed),
        "Watcher.__next__": begin,
        "Watcher.__next__: closed": fails(StopIteration, next, closed),
        "Watcher.__aiter__": lambda: live.__aiter__(),
        "Watcher.__aiter__: closed": fails(ValueError, closed.__aiter__),
        "Watcher.__anext__": run(iterate),
        "Watcher.__anext__: cancelled": run(give_up),
        "Watcher.__aenter__": run(live.__aenter__),
        "Watcher.__aexit__": run(lambda: Watcher("route").__aexit__()),
        "Watcher.__enter__": live.__enter__,
        "Watcher.__exit__": lambda: Watcher("route").__exit__(),
        "Watcher.__del__": forget,
        "Watcher.stop": stopped(lambda watcher: watcher.stop()),
        "Watcher.close": lambda: Watcher("route", snapshot=True).close(),
        "Watcher.close: again": closed.close,
        "Watcher.fileno": fails((NetioError, ValueError), closed.fileno),
        "Watcher.handle": fails((NetioError, ValueError), closed.handle),
        "Watcher.stats": lambda: (live.stats(), closed.stats()),
        "Watcher.__repr__": lambda: (repr(live), repr(closed)),
    }
    for name in ("fileno", "handle"):  # each system has one of them
        with contextlib.suppress(NetioError):
            getattr(live, name)()
            found[f"Watcher.{name}: live"] = getattr(live, name)
    for name in ("stopped", "closed"):
        found[f"Watcher.{name}"] = lambda name=name: (getattr(live, name), getattr(closed, name))
    return found
