# SPDX-License-Identifier: MIT
"""The queue of changes against a model of it in Python: random sequences, tiny bounds.

The model is csrc/base/queue.h said again: a list, and the merge rule of csrc/base/change.h.
tests/c/queue_model_test.c walks much longer, against a model of its own.
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

PARAMETER, ADD, DELETE, INITIAL = range(4)
SNAPSHOT, SYNTHESIZED, OVERFLOW, SYNCED = 1, 2, 4, 8
MARK, WITHOUT_IDENTITY = 0xFF, 9


class FaceChange(ctypes.Structure):
    _fields_ = [
        (name, ctypes.c_uint32) for name in ("kind", "type", "flags", "key", "value", "size")
    ]


class FaceStatistics(ctypes.Structure):
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
        """Of what it is a state; None: of nothing, so that it is never merged."""
        if self.is_mark or self.size == 0 or self.type == INITIAL:
            return None
        return self.kind, 0 if self.kind == WITHOUT_IDENTITY else self.key


@dataclass(eq=False)
class Record:
    """A queued change, the type that it was put with, and whether it is in the list of ghosts."""

    change: Change
    first: int
    listed: bool = False

    @property
    def is_ghost(self) -> bool:
        return not self.change.is_mark and (self.first, self.change.type) == (ADD, DELETE)


class Model:
    def __init__(self, bound: int) -> None:
        self.bound = bound
        self.records: list[Record] = []
        # Of each kind what came and went unseen: a new thing takes their place.
        self.ghosts: defaultdict[int, list[Record]] = defaultdict(list)
        self.counts: Counter[str] = Counter()

    @property
    def queued(self) -> list[Change]:
        return [record.change for record in self.records]

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
                    self._remember(record)
                    self.counts["coalesced"] += 1
                    return
            else:
                if (ghost := self._take_ghost(change)) is not None:
                    ghost.change, ghost.first = change, change.type
                    self.counts["coalesced"] += 1
                    return
        self._append(change)

    def _merged(self, record: Record, new: Change) -> Change:
        if new.type == DELETE:
            return new
        flags = new.flags | (record.change.flags & SNAPSHOT)
        return replace(new, type=ADD if record.first == ADD else PARAMETER, flags=flags)

    def _remember(self, record: Record) -> None:
        if record.is_ghost and not record.listed:
            record.listed = True
            self.ghosts[record.change.kind].append(record)

    def _take_ghost(self, change: Change) -> Record | None:
        """The newest of a key of which nothing else is queued; None if its size is another."""
        ghosts = self.ghosts[change.kind]
        while ghosts:
            ghost = ghosts[-1]
            if ghost in self.records:
                if ghost.is_ghost and ghost.change.size != change.size:
                    return None
                ghost.listed = False
                alone = [queued.identity for queued in self.queued].count(
                    ghost.change.identity
                ) == 1
                if ghost.is_ghost and alone:
                    return ghosts.pop()
            ghosts.pop()
        return None

    def _append(self, change: Change) -> None:
        self.records.append(Record(change, change.type))
        rows = sum(not queued.is_mark for queued in self.queued)
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
        taken = self.queued[:most]
        self.records = self.records[most:]
        if not self.records or len(self.records) < self.bound // 4:
            self.ghosts.clear()  # with the index, which is made anew from what is queued
            for record in self.records:
                record.listed = False
                self._remember(record)
        self.counts["taken"] += sum(not change.is_mark for change in taken)
        return taken

    def statistics(self) -> dict[str, int]:
        names = ("put", "taken", "coalesced", "high_water")
        queued = sum(not change.is_mark for change in self.queued)
        return {**{name: self.counts[name] for name in names}, "queued": queued, "lost": 0}


class Queue:
    """The real one."""

    def __init__(self, face: ctypes.CDLL, bound: int) -> None:
        self._face = face
        self._queue = ctypes.c_void_p(face.face_new(bound))
        assert self._queue

    def put(self, change: Change) -> None:
        made = FaceChange(*(getattr(change, name) for name, _ in FaceChange._fields_))
        assert self._face.face_put(self._queue, ctypes.byref(made))

    def take(self, most: int) -> list[Change]:
        room = (FaceChange * (most + 1))()
        count = self._face.face_take(self._queue, most, room)
        assert count <= most
        return [
            Change(*(getattr(out, name) for name, _ in FaceChange._fields_)) for out in room[:count]
        ]

    def statistics(self) -> dict[str, int]:
        found = FaceStatistics()
        self._face.face_statistics(self._queue, ctypes.byref(found))
        return {name: getattr(found, name) for name, _ in FaceStatistics._fields_}

    def close(self) -> None:
        self._face.face_free(self._queue)


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    built = library("queue_face", [*QUEUE, *POSIX], tmp_path_factory.mktemp("queue"))
    built.face_new.restype = ctypes.c_void_p
    built.face_new.argtypes = [ctypes.c_size_t]
    built.face_take.restype = ctypes.c_size_t
    built.face_take.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_void_p]
    return built


def steps(*kinds: int, types: tuple[int, ...] = (PARAMETER, ADD, DELETE)) -> st.SearchStrategy[Any]:
    """A change with a row, without one, a mark; or how many to take."""
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
    """Each change with a time and a row of its own."""
    for number, step in enumerate(program, 1):
        yield replace(step, value=number) if isinstance(step, Change) else step


def test_queue_matches_the_model(face: ctypes.CDLL, seed: int) -> None:
    def same(bound: int, program: list[Any]) -> None:
        model, queue = Model(bound), Queue(face, bound)
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
    check(same, seed, 400, bound=st.integers(1, 6), program=program)


def test_queue_leads_its_reader_to_the_exact_state(face: ctypes.CDLL, seed: int) -> None:
    """What the system could say, in its order: whoever takes it, in portions of any size, can apply
    each change to what he knows, and knows all in the end. No more waits than was promised."""

    def followed(bound: int, program: list[tuple[int, int, bool]]) -> None:
        truth: dict[int, int] = {}
        known: dict[int, int] = {}
        queue = Queue(face, bound)

        def follow(most: int) -> None:
            for change in queue.take(most):
                if change.type == ADD:
                    assert change.key not in known
                elif change.type == PARAMETER:
                    assert change.key in known
                if change.type == DELETE:
                    known.pop(change.key, None)
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


def test_queue_model_detects_a_difference(face: ctypes.CDLL, seed: int) -> None:
    """A model that forgets what merges to what is found out."""

    def same(program: list[Any]) -> None:
        model, queue = Model(2), Queue(face, 2)
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
