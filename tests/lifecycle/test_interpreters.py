# SPDX-License-Identifier: MIT
"""Several interpreters in one process, each with its own registrations, ended in any order."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from tests.support.processes import python

PROGRAM = """
import sys, threading, warnings
import _interpreters
import netioapi

# CPython 3.14 and later warn of an interpreter that is left.
warnings.filterwarnings("ignore", "remaining subinterpreters", RuntimeWarning)
kind = sys.argv[1]
LIFE = '''
import threading
import netioapi

busy, errors, count = threading.Event(), [], 0

def seen(*_):
    global count
    count += 1
    if count == 20:
        busy.set()

live = [
    netioapi.notify_route_change2(seen, initial_notification=True, on_error=errors.append),
    netioapi.notify_ip_interface_change(seen, on_error=errors.append),
]
watcher = netioapi.Watcher("route", snapshot=True)
assert busy.wait(20), count
assert watcher.read(timeout=20) is not None
for _ in range(10):
    netioapi.notify_route_change2(seen).cancel()
live.pop(1).cancel()
assert not errors, errors
'''

def life(interpreter):
    failure = _interpreters.exec(interpreter, LIFE)
    assert failure is None, failure

def lives():
    for _ in range(4):
        interpreter = _interpreters.create(kind)
        life(interpreter)
        _interpreters.destroy(interpreter)  # with a live registration and a live watcher
    ended.append(True)

ended = []
registration = netioapi.notify_route_change2(lambda *_: None)
threads = [threading.Thread(target=lives) for _ in range(3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert ended == [True] * 3
assert registration.active and registration.delivered
life(_interpreters.create(kind))  # left at exit
print("ended", flush=True)
"""


several_interpreters = pytest.mark.skipif(
    sys.version_info < (3, 13) or importlib.util.find_spec("_interpreters") is None,
    reason="needs interpreters, and 3.13, which ends them in the right order",
)


@several_interpreters
@pytest.mark.parametrize("kind", ["legacy", "isolated"])
def test_each_interpreter_has_its_own_registrations(flood: None, kind: str) -> None:
    assert python(PROGRAM, kind, marker="ended").stderr == ""


@pytest.mark.skipif(sys.version_info[:2] != (3, 12), reason="3.12 alone checks this")
def test_isolated_interpreter_of_3_12_is_refused() -> None:
    program = """
import _xxsubinterpreters as interpreters
try:
    interpreters.run_string(interpreters.create(isolated=True), "import netioapi")
except interpreters.RunFailedError as error:
    assert "does not support loading in subinterpreters" in str(error), error
    print("refused")
"""
    python(program, marker="refused")


IN_TURN = """
import sys
import _interpreters
import netioapi

kind, first = sys.argv[1], int(sys.argv[2])
BEGIN = '''
import threading
import netioapi

errors, called = [], threading.Event()
registration = netioapi.notify_route_change2(lambda *_: called.set(), on_error=errors.append)
watcher = netioapi.Watcher("route")
'''
GO_ON = '''
called.clear()
assert called.wait(20)
assert watcher.read(timeout=20) is not None
assert registration.active and not errors, errors
'''
CLOSE = '''
registration.cancel()
watcher.close()
'''

def run(interpreter, program):
    failure = _interpreters.exec(interpreter, program)
    assert failure is None, failure

both = [_interpreters.create(kind) for _ in range(2)]
for interpreter in both:
    run(interpreter, BEGIN + GO_ON)
ended, stays = both[first], both[1 - first]
if sys.argv[3] == "cancelled":
    run(ended, CLOSE)
_interpreters.destroy(ended)
run(stays, GO_ON)
run(stays, CLOSE)
_interpreters.destroy(stays)
print("ended", flush=True)
"""


@several_interpreters
@pytest.mark.parametrize("kind", ["legacy", "isolated"])
@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("how", ["cancelled", "left"])
def test_two_interpreters_end_in_either_order(flood: None, kind: str, first: int, how: str) -> None:
    assert python(IN_TURN, kind, str(first), how, marker="ended").stderr == ""
