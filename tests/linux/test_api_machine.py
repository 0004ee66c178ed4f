# SPDX-License-Identifier: MIT
"""Random programs of calls, made by hypothesis: register, cancel, change the network, read, fork
and drop references in any order; after each step every promise holds. NETIOAPI_SEED repeats a run,
NETIOAPI_STEPS makes it longer. Random arguments to every public callable: random_calls.py."""

from __future__ import annotations

import gc
import os
import socket
import threading
import warnings
from typing import Any

import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from hypothesis.stateful import run_state_machine_as_test as run_machine

import netioapi
from tests.linux.namespace import Namespace
from tests.support.paths import ROOT
from tests.support.processes import fork, python
from tests.support.resources import counts
from tests.support.waiting import eventually

from .model.follow import WatcherFollower

STEPS = int(os.environ.get("NETIOAPI_STEPS", "120"))
FAMILIES = st.sampled_from([socket.AF_UNSPEC, socket.AF_INET, socket.AF_INET6])
NOTIFY = [
    netioapi.notify_ip_interface_change,
    netioapi.notify_unicast_ip_address_change,
    netioapi.notify_route_change2,
]
TABLES = [
    netioapi.get_ip_interface_table,
    netioapi.get_unicast_ip_address_table,
    netioapi.get_ip_forward_table2,
]
MOVES = [
    "link set v0 down", "link set v0 up", "link set v0 mtu 1400", "link set v0 mtu 1500",
    *(f"address {how} 10.0.0.{n}/24 dev v0" for how in ("add", "delete") for n in (1, 2)),
    *(f"address {how} fd00::{n}/64 dev v0 nodad" for how in ("add", "delete") for n in (1, 2)),
    *(f"route {how} 172.16.{n}.0/24 dev v0" for how in ("replace", "delete") for n in range(3)),
    *(f"-6 route {how} fd01:{n}::/64 dev v0" for how in ("replace", "delete") for n in range(2)),
    "route replace 172.17.0.0/16 nexthop dev v0 weight 2 nexthop dev p0", "route flush proto boot",
]  # fmt: skip


class RandomCallback:
    """A callback that behaves in some manner, with the state of its registration."""

    def __init__(self, manner: str) -> None:
        self.manner, self.calls, self.cancelled = manner, 0, False
        self.late = 0
        self.registration: netioapi.Registration | None = None

    def __call__(self, *_: object) -> None:
        self.calls += 1
        self.late += self.cancelled
        if self.manner == "raises":
            raise LookupError
        if self.manner == "cancels itself" and self.registration is not None:
            self.registration.cancel(wait=False)
        if self.manner == "waits for itself" and self.registration is not None:
            with pytest.raises(netioapi.DeadlockError):
                self.registration.cancel()
        if self.manner == "registers":
            netioapi.notify_teredo_port_change(print).cancel()


def in_a_child(registrations: list[netioapi.Registration]) -> int:
    """Forks; the child uses what it inherited, and registers again. Returns its exit code."""
    child = fork()
    if child == 0:
        code = 1
        try:
            assert not any(one.active for one in registrations)
            for one in registrations:
                one.cancel()
            with (
                netioapi.notify_route_change2(print) as fresh,
                netioapi.Watcher("route") as watcher,
            ):
                assert fresh.active
                assert watcher.read(timeout=0) is None
            code = 0
        finally:
            os._exit(code)
    status: list[int] = []

    def ended() -> bool:
        pid, found = os.waitpid(child, os.WNOHANG)
        status.append(found)
        return pid == child

    try:
        eventually(ended, what="the child's end")
    except AssertionError:
        os.kill(child, 9)
        os.waitpid(child, 0)
        raise
    return os.waitstatus_to_exitcode(status[-1])


def active() -> int:
    """The number of live registrations, referenced or not."""
    every = [one for one in gc.get_objects() if isinstance(one, netioapi.Registration)]
    return sum(one.active for one in every)


class Program(RuleBasedStateMachine):
    network: Namespace  # set by the test

    @initialize()
    def begin(self) -> None:
        self.callbacks: list[RandomCallback] = []
        self.watchers: list[netioapi.Watcher] = []
        self.follower = WatcherFollower()

    @rule(
        notify=st.sampled_from(NOTIFY), family=FAMILIES, initial=st.booleans(),
        manner=st.sampled_from(
            ["plain", "plain", "raises", "cancels itself", "waits for itself", "registers"]
        ),
    )  # fmt: skip
    def register(self, notify: Any, family: int, initial: bool, manner: str) -> None:
        if len(self.callbacks) < 8:
            callback = RandomCallback(manner)
            callback.registration = notify(
                callback, family, initial_notification=initial, on_error=lambda _: None
            )
            self.callbacks.append(callback)

    @precondition(lambda self: self.callbacks)
    @rule(which=st.integers(0, 99), how=st.sampled_from(["wait", "timeout", "later", "thread"]))
    def cancel(self, which: int, how: str) -> None:
        callback = self.callbacks.pop(which % len(self.callbacks))
        registration = callback.registration
        assert registration is not None
        if how == "timeout":
            try:
                registration.cancel(0)
            except TimeoutError:
                pass
        elif how == "later":
            registration.cancel(wait=False)
        elif how == "thread":
            thread = threading.Thread(target=registration.cancel)
            thread.start()
            thread.join(10)
            assert not thread.is_alive()
        registration.cancel()
        callback.cancelled = True
        assert not registration.active
        assert callback.late == 0

    @rule(move=st.sampled_from(MOVES))
    def change(self, move: str) -> None:
        self.network.ip(move, check=False)

    @rule(
        kinds=st.lists(st.sampled_from(["route", "address", "interface"]), max_size=2, unique=True),
        family=FAMILIES,
        tables=st.sampled_from([None, ["main"], [254, 255], [77]]),
        prefixes=st.sampled_from([None, ["10.0.0.0/8"], ["::/0"], ["172.16.0.0/12", "fd00::/8"]]),
        match=st.sampled_from(["covered", "exact", "covering"]),
        snapshot=st.booleans(),
        settle=st.sampled_from([0.0, 0.01]),
        queue=st.sampled_from([1, 3, 1000]),
    )
    def watch(
        self, kinds: list[str], family: int, tables: Any, prefixes: Any, match: Any,
        snapshot: bool, settle: float, queue: int,
    ) -> None:  # fmt: skip
        if len(self.watchers) < 5:
            self.watchers.append(
                netioapi.Watcher(
                    *kinds, family=family, tables=tables, prefixes=prefixes, prefix_match=match,
                    snapshot=snapshot, settle=settle, queue=queue,
                )
            )  # fmt: skip

    @precondition(lambda self: self.watchers)
    @rule(which=st.integers(0, 99), timeout=st.sampled_from([0, 0.005]), most=st.integers(1, 9))
    def read(self, which: int, timeout: float, most: int) -> None:
        watcher = self.watchers[which % len(self.watchers)]
        batch = watcher.read(timeout=timeout, max_changes=most)
        if batch is not None:
            assert len(list(batch)) == len(batch)
            assert len(batch.routes) + len(batch.addresses) + len(batch.interfaces) == len(batch)
        stats = watcher.stats()
        assert stats["delivered"] <= stats["received"]

    @precondition(lambda self: self.watchers)
    @rule(which=st.integers(0, 99), stop=st.booleans(), drop=st.booleans())
    def end_watcher(self, which: int, stop: bool, drop: bool) -> None:
        watcher = self.watchers.pop(which % len(self.watchers))
        if stop:
            watcher.stop()
            for _ in watcher:
                pass
        if not drop:
            watcher.close()
        with warnings.catch_warnings(action="ignore", category=ResourceWarning):
            del watcher

    @rule(get=st.sampled_from(TABLES), family=FAMILIES, at=st.integers(-3, 3))
    def table(self, get: Any, family: int, at: int) -> None:
        table = get(family)
        rows = list(table)
        assert len(table) == len(rows)
        assert list(table[at:]) == rows[at:]
        assert memoryview(table).nbytes == sum(len(bytes(memoryview(table[n : n + 1])))
                                               for n in range(len(rows)))  # fmt: skip
        for row in rows[:3]:
            assert hash(row) == hash(rows[rows.index(row)])
            row._asdict(json=True)
        table.__arrow_c_schema__()

    @rule()
    def fork(self) -> None:
        assert in_a_child([one.registration for one in self.callbacks if one.registration]) == 0

    @rule()
    def let_go(self) -> None:
        """A registration stays live without any reference."""
        for callback in self.callbacks[:1]:
            if callback.manner == "plain" and callback.registration is not None:
                before = active()
                callback.registration = None
                gc.collect()
                assert active() == before
                self.callbacks.remove(callback)

    @rule()
    def arrive(self) -> None:
        """The state of the applied changes becomes the kernel's."""
        self.follower.settle()

    def teardown(self) -> None:
        if not hasattr(self, "follower"):
            return
        self.follower.settle()
        self.follower.close()
        for watcher in self.watchers:
            watcher.close()
        for one in gc.get_objects():
            if isinstance(one, netioapi.Registration):
                one.cancel()
        assert all(callback.late == 0 for callback in self.callbacks)


@pytest.mark.timeout(600)
def test_random_programs_of_calls_keep_every_promise(netns: Namespace, seed: int) -> None:
    netns.sysctl("ipv6.conf.default.accept_dad", 0)
    netns.veth()
    Program.network = netns
    with netioapi.Watcher("route"):
        pass
    gc.collect()
    before = counts()
    run_machine(
        hypothesis.seed(seed)(Program),
        settings=hypothesis.settings(
            max_examples=max(1, STEPS // 25),
            stateful_step_count=25,
            deadline=None,
            database=None,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
    gc.collect()
    # Fewer where an object of an earlier test was freed meanwhile.
    eventually(
        lambda: all(now <= then for now, then in zip(counts(), before, strict=True)),
        what=f"threads and descriptors as before: {before}",
    )


@pytest.mark.timeout(600)
def test_random_arguments_are_answered_or_raise_documented_errors(
    netns: Namespace, seed: int
) -> None:
    examples = STEPS * 8
    program = ROOT / "tests/linux/random_calls.py"
    python(program, str(seed), str(examples), marker=f"answered {examples}", timeout=500)
