# SPDX-License-Identifier: MIT
"""A process whose memory is exhausted: every call succeeds or raises, what was registered before
goes on, and the process lives. glibc ends a process that cannot allocate thread-local data at the
first use by a thread, so the extension has none."""

from __future__ import annotations

import struct
from pathlib import Path

from netioapi import _native
from tests.linux.namespace import Namespace
from tests.support.processes import python

STEPS = 250
PT_TLS = 7

# A new thread takes all memory, gives a little of it back, and uses the package.
PROGRAM = """
import array, ctypes, resource, subprocess, sys, threading
import netioapi

libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.malloc.argtypes = [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
unlimited = resource.getrlimit(resource.RLIMIT_AS)
held = array.array("Q", bytes(8 << 20))
alive = netioapi.Watcher("route")
made, seen = [], {}

def used():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()

def take_all():
    count = 0
    try:
        for size in (1 << 24, 1 << 20, 1 << 16, 4096, 256, 16):
            while pointer := libc.malloc(size):
                held[count] = pointer
                count += 1
    except MemoryError:
        pass
    return count

def give_back(count, left):
    while count > left:
        count -= 1
        libc.free(held[count])
    return count

def each_call():
    yield lambda: alive.read(0)
    yield lambda: made.append(netioapi.notify_route_change2(print, on_error=note))
    yield lambda: made[0].cancel(0)
    yield lambda: made.append(netioapi.Watcher("route", snapshot=True, queue=1000))
    yield lambda: made[-1].stats()
    yield lambda: made.append(netioapi.notify_ip_interface_change(note, initial_notification=True))
    yield lambda: netioapi.get_ip_forward_table2()
    yield lambda: netioapi.get_best_route2("127.0.0.1")

def note(*_):
    pass

def use():
    for call in each_call():
        try:
            call()
            name = "nothing"
        except (MemoryError, TimeoutError, netioapi.NetioError) as error:
            name = type(error).__name__
        except LookupError:
            continue  # nothing was made
        except AttributeError:
            continue  # another thing was made
        seen[name] = seen.get(name, 0) + 1

def run():
    count = 0
    begin.wait()
    resource.setrlimit(resource.RLIMIT_AS, (limit, unlimited[1]))
    try:
        count = take_all()
        count = give_back(count, max(0, count - step * step // 16))
        use()
    except MemoryError:
        pass  # of this program
    finally:
        give_back(count, 0)
        resource.setrlimit(resource.RLIMIT_AS, unlimited)

for step in range(int(sys.argv[1])):
    begin = threading.Event()
    thread = threading.Thread(target=run)
    thread.start()
    limit = used()
    begin.set()
    thread.join()
    while made:
        one = made.pop()
        (one.close if isinstance(one, netioapi.Watcher) else one.cancel)()
subprocess.run(["ip", "route", "add", "198.51.100.0/24", "dev", "lo"], check=True)
while not any("198.51.100.0" in str(change.row) for change in alive.read(60)):
    pass
assert set(seen) >= {"nothing", "MemoryError", "NetioError"}, seen
print("alive")
"""


def segment_types(library: Path) -> list[int]:
    """The types of the segments of an ELF file of this machine."""
    data = library.read_bytes()
    wide = data[4] == 2
    order = "<" if data[5] == 1 else ">"
    (start,) = struct.unpack_from(order + ("Q" if wide else "I"), data, 32 if wide else 28)
    size, count = struct.unpack_from(order + "HH", data, 54 if wide else 42)
    return [struct.unpack_from(order + "I", data, start + n * size)[0] for n in range(count)]


def test_extension_has_no_thread_local_storage() -> None:
    types = segment_types(Path(_native.__file__))
    assert 1 in types  # PT_LOAD: the headers were read
    assert PT_TLS not in types


def test_process_with_exhausted_memory_lives_and_its_watcher_goes_on(netns: Namespace) -> None:
    python(PROGRAM, str(STEPS), marker="alive")
