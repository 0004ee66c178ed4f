# SPDX-License-Identifier: MIT
"""A forked child: registrations of the parent are dead there, and new ones live."""

from __future__ import annotations

import pytest

from tests.lifecycle.programs import LIVE, run_all
from tests.support.network import Network
from tests.support.platforms import linux_only
from tests.support.processes import python

pytestmark = linux_only("there is no fork()")

QUIET = (
    "import warnings\nwarnings.simplefilter('ignore', DeprecationWarning)  # fork with threads\n"
)

FORK = """
for number in range(25):
    pid = os.fork()
    if pid == 0:
        before = count
        assert not any(registration.active for registration in live[:-1])
        for registration in live[:-1]:
            registration.cancel()
            registration.cancel(0)
            registration.cancel(wait=False)
            netioapi.cancel_mib_change_notify2(registration)
        %s
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert status == %d, status
assert all(registration.active for registration in live[:-1])
busy.clear()
numbers = itertools.count(1)
assert busy.wait(20)  # the parent still gets callbacks
"""


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("child", "code"),
    [
        ("sys.exit(7)", 7),
        ("os._exit(8)", 8),
        ("raise LookupError('the end')", 1),
        ("os.execv('/bin/sh', ['sh', '-c', 'exit 9'])", 9),
        ("os.kill(os.getpid(), signal.SIGTERM)", -15),
    ],
    ids=["sys.exit", "os._exit", "exception", "exec", "SIGTERM"],
)
def test_forked_child_has_dead_registrations_and_ends_cleanly(
    flood: None, child: str, code: int
) -> None:
    errors = "the end" if "LookupError" in child else ""
    run_all(4, QUIET + LIVE + FORK % (child, code), 0, errors)


CHILD_REGISTERS = """
assert count == before
mine = threading.Event()
registration = netioapi.notify_route_change2(lambda *_: mine.set())
netioapi.notify_ip_interface_change(seen)
assert mine.wait(20) and registration.active
if number % 2:
    registration.cancel()
assert not any(registration.active for registration in live[:-1])
sys.exit(6)
"""


@pytest.mark.timeout(300)
def test_forked_child_may_register_again(flood: None) -> None:
    child = CHILD_REGISTERS.strip().replace("\n", "\n        ")
    run_all(4, QUIET + LIVE + FORK % (child, 6), 0, "")


MULTIPROCESSING = """
import multiprocessing
def work(queue):
    assert not any(registration.active for registration in live[:-1])
    mine = threading.Event()
    with netioapi.notify_route_change2(lambda *_: mine.set()):
        assert mine.wait(20)
    netioapi.notify_route_change2(seen)
    queue.put("done")
context = multiprocessing.get_context("fork")
for _ in range(25):
    queue = context.SimpleQueue()
    process = context.Process(target=work, args=(queue,))
    process.start()
    assert queue.get() == "done"
    process.join()
    assert process.exitcode == 0
assert all(registration.active for registration in live[:-1])
"""


@pytest.mark.timeout(300)
def test_multiprocessing_child_may_register_again(flood: None) -> None:
    run_all(4, QUIET + LIVE + MULTIPROCESSING, 0, "")


def test_fork_during_register_and_cancel_leaves_no_lock_held(flood: None) -> None:
    """No lock is left held in the child, whatever other threads were doing."""
    program = """
end = False
def churn():
    while not end:
        netioapi.notify_route_change2(seen).cancel()
        netioapi.notify_route_change2(seen).cancel(wait=False)
threads = [threading.Thread(target=churn) for _ in range(4)]
for thread in threads:
    thread.start()
for _ in range(50):
    pid = os.fork()
    if pid == 0:
        mine = threading.Event()
        with netioapi.notify_route_change2(lambda *_: mine.set(), initial_notification=True):
            assert mine.wait(20)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
end = True
for thread in threads:
    thread.join()
"""
    run_all(2, QUIET + LIVE + program, 0, "")


def test_callback_that_forks_returns_in_parent_and_child(flood: None) -> None:
    """The callback returns in both processes. The child ends with it: its one thread belongs to the
    system."""
    program = """
pids, child = [], False
def forks(row, type):
    global child
    if child:
        os._exit(13)  # a callback in the child
    if "registration" not in globals():
        return  # called before the name is bound
    if len(pids) < 10:
        pid = os.fork()
        pids.append(pid)
        if pid == 0:
            child = True
            assert not registration.active
            registration.cancel()  # no deadlock: no callback runs in the child
            if len(pids) % 2:
                os._exit(11)
def failed(error):
    print(repr(error), flush=True)
    os._exit(12)
registration = netioapi.notify_route_change2(forks, on_error=failed)
while len(pids) < 10:
    time.sleep(0.001)
codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
assert codes == [11, 0] * 5, codes
assert registration.active
before = registration.delivered
while registration.delivered < before + 10:
    time.sleep(0.001)
"""
    run_all(2, QUIET + LIVE + program, 0, "")


def test_forked_child_takes_no_event_of_its_parent(netns: Network) -> None:
    """While the child lives, the parent sees every change."""
    netns.veth()
    program = """
import os, subprocess, sys, threading
import netioapi

done, seen = threading.Event(), []
def look(row, type):
    if type != netioapi.NotificationType.ADD:
        return
    seen.append(str(row.destination_prefix))
    if seen[-1] == "198.18.9.9/32":
        done.set()
registration = netioapi.notify_route_change2(look, 2)
read, write = os.pipe()
pid = os.fork()
if pid == 0:
    os.close(write)
    os.read(read, 1)  # until the parent has seen all changes
    os._exit(len(seen))
lines = [f"route add 198.18.0.{number} dev v0" for number in range(200)]
lines.append("route add 198.18.9.9 dev v0")
subprocess.run(["ip", "-batch", "-"], input="\\n".join(lines), text=True, check=True)
assert done.wait(20)
assert seen == [f"198.18.0.{number}/32" for number in range(200)] + ["198.18.9.9/32"], seen
os.close(write)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
print("saw all", flush=True)
"""
    python(QUIET + program, marker="saw all")


def test_executed_program_inherits_no_descriptor(netns: Network) -> None:
    program = """
import os, subprocess
import netioapi
def listing():
    return subprocess.run(["ls", "/proc/self/fd"], close_fds=False, stdout=-1, text=True).stdout
before = listing()
netioapi.notify_route_change2(print)
netioapi.notify_ip_interface_change(print).cancel(wait=False)
with netioapi.Watcher():
    assert listing() == before, listing()
print("nothing", flush=True)
"""
    python(program, marker="nothing")


CLOSERS = """
import netioapi, os, re, threading
ended = threading.Event()
watchers = [netioapi.Watcher() for _ in range(3)]
def open_and_close(place):
    while not ended.is_set():
        watchers[place].close()
        watchers[place] = netioapi.Watcher("route")
threads = [threading.Thread(target=open_and_close, args=(place,)) for place in range(3)]
def groups():
    # of the open netlink sockets of this process
    with open("/proc/net/netlink") as table:
        joined = {line.split()[-1] for line in list(table)[1:] if int(line.split()[3], 16)}
    for name in os.listdir("/proc/self/fd"):
        try:
            inode = re.match(r"socket:\\[(\\d+)\\]", os.readlink(f"/proc/self/fd/{name}"))
        except FileNotFoundError:
            continue
        if inode and inode[1] in joined:
            yield inode[1]
for thread in threads:
    thread.start()
for _ in range(100):
    pid = os.fork()
    if pid == 0:
        for watcher in watchers:
            watcher.close()  # another thread may have been closing it
        os._exit(len(list(groups())))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
ended.set()
for thread in threads:
    thread.join()
for watcher in watchers:
    watcher.close()
print("closed", flush=True)
"""


def test_fork_during_open_and_close_leaves_no_socket_in_the_child(netns: Network) -> None:
    """The child can close a Watcher that another thread was closing, and has no socket in a netlink
    group."""
    python(QUIET + CLOSERS, marker="closed", timeout=60)


def test_read_in_the_child_of_a_forking_signal_handler_raises(netns: Network) -> None:
    """read() raises in the child, and goes on in the parent."""
    program = """
import netioapi, os, signal, threading
parent = os.getpid()
def handler(number, frame):
    global child
    child = os.fork()
signal.signal(signal.SIGUSR1, handler)
watcher = netioapi.Watcher("route")
threading.Timer(0.2, os.kill, [parent, signal.SIGUSR1]).start()
try:
    assert watcher.read(timeout=2) is None
except RuntimeError as error:
    os._exit(7 if "fork" in str(error) and os.getpid() != parent else 8)
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
watcher.close()
print("raised", flush=True)
"""
    python(QUIET + program, marker="raised")


FORK_IN_A_SHARED_THREAD = """
import os, socket, threading
import netioapi

def events():
    links = []
    for name in os.listdir("/proc/self/fd"):
        try:
            links.append(os.readlink(f"/proc/self/fd/{name}"))
        except OSError:
            pass  # that of the listing itself
    return sum("eventfd" in link for link in links)

ended, called = threading.Event(), threading.Barrier(6)

def fork(*_):
    pid = os.fork()
    if pid == 0:
        os._exit(events())
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    ended.set()
    called.wait(50)

before = events()
live = [netioapi.notify_route_change2(fork, socket.AF_INET)]
meet = lambda *_: called.wait(50)
live += [netioapi.notify_route_change2(meet, socket.AF_INET) for _ in range(4)]
assert events() > before == 0
change(1)
assert ended.wait(50)
called.wait(50)  # the others are called, in the parent
for registration in live:
    registration.cancel()
assert events() == before
"""


def test_fork_in_a_callback_leaves_no_descriptor_of_the_shared_threads_in_the_child(
    netns: Network,
) -> None:
    netns.veth()
    change = "import subprocess\n" + (
        "def change(n): subprocess.run(['ip', 'route', 'add', f'198.18.{n}.0/24', 'dev', 'v0'],"
        " check=True)\n"
    )
    python(QUIET + change + FORK_IN_A_SHARED_THREAD)
