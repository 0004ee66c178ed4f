# SPDX-License-Identifier: MIT
"""The protocol between a measured program and the process that measures it."""

from __future__ import annotations

import importlib
import json
import os
import socket
import time
from typing import Any

FAMILIES = {4: socket.AF_INET, 6: socket.AF_INET6}
ROUTE_GROUPS = {4: 0x40, 6: 0x400}  # RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE
PREFIX_LENGTHS = {4: 24, 6: 48}  # of the routes that are added


def report(event: str, **facts: Any) -> None:
    os.write(1, json.dumps({"event": event, **facts}).encode() + b"\n")


def report_done(**facts: Any) -> None:
    """The last event arrived just now. Returns when this process has been looked at."""
    now = {"cpu_ns": time.process_time_ns(), "now_ns": time.monotonic_ns()}
    report("done", **now | facts)
    os.read(0, 100)


def pyroute2() -> Any:
    """The module, which may be missing."""
    try:
        return importlib.import_module("pyroute2")
    except ImportError:
        report("unavailable", reason="pyroute2 is not installed: pip install '.[bench]'")
        raise SystemExit(0) from None
