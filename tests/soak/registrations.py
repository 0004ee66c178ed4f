# SPDX-License-Identifier: MIT
"""Registrations of every notify function, with callbacks of every kind, cancelled in every way."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

import netioapi
from netioapi import DeadlockError, Registration
from tests.support.background import BackgroundCall

from .counters import Guest, Planned

MOST = 12
FAMILIES = (socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6)


class Called:
    """A callback, and what is wrong about its being called."""

    def __init__(self, guest: Guest, live: list[Called]) -> None:
        self._guest, self._live = guest, live
        self._way = guest.random.choice(
            [self.look, self.look, self.fail, self.dawdle, self.leave, self.end_another, self.more]
        )
        self._inside = threading.Lock()
        self.over = False
        self.registration: Registration | None = None

    def __call__(self, *arguments: Any) -> None:
        if self.over:
            self._guest.counters.fail(self._guest.name, f"called after its cancel: {arguments}")
        if not self._inside.acquire(blocking=False):
            self._guest.counters.fail(self._guest.name, "called twice at once")
        try:
            self._guest.counters.add("changes")
            self._way(*arguments)
        finally:
            self._inside.release()

    def failed(self, error: BaseException) -> None:
        if isinstance(error, Planned):
            self._guest.counters.add("raised")
        else:
            self._guest.counters.fail(self._guest.name, f"a callback raised {error!r}")

    # ---- ways ---------------------------------------------------------------
    def look(self, *arguments: Any) -> None:
        repr(arguments)

    def fail(self, *arguments: Any) -> None:
        raise Planned

    def dawdle(self, *arguments: Any) -> None:
        self._guest.pause(0.05)

    def leave(self, *arguments: Any) -> None:
        if self.registration is None:
            return
        try:
            self.registration.cancel()
        except DeadlockError:
            self.registration.cancel(wait=False)
        else:
            self._guest.counters.fail(self._guest.name, "cancelled itself and waited")

    def end_another(self, *arguments: Any) -> None:
        for other in self._live[:1]:
            if other.registration is not None:
                with contextlib.suppress(TimeoutError, DeadlockError):
                    other.registration.cancel(timeout=0.01)

    def more(self, *arguments: Any) -> None:
        if len(self._live) < 2 * MOST:
            register(self._guest, self._live)


def register(guest: Guest, live: list[Called]) -> None:
    called, chance = Called(guest, live), guest.random
    family = chance.choice(FAMILIES)
    more: dict[str, Any] = {"on_error": called.failed if guest.chance(0.8) else None}
    name = chance.choice(NAMES)
    if name == "notify_stable_unicast_ip_address_table":
        _, called.registration = netioapi.notify_stable_unicast_ip_address_table(
            called, family, **more
        )
    else:
        more["initial_notification"] = guest.chance(0.5)
        if name in WITH_FAMILY:
            more |= {"family": family, "details": guest.chance(0.5)}
        called.registration = getattr(netioapi, name)(called, **more)
    guest.counters.add("registrations")
    live.append(called)


WITH_FAMILY = [
    "notify_route_change2",
    "notify_unicast_ip_address_change",
    "notify_ip_interface_change",
]
NAMES = [
    *WITH_FAMILY,
    "notify_teredo_port_change",
    "notify_network_connectivity_hint_change",
    "notify_stable_unicast_ip_address_table",
]


def end(guest: Guest, called: Called) -> None:
    """Cancel in some way, and wait in the end."""
    registration = called.registration
    if registration is None:
        return  # a table that was stable
    way = guest.random.randrange(5)
    if way == 0:
        registration.cancel(wait=False)
    elif way == 1:
        with contextlib.suppress(TimeoutError):
            registration.cancel(timeout=guest.random.uniform(0, 0.02))
    elif way == 2:
        threads = [BackgroundCall(registration.cancel) for _ in range(2)]
        for thread in threads:
            thread.result()
    elif way == 3:
        with registration:
            pass
    netioapi.cancel_mib_change_notify2(registration)
    called.over = True
    assert not registration.active


def ask(guest: Guest) -> None:
    family = guest.random.choice(FAMILIES)
    for table in (
        netioapi.get_ip_forward_table2(family),
        netioapi.get_unicast_ip_address_table(family),
        netioapi.get_ip_interface_table(family),
    ):
        repr(list(table[:20]))
        len(bytes(memoryview(table)))
    netioapi.get_teredo_port()
    netioapi.get_network_connectivity_hint()


def registrations(guest: Guest) -> None:
    live: list[Called] = []
    while guest.pause(0.05):
        way = guest.random.random()
        if way < 0.5:
            if len(live) < MOST:
                register(guest, live)
        elif way < 0.9:
            if live:
                end(guest, live.pop(guest.random.randrange(len(live))))
        else:
            ask(guest)
    # A callback in flight may still register; none is once its own is cancelled.
    while live:
        end(guest, live.pop())
