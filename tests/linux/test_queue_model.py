# SPDX-License-Identifier: MIT
"""The queue of changes compared with a model of it in Python: random sequences, tiny bounds.

The model is a list, with the rules of csrc/base/queue.h and change.h. tests/c/queue_model_test.c
walks much longer, with a model of its own.
"""

from __future__ import annotations

import ctypes
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import strategies as st

from .library import check, library
from .test_c import POSIX, QUEUE

PARAMETER, ADD, DELETE, INITIAL, NOTHING = range(5)
SNAPSHOT, SYNTHESIZED, OVERFLOW, SYNCED = 1, 2, 4, 8
MARK, WITHOUT_IDENTITY = 0xFF, 9


class NativeChange(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint32) for name in ("kind", "type", "flags", "key", "value", "size")
    ]


class NativeStatistics(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint64)
        for name in ("put", "taken", "coalesced", "lost", "high_water", "queued")
    ]


@dataclass(frozen=True)
class Change:
    kind: int
    type: int = 0
    flags: int = 0
    key: int = 0
    value: int = 0
    size: int = 0

    @property
    def is_mark(self) -> bool:
        return self.kind == MARK

    @property
    def identity(self) -> tuple[int, int] | None:
        """The thing that this is a state of; None for a change that is never merged."""
        if self.is_mark or self.size == 0 or self.type == INITIAL:
            return None
        return self.kind, 0 if self.kind == WITHOUT_IDENTITY else self.key


@dataclass(eq=False)
class Record:
    """A queued change, the type that it was first put with, and whether it is in a stack."""

    change: Change
    first: int
    in_stack: bool = False

    @property
    def is_unseen_delete(self) -> bool:
        ended = self.change.type in (DELETE, NOTHING)
        return not self.change.is_mark and self.first == ADD and ended


class Model:
    def __init__(self, bound: int, delivers_unseen: bool) -> None:
        self.bound = bound
        self.delivers_unseen = delivers_unseen
        self.records: list[Record] = []
        # By kind: the deletes of keys that the taker has not seen. A new key replaces one of them.
        self.unseen: defaultdict[int, list[Record]] = defaultdict(list)
        self.counts: Counter[str] = Counter()

    @property
    def queued(self) -> list[Change]:
        return [record.change for record in self.records]

    @property
    def delivered(self) -> list[Change]:
        """What a take of everything would return."""
        return [change for change in self.queued if change.type != NOTHING]

    def put(self, change: Change) -> None:
        if change.is_mark:
            self._mark(change)
            return
        self.counts["put"] += 1
        if len(self.records) >= self.bound and change.identity is not None:
            for record in reversed(self.records):
                if record.change.identity == change.identity:
                    if record.change.size != change.size:
                        break
                    record.change = self._merged(record, change)
                    self._push_unseen_delete(record)
                    if not self.delivered:
                        self.records.clear()
                    self._note_high_water()
                    return
            else:
                if (place := self._take_unseen_delete(change)) is not None:
                    place.change, place.first = change, change.type
                    self._note_high_water()
                    return
        self._append(change)

    def _merged(self, record: Record, new: Change) -> Change:
        if new.type == DELETE:
            came_and_went = record.first == ADD and not self.delivers_unseen
            return replace(new, type=NOTHING) if came_and_went else new
        flags = new.flags | (record.change.flags & SNAPSHOT)
        return replace(new, type=ADD if record.first == ADD else PARAMETER, flags=flags)

    def _push_unseen_delete(self, record: Record) -> None:
        if record.is_unseen_delete and not record.in_stack:
            record.in_stack = True
            self.unseen[record.change.kind].append(record)

    def _take_unseen_delete(self, change: Change) -> Record | None:
        """The newest whose key has no other record; None if it has another size."""
        unseen = self.unseen[change.kind]
        while unseen:
            record = unseen[-1]
            if record in self.records:
                if record.is_unseen_delete and record.change.size != change.size:
                    return None
                record.in_stack = False
                alone = [queued.identity for queued in self.queued].count(
                    record.change.identity
                ) == 1
                if record.is_unseen_delete and alone:
                    return unseen.pop()
            unseen.pop()
        return None

    def _append(self, change: Change) -> None:
        self.records.append(Record(change, change.type))
        self._note_high_water()

    def _note_high_water(self) -> None:
        rows = sum(not queued.is_mark for queued in self.delivered)
        self.counts["high_water"] = max(self.counts["high_water"], rows)

    def _mark(self, mark: Change) -> None:
        full = len(self.queued) >= self.bound
        last = [queued.flags if queued.is_mark else 0 for queued in [*self.queued[-2:]]]
        if last and last[-1] == mark.flags:
            return
        if full and last and last[-1] and (mark.flags == OVERFLOW or last == [OVERFLOW, OVERFLOW]):
            self.records[-1].change = mark
            return
        self._append(mark)

    def take(self, most: int) -> list[Change]:
        taken = self.delivered[:most]
        left = most
        while self.records and (left or self.records[0].change.type == NOTHING):
            left -= self.records.pop(0).change.type != NOTHING
        if not self.delivered:
            self.records.clear()
        if not self.records or len(self.records) < self.bound // 4:
            self.unseen.clear()  # with the index, which is built again from the queued records
            for record in self.records:
                record.in_stack = False
                self._push_unseen_delete(record)
        self.counts["taken"] += sum(not change.is_mark for change in taken)
        return taken

    def statistics(self) -> dict[str, int]:
        names = ("put", "taken", "high_water")
        queued = sum(not change.is_mark for change in self.delivered)
        coalesced = self.counts["put"] - self.counts["taken"] - queued
        return {
            **{name: self.counts[name] for name in names},
            **{"queued": queued, "coalesced": coalesced, "lost": 0},
        }


class Queue:
    """The queue of csrc/base."""

    def __init__(self, native: ctypes.CDLL, bound: int, delivers_unseen: bool = False) -> None:
        self._native = native
        self._queue = ctypes.c_void_p(native.library_new(bound, delivers_unseen))
        assert self._queue

    def put(self, change: Change) -> None:
        made = NativeChange(*(getattr(change, name) for name, _ in NativeChange._fields_))
        assert self._native.library_put(self._queue, ctypes.byref(made))

    def take(self, most: int) -> list[Change]:
        room = (NativeChange * (most + 1))()
        count = self._native.library_take(self._queue, most, room)
        assert count <= most
        return [
            Change(*(getattr(out, name) for name, _ in NativeChange._fields_))
            for out in room[:count]
        ]

    def statistics(self) -> dict[str, int]:
        found = NativeStatistics()
        self._native.library_statistics(self._queue, ctypes.byref(found))
        return {name: getattr(found, name) for name, _ in NativeStatistics._fields_}

    def close(self) -> None:
        self._native.library_free(self._queue)


@pytest.fixture(scope="module")
def native(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    built = library("queue_library", [*QUEUE, *POSIX], tmp_path_factory.mktemp("queue"))
    built.library_new.restype = ctypes.c_void_p
    built.library_new.argtypes = [ctypes.c_size_t, ctypes.c_int]
    built.library_take.restype = ctypes.c_size_t
    built.library_take.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    return built


def steps(*kinds: int, types: tuple[int, ...] = (PARAMETER, ADD, DELETE)) -> st.SearchStrategy[Any]:
    """A change with a row, one without, a mark; or a number of changes to take."""
    states = st.builds(
        Change,
        kind=st.sampled_from(kinds),
        type=st.sampled_from(types),
        flags=st.sampled_from([0, 0, SNAPSHOT, SYNTHESIZED]),
        key=st.integers(0, 3),
        size=st.sampled_from([8, 8, 16, 136, 251]),
    )
    plain = st.builds(Change, kind=st.sampled_from(kinds), type=st.sampled_from([ADD, INITIAL]))
    marks = st.builds(Change, kind=st.just(MARK), flags=st.sampled_from([OVERFLOW, SYNCED]))
    return st.one_of(states, states, states, plain, marks, st.integers(0, 7))


def numbered(program: list[Any]) -> Iterator[Any]:
    """The same, each change with its own time and row."""
    for number, step in enumerate(program, 1):
        yield replace(step, value=number) if isinstance(step, Change) else step


def test_queue_matches_the_model(native: ctypes.CDLL, seed: int) -> None:
    def same(bound: int, program: list[Any], delivers_unseen: bool) -> None:
        model, queue = Model(bound, delivers_unseen), Queue(native, bound, delivers_unseen)
        try:
            for step in [*numbered(program), 1000]:
                if isinstance(step, Change):
                    model.put(step)
                    queue.put(step)
                else:
                    assert queue.take(step) == model.take(step)
                assert queue.statistics() == model.statistics()
        finally:
            queue.close()

    program = st.lists(steps(0, 2, WITHOUT_IDENTITY, types=(0, 1, 2, 3)), max_size=60)
    bounds = st.integers(1, 6)
    check(same, seed, 400, bound=bounds, program=program, delivers_unseen=st.booleans())


def test_queue_leads_its_reader_to_the_exact_state(native: ctypes.CDLL, seed: int) -> None:
    """Puts possible changes of a system. A taker, in portions of any size, can apply each change to
    its state, which is exact in the end. The queue is never longer than promised."""

    def followed(bound: int, program: list[tuple[int, int, bool]]) -> None:
        truth: dict[int, int] = {}
        known: dict[int, int] = {}
        queue = Queue(native, bound)

        def follow(most: int) -> None:
            for change in queue.take(most):
                if change.type == ADD:
                    assert change.key not in known
                else:
                    assert change.key in known
                if change.type == DELETE:
                    del known[change.key]
                else:
                    known[change.key] = change.value

        try:
            for value, (key, portion, goes) in enumerate(program, 1):
                type_ = ADD if key not in truth else DELETE if goes else PARAMETER
                if type_ == DELETE:
                    del truth[key]
                else:
                    truth[key] = value
                queue.put(Change(0, type_, 0, key, value, 16))
                assert queue.statistics()["queued"] <= bound + 6
                follow(portion)
            follow(1000)
            assert known == truth
        finally:
            queue.close()

    step = st.tuples(st.integers(0, 5), st.sampled_from([0, 0, 0, 0, 1, 3]), st.booleans())
    check(followed, seed, 300, bound=st.integers(1, 6), program=st.lists(step, max_size=80))


def test_queue_model_detects_a_difference(native: ctypes.CDLL, seed: int) -> None:
    """A model with a wrong merge rule does not match."""

    def same(program: list[Any]) -> None:
        model, queue = Model(2, False), Queue(native, 2)
        model._merged = lambda record, new: new  # type: ignore[method-assign]
        try:
            for step in numbered(program):
                model.put(step)
                queue.put(step)
            assert queue.take(1000) == model.take(1000)
        finally:
            queue.close()

    changes = steps(0).filter(lambda step: isinstance(step, Change))
    with pytest.raises(AssertionError):
        check(same, seed, 500, shrink=False, program=st.lists(changes, max_size=30))
