# SPDX-License-Identifier: MIT
"""A measured thing in Python: `python -m benchmarks.worker NAME NUMBERS...`.

Each says a line of JSON when it is ready and when it is done, and ends with its input.
"""

from __future__ import annotations

import importlib
import os
import sys

# Name -> (module, function), imported alone: memory is measured as well.
WORKERS = {
    "columns": ("streams", "columns"),
    "objects": ("streams", "objects"),
    "addresses": ("streams", "addresses"),
    "pyroute2": ("streams", "pyroute2"),
    "callbacks": ("callbacks", "idle"),
    "callbacks-busy": ("callbacks", "busy"),
    "follow": ("follow", "follow"),
    "dump-table": ("dumps", "table"),
    "dump-mirror": ("dumps", "mirror"),
    "dump-pyroute2": ("dumps", "pyroute2"),
    "latency-callback": ("latency", "callback"),
    "latency-watcher": ("latency", "watcher"),
    "idle-sync": ("idle", "sync"),
    "idle-async": ("idle", "asynchronous"),
}


def main() -> None:
    name, *arguments = sys.argv[1:]
    module, function = WORKERS[name]
    work = getattr(importlib.import_module(f"benchmarks.workers.{module}"), function)
    work(*map(int, arguments))
    while os.read(0, 100):  # it may be looked at until then
        pass


if __name__ == "__main__":
    main()
