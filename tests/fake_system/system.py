# SPDX-License-Identifier: MIT
"""The fake system of tower.c as the checks use it: its settings and functions, through ctypes."""

from __future__ import annotations

import ctypes
import gc
from typing import Any

import netioapi
from netioapi import NotificationType, Registration

ADD, INITIAL = NotificationType.ADD, NotificationType.INITIAL
# The settings, in the order of settings.h.
SYNCHRONOUS, FAIL_CANCEL, NULL_HANDLE, REFUSE, STABLE_NOW, LATE, NO_THREADS, NO_EVENTS = range(8)
BATCHES, HOLD_DELETE, NO_INITIAL = 8, 9, 10
system = ctypes.CDLL(netioapi._native.__file__)
notify: Any = netioapi.notify_route_change2
# The functions whose callbacks get a type.
WITH_TYPE: list[Any] = [
    netioapi.notify_ip_interface_change,
    netioapi.notify_unicast_ip_address_change,
    netioapi.notify_route_change2,
    netioapi.notify_teredo_port_change,
]


def raises(kind: type[BaseException], function: Any, *arguments: Any, **named: Any) -> Any:
    try:
        function(*arguments, **named)
    except kind as error:
        return error
    raise AssertionError(f"no {kind.__name__}")


def registrations() -> list[Registration]:
    return [o for o in gc.get_objects() if type(o) is Registration]
