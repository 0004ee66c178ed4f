# SPDX-License-Identifier: MIT
"""Threads use everything at once, their own and shared objects, under a flood: with the GIL and
without."""

from __future__ import annotations

import sysconfig

import pytest

from tests.support.network import Flood, Network
from tests.support.paths import ROOT
from tests.support.processes import python

PROGRAM = """
import gc, random, socket, sys, threading, warnings
sys.path.insert(0, sys.argv[3])
import netioapi
from netioapi import Watcher
from tests.support.resources import counts
from tests.support.waiting import eventually

warnings.simplefilter("ignore", ResourceWarning)  # some watchers are dropped open on purpose
THREADS, STEPS = 8, int(sys.argv[2])
sys.setswitchinterval(1e-5)
registrations, watchers, tables, batches, failures = [], [], [], [], []

def pick(random, shared, *, out=False):
    # None where another thread took it first.
    try:
        at = random.randrange(len(shared))
        return shared.pop(at) if out else shared[at]
    except (ValueError, IndexError):
        return None

def keep(shared, thing):
    shared.append(thing)
    while len(shared) > 12:
        shared.pop(0)  # perhaps the last reference

def called(*_):
    try:
        if len(registrations) > 8:
            registrations.pop(0).cancel(wait=False)
    except IndexError:
        pass

def register(random):
    notify = random.choice([
        netioapi.notify_route_change2, netioapi.notify_unicast_ip_address_change,
        netioapi.notify_ip_interface_change, netioapi.notify_teredo_port_change,
    ])
    registrations.append(notify(called, initial_notification=random.random() < 0.5,
                                on_error=failures.append))

def cancel(random):
    registration = pick(random, registrations, out=random.random() < 0.7)
    if registration is not None:
        repr(registration), registration.delivered, registration.active, registration.errors
        registration.cancel(wait=random.random() < 0.7)
        assert not registration.active

def watch(random):
    keep(watchers, Watcher(snapshot=True, settle=random.choice([0.0, 0.0, 0.001]),
                           queue=random.choice([10, 1_000_000])))

def read(random):
    watcher = pick(random, watchers)
    if watcher is None:
        return
    try:
        batch = watcher.read(timeout=random.choice([0, 0.01]),
                             max_changes=random.choice([None, 1, 100]))
    except ValueError as error:
        assert "closed" in str(error), error
        return
    except RuntimeError as error:  # another thread reads the same settled Watcher
        assert "one reader at a time" in str(error), error
        return
    watcher.stats(), repr(watcher), watcher.stopped
    if batch is not None:
        keep(batches, batch)

def end(random):
    watcher = pick(random, watchers, out=random.random() < 0.5)
    if watcher is not None:
        random.choice([watcher.stop, watcher.close, watcher.close])()

def look(random):
    batch = pick(random, batches)
    if batch is None:
        return
    assert len(batch.routes) + len(batch.addresses) + len(batch.interfaces) == len(batch)
    for change in batch[:20]:
        assert change.row is change.row
        assert change == change and hash(change) == hash(change)
        repr(change), change.row._asdict(json=True)

def table(random):
    get = random.choice([netioapi.get_ip_forward_table2, netioapi.get_ip_interface_table,
                         netioapi.get_unicast_ip_address_table])
    keep(tables, get(random.choice([socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6])))

def share(random):
    shared = pick(random, tables)
    if shared is None:
        return
    with memoryview(shared) as view:
        assert len(view) == len(shared)
    shared.__arrow_c_array__(), shared.__arrow_c_stream__(), shared == shared[:]
    for row in shared[:20]:
        assert row in shared and hash(row) == hash(row)
        repr(row), row.interface_name

ACTIONS = [register, cancel, watch, read, read, end, look, look, table, share]

def work(number):
    own = random.Random(f"{sys.argv[1]} {number}")
    try:
        ready.wait()
        for _ in range(STEPS):
            own.choice(ACTIONS)(own)
    except BaseException as error:
        failures.append(error)
        raise

netioapi.notify_route_change2(called).cancel()
before = counts()
ready = threading.Barrier(THREADS)
threads = [threading.Thread(target=work, args=[number]) for number in range(THREADS)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
assert not failures, failures
while registrations:
    registrations.pop().cancel()
for kept in (watchers, tables, batches):
    kept.clear()
gc.collect()
eventually(lambda: counts() == before, what=f"{counts()} are not {before}")
print("together", flush=True)
"""


def test_threads_that_share_all_objects_leave_nothing(netns: Network, seed: int) -> None:
    with Flood(netns.veth()):
        done = python(PROGRAM, str(seed), "150", str(ROOT), marker="together", timeout=200)
    assert done.stderr == ""


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this Python has a GIL")
def test_import_leaves_the_gil_off() -> None:
    program = """
import sys, warnings
warnings.simplefilter("error")
import netioapi
assert not sys._is_gil_enabled()
print("off")
"""
    assert python(program, marker="off", env={"PYTHON_GIL": ""}).stderr == ""
