# SPDX-License-Identifier: MIT
"""The Linux end of the bridge, a program: it runs `ip` for a test on Windows CPython under Wine and
reports the changes of the kernel, as JSON lines over loopback. tools/windows/suite -b starts
it, in a network namespace that it shares with Wine. Prints its port.

    {"ip": "route add ..."}   ->   {"code": 0, "out": "...", "error": ""}
    changes of the kernel:         {"kind": "route", "type": 1, ...}
"""

from __future__ import annotations

import json
import shlex
import socket
import subprocess
import sys
import threading
from typing import Any

import netioapi


def record(change: netioapi.Change) -> dict[str, Any]:
    """The values that the stand-in needs for a row of its own."""
    row: Any = change.row
    said = {
        "kind": change.kind,
        "type": int(change.type),
        "index": row.interface_index,
        "name": row.interface_name,
    }
    if change.kind == "route":
        said["prefix"] = str(row.destination_prefix)
        said["next_hop"] = str(row.next_hop)
        said["metric"] = row.metric
        said["protocol"] = int(row.protocol)
    elif change.kind == "address":
        said["address"] = f"{row.address}/{row.on_link_prefix_length}"
        said["dad_state"] = int(row.dad_state)
    else:
        said["version"] = 6 if row.family == socket.AF_INET6 else 4
        said["mtu"] = row.nl_mtu
        said["connected"] = row.connected
    return said


class Client:
    """The connection of one test: a Watcher for it, and its commands, until it closes."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._lock = threading.Lock()
        self._watcher = netioapi.Watcher(snapshot=True, tables=["main"])

    def serve(self) -> None:
        reporter = threading.Thread(target=self._report)
        reporter.start()
        try:
            for line in self._socket.makefile("r", encoding="utf-8"):
                self._send(self._run(json.loads(line)["ip"]))
        finally:
            self._watcher.stop()
            reporter.join()
            self._watcher.close()

    def _send(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def _report(self) -> None:
        for batch in self._watcher:
            for change in batch:
                self._send(record(change))
            if batch.synced:
                self._send({"kind": "synced"})

    def _run(self, line: str) -> dict[str, Any]:
        done = subprocess.run(["ip", *shlex.split(line)], capture_output=True, text=True)
        return {"code": done.returncode, "out": done.stdout, "error": done.stderr}


def main() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                try:
                    Client(connection).serve()
                except OSError as error:  # the test was killed
                    print(f"bridge: {error}", file=sys.stderr)


if __name__ == "__main__":
    main()
