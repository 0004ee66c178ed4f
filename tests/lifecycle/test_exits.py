# SPDX-License-Identifier: MIT
"""The interpreter exits under a flood, with live registrations and watchers, in each way
NETIOAPI_EXITS times. Checked are the exit code, a printed marker and the errors.

`NETIOAPI_EXITS=500 pytest tests/lifecycle/test_exits.py` is the long form. Exits of a busy program
run a third as often.
"""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.lifecycle.programs import LIVE
from tests.lifecycle.test_interpreters import several_interpreters
from tests.support.call_stack import TRACK_CALLS
from tests.support.platforms import WINDOWS, linux_only
from tests.support.processes import python
from tests.support.signals import BY_CTRL_C, signal_statement

TIMES = int(os.environ.get("NETIOAPI_EXITS", "60"))
FEW = 3
AT_ONCE = 4
LIMIT = 120 + 3 * TIMES

# Ctrl-C as soon as the main thread is in that function, or in one that it calls. A callback sends
# it, so that the test need not wait.
CTRL_C_IN = """
{is_in}
interrupted = threading.Event()
def ctrl_c(*_):
    if not interrupted.is_set() and is_in("%s"):
        interrupted.set()
        {interrupt}
interrupting = netioapi.notify_route_change2(ctrl_c)
# No such change, so it waits for ever.
nothing = netioapi.Watcher("route", prefixes=["203.0.113.7"])
""".replace("{interrupt}", signal_statement("SIGINT")).replace("{is_in}", TRACK_CALLS)
IN_READ, IN_SELECT = CTRL_C_IN % "read", CTRL_C_IN % "select"

STREAM = """
import asyncio
async def stream():
    async with netioapi.Watcher("route", snapshot=True) as watcher:
        async for batch in watcher:
            %s
"""

ENDS = {  # name: (program text, exit code, end of the one traceback on stderr)
    "return": ("", 0, ""),
    "sys.exit": ("sys.exit(3)", 3, ""),
    "exception": ("raise LookupError('the end')", 1, "LookupError: the end"),
    # On Windows os.kill() ends the process with this number as its exit code.
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); signal.pause()", 15 if WINDOWS else -15, ""),
    "SIGINT in read": (IN_READ + "nothing.read()", BY_CTRL_C, "KeyboardInterrupt"),
    "SIGINT in a loop": (
        IN_READ + "for batch in nothing:\n    print(batch)",
        BY_CTRL_C,
        "KeyboardInterrupt",
    ),
    "os._exit": ("os._exit(5)", 5, ""),
}

READERS = """
def read(watcher):
    while watcher.read() is not None:
        pass
def iterate(watcher):
    for batch in watcher:
        len(batch)
def look(watcher):
    while not watcher.stopped:
        watcher.read(timeout=0)
for work in (read, iterate, look):
    for one in (watcher, netioapi.Watcher("route"), netioapi.Watcher(settle=0.01)):
        threading.Thread(target=work, args=(one,), daemon=True).start()
"""

BUSY = {  # the same, for a program that is busy at its end
    "a callback": (
        """
inside = threading.Event()
def slow(*_):
    inside.set()
    end = time.monotonic() + 0.02
    while time.monotonic() < end:
        pass
slower = netioapi.notify_route_change2(slow)
assert inside.wait(20)
""",
        0,
        "",
    ),
    "a callback that registers": (
        """
made, first = [], threading.Event()
def register(*_):
    try:
        made.append(netioapi.notify_route_change2(seen))
        first.set()
    except RuntimeError as error:
        assert "exiting" in str(error)
registering = netioapi.notify_route_change2(register)
assert first.wait(20)
""",
        0,
        "",
    ),
    "cancels": (
        """
more = [netioapi.notify_route_change2(seen) for _ in range(9)]
for one in more[:3]:
    threading.Thread(target=one.cancel, daemon=True).start()
for one in more[3:6]:
    one.cancel(wait=False)
for one in more[6:]:
    threading.Thread(target=one.cancel).start()
""",
        0,
        "",
    ),
    "watchers that close": (
        """
def read(watcher):
    try:
        watcher.read()
    except ValueError as error:
        assert "closed" in str(error)  # closed before the read began
for _ in range(3):
    other = netioapi.Watcher(snapshot=True)
    threading.Thread(target=read, args=[other], daemon=True).start()
    threading.Thread(target=other.close, daemon=True).start()
""",
        0,
        "",
    ),
    "daemons that read": (READERS, 0, ""),
    "daemons that read, by sys.exit": (READERS + "sys.exit(3)", 3, ""),
    "asyncio, by sys.exit": (STREAM % "sys.exit(3)" + "asyncio.run(stream())", 3, ""),
    "asyncio, by an exception": (
        STREAM % "raise LookupError('the end')" + "asyncio.run(stream())",
        1,
        "LookupError: the end",
    ),
    "asyncio in a daemon": (
        STREAM % "busy.set()"
        + """
busy.clear()
threading.Thread(target=asyncio.run, args=(stream(),), daemon=True).start()
assert busy.wait(20)
""",
        0,
        "",
    ),
}


def check(how: str, code: int, error: str) -> None:
    done = python(LIVE + how, marker="busy", code=code, timeout=60)
    traceback = rf"Traceback \(most recent call last\):\n(?: .*\n)+{error}\n" if error else ""
    assert re.fullmatch(traceback, done.stderr), done.stderr


@pytest.fixture(
    params=[pytest.param(FEW, id="few"), pytest.param(TIMES, id="many", marks=pytest.mark.slow)]
)
def times(request: pytest.FixtureRequest) -> int:
    """How often a program is run."""
    count: int = request.param
    return count


def fewer(times: int) -> int:
    return max(times // 3, 1)


def check_all(how: str, code: int, error: str, times: int) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        try:
            for _ in pool.map(lambda _: check(how, code, error), range(times)):
                pass
        finally:
            pool.shutdown(cancel_futures=True)


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("end", ENDS)
def test_exit_under_a_flood_is_clean(flood: None, end: str, times: int) -> None:
    check_all(*ENDS[end], times)


@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("busy", BUSY)
def test_exit_of_a_busy_program_is_clean(flood: None, busy: str, times: int) -> None:
    check_all(*BUSY[busy], fewer(times))


@linux_only("event loops wait in another function")
@pytest.mark.timeout(LIMIT)
def test_ctrl_c_in_asyncio_ends_the_program_cleanly(flood: None, times: int) -> None:
    """asyncio cancels the task, and run() raises KeyboardInterrupt."""
    how = """
import asyncio
async def beat():  # select() of CPython misses a signal that arrives just before it
    while True:
        await asyncio.sleep(0.05)
async def stream():
    beating = asyncio.create_task(beat())
    async for batch in nothing:
        print(batch)
try:
    asyncio.run(stream())
except KeyboardInterrupt:
    sys.exit(6)
"""
    check_all(IN_SELECT + how, 6, "", fewer(times))


OTHER = """
import _interpreters, warnings
# CPython 3.14 and later warn of an interpreter that is left.
warnings.filterwarnings("ignore", "remaining subinterpreters", RuntimeWarning)
failure = _interpreters.exec(_interpreters.create("%s"), '''
import threading
import netioapi
called = threading.Event()
live = [netioapi.notify_route_change2(lambda *_: called.set()), netioapi.Watcher("route")]
assert called.wait(20)
''')
assert failure is None, failure
"""


@several_interpreters
@pytest.mark.timeout(LIMIT)
@pytest.mark.parametrize("kind", ["legacy", "isolated"])
def test_exit_with_a_live_subinterpreter_is_clean(flood: None, kind: str, times: int) -> None:
    """It is left over, with a registration and a watcher of its own."""
    check_all(OTHER % kind, 0, "", fewer(times))
