# SPDX-License-Identifier: MIT
"""A flood of changes on Windows: like tests/linux/flood.py, by threads of the stand-in."""

from __future__ import annotations

from ipaddress import ip_address
from types import TracebackType

from tests.windows.dll import Setting, checked, configure, require_standin
from tests.windows.structures import AF_INET, FOR_EVER, Prefix, Route, Sockaddr

NET_MGMT = 3


class Flood:
    """`with Flood(index):` floods through the interface with that index, in this process and its
    children."""

    def __init__(
        self, index: int, *, pause: float = 0.005, routes: int = 100, threads: int = 1
    ) -> None:
        self._first = Route(
            InterfaceIndex=index,
            DestinationPrefix=Prefix(Sockaddr.of(ip_address("198.18.0.0")), 32),
            NextHop=Sockaddr.unspecified(AF_INET),
            ValidLifetime=FOR_EVER,
            PreferredLifetime=FOR_EVER,
            Metric=1,
            Protocol=NET_MGMT,
            Immortal=1,
        )
        self._pause_ms, self._routes, self._threads = round(pause * 1000), routes, threads

    def __enter__(self) -> Flood:
        configure(Setting.FLOOD_PAUSE_MS, self._pause_ms)
        checked("standin_flood", self._first, self._routes, 0, self._threads)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        require_standin().standin_flood_stop()
