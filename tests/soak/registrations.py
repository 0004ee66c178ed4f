# SPDX-License-Identifier: MIT
"""Registrations of every Notify* function, with callbacks of every kind, cancelled in every way."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any

import netioapi
from netioapi import DeadlockError, Registration
from tests.support.background import BackgroundCall

from .counters import Activity, Planned

MOST = 12
FAMILIES = (socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6)


class RandomCallback:
    """A callback that reports calls that must not happen."""

    def __init__(self, activity: Activity, live: list[RandomCallback]) -> None:
        self._activity, self._live = activity, live
        self._way = activity.random.choice(
            [
                self.look,
                self.look,
                self.fail,
                self.be_slow,
                self.cancel_itself,
                self.end_another,
                self.more,
            ]
        )
        self._inside = threading.Lock()
        self.over = False
        self.registration: Registration | None = None

    def __call__(self, *arguments: Any) -> None:
        if self.over:
            self._activity.counters.fail(
                self._activity.name, f"called after its cancel: {arguments}"
            )
        if not self._inside.acquire(blocking=False):
            self._activity.counters.fail(self._activity.name, "called twice at once")
        try:
            self._activity.counters.add("changes")
            self._way(*arguments)
        finally:
            self._inside.release()

    def failed(self, error: BaseException) -> None:
        if isinstance(error, Planned):
            self._activity.counters.add("raised")
        else:
            self._activity.counters.fail(self._activity.name, f"a callback raised {error!r}")

    # ---- ways ---------------------------------------------------------------
    def look(self, *arguments: Any) -> None:
        repr(arguments)

    def fail(self, *arguments: Any) -> None:
        raise Planned

    def be_slow(self, *arguments: Any) -> None:
        self._activity.pause(0.05)

    def cancel_itself(self, *arguments: Any) -> None:
        if self.registration is None:
            return
        try:
            self.registration.cancel()
        except DeadlockError:
            self.registration.cancel(wait=False)
        else:
            self._activity.counters.fail(self._activity.name, "cancelled itself and waited")

    def end_another(self, *arguments: Any) -> None:
        for other in self._live[:1]:
            if other.registration is not None:
                with contextlib.suppress(TimeoutError, DeadlockError):
                    other.registration.cancel(timeout=0.01)

    def more(self, *arguments: Any) -> None:
        if len(self._live) < 2 * MOST:
            register(self._activity, self._live)


def register(activity: Activity, live: list[RandomCallback]) -> None:
    called, chance = RandomCallback(activity, live), activity.random
    family = chance.choice(FAMILIES)
    more: dict[str, Any] = {"on_error": called.failed if activity.chance(0.8) else None}
    name = chance.choice(NAMES)
    if name == "notify_stable_unicast_ip_address_table":
        _, called.registration = netioapi.notify_stable_unicast_ip_address_table(
            called, family, **more
        )
    else:
        more["initial_notification"] = activity.chance(0.5)
        if name in WITH_FAMILY:
            more |= {"family": family, "details": activity.chance(0.5)}
        called.registration = getattr(netioapi, name)(called, **more)
    activity.counters.add("registrations")
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


def end(activity: Activity, called: RandomCallback) -> None:
    """Cancels in some way, and waits in the end."""
    registration = called.registration
    if registration is None:
        return  # the table was stable at once
    way = activity.random.randrange(5)
    if way == 0:
        registration.cancel(wait=False)
    elif way == 1:
        with contextlib.suppress(TimeoutError):
            registration.cancel(timeout=activity.random.uniform(0, 0.02))
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


def ask(activity: Activity) -> None:
    family = activity.random.choice(FAMILIES)
    for table in (
        netioapi.get_ip_forward_table2(family),
        netioapi.get_unicast_ip_address_table(family),
        netioapi.get_ip_interface_table(family),
    ):
        repr(list(table[:20]))
        len(bytes(memoryview(table)))
    netioapi.get_teredo_port()
    netioapi.get_network_connectivity_hint()


def registrations(activity: Activity) -> None:
    live: list[RandomCallback] = []
    while activity.pause(0.05):
        way = activity.random.random()
        if way < 0.5:
            if len(live) < MOST:
                register(activity, live)
        elif way < 0.9:
            if live:
                end(activity, live.pop(activity.random.randrange(len(live))))
        else:
            ask(activity)
    # A running callback may still register; none runs once its own registration is cancelled.
    while live:
        end(activity, live.pop())
