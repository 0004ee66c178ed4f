# SPDX-License-Identifier: MIT
"""A Watcher in a process of its own, which can be stopped: what happens meanwhile reaches it at
once, as one batch of messages, or overflows a small buffer."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.support.paths import ROOT

PROGRAM = """
import json, sys, time
from netioapi import Watcher
from tests.support.changes import apply, tables

def told(change):
    row = change.row
    what = {"route": "destination_prefix", "address": "address", "interface": "family"}[change.kind]
    value = getattr(row, what)
    return [change.kind, change.type.name, str(value), row.interface_name, row.interface_index,
            row.interface_luid, change.synthesized]

parameters = json.loads(sys.argv[1])
with Watcher(snapshot=True, **parameters) as watcher:
    state, seen = {}, []
    for line in sys.stdin:
        names, deadline = json.loads(line), time.monotonic() + 60
        def expected():
            return {key: row for key, row in tables().items()
                    if names is None or row.interface_name in names}
        while True:
            batch = watcher.read(timeout=0.05)
            if batch is not None:
                apply(state, batch)
                seen += map(told, batch)
            elif state.keys() == expected().keys():
                break
            assert time.monotonic() < deadline, (state.keys() ^ expected().keys(), seen)
        print(json.dumps([seen, watcher.stats()["overflows"]]), flush=True)
        seen = []
"""


class Seen(NamedTuple):
    kind: str
    type: str
    what: str  # the prefix, the address or the family
    name: str | None
    index: int
    luid: int
    synthesized: bool


class StoppedWatcher:
    """`settled()` returns the changes since the last call, once the state is the kernel's."""

    def __init__(self, **parameters: Any) -> None:
        self.overflows = 0
        self._process = subprocess.Popen(
            [sys.executable, "-X", "faulthandler", "-c", PROGRAM, json.dumps(parameters)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )

    def __enter__(self) -> StoppedWatcher:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.communicate()

    @contextlib.contextmanager
    def stopped(self) -> Iterator[None]:
        self._process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)
        yield
        self._process.send_signal(signal.SIGCONT)

    def settled(self, names: list[str] | None = None) -> list[Seen]:
        """`names`: the state is that of these links alone."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(names) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the watching process has ended"
        seen, self.overflows = json.loads(line)
        return [Seen(*one) for one in seen]
