# SPDX-License-Identifier: MIT
"""Reads Arrow's C structs with ctypes alone, following their specification: for tests on every
system, without any consumer library. It moves a struct out of its capsule as a consumer does."""

from __future__ import annotations

import ctypes
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, TypeVar

NULLABLE = 2
# A plain pointer in place of a function type: each call then chooses whether it keeps the GIL.
Address = ctypes.c_void_p


class _Struct(ctypes.Structure):
    capsule: object


class ArrowSchema(_Struct):
    pass


class ArrowArray(_Struct):
    pass


class ArrowArrayStream(_Struct):
    pass


ArrowSchema._fields_ = [
    ("format", ctypes.c_char_p),
    ("name", ctypes.c_char_p),
    ("metadata", ctypes.c_void_p),
    ("flags", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowSchema))),
    ("dictionary", ctypes.POINTER(ArrowSchema)),
    ("release", Address),
    ("private_data", ctypes.c_void_p),
]
ArrowArray._fields_ = [
    ("length", ctypes.c_int64),
    ("null_count", ctypes.c_int64),
    ("offset", ctypes.c_int64),
    ("n_buffers", ctypes.c_int64),
    ("n_children", ctypes.c_int64),
    ("buffers", ctypes.POINTER(ctypes.c_void_p)),
    ("children", ctypes.POINTER(ctypes.POINTER(ArrowArray))),
    ("dictionary", ctypes.POINTER(ArrowArray)),
    ("release", Address),
    ("private_data", ctypes.c_void_p),
]
ArrowArrayStream._fields_ = [
    ("get_schema", Address),
    ("get_next", Address),
    ("get_last_error", Address),
    ("release", Address),
    ("private_data", ctypes.c_void_p),
]
NAMES = {
    ArrowSchema: b"arrow_schema",
    ArrowArray: b"arrow_array",
    ArrowArrayStream: b"arrow_array_stream",
}
T = TypeVar("T", ArrowSchema, ArrowArray, ArrowArrayStream)

_pointer = ctypes.pythonapi.PyCapsule_GetPointer
_pointer.restype = ctypes.c_void_p
_pointer.argtypes = [ctypes.py_object, ctypes.c_char_p]


def within(capsule: object, kind: type[T]) -> T:
    """The struct inside its capsule, not moved. It keeps a reference to the capsule."""
    found = kind.from_address(_pointer(capsule, NAMES[kind]))
    found.capsule = capsule
    return found


def moved(source: T) -> T:
    """The content of `source`, which is marked as released: how the specification moves a
    struct."""
    copy = type(source).from_buffer_copy(source)
    assert copy.release, "released already"
    source.release = None
    return copy


def taken(capsule: object, kind: type[T]) -> T:
    return moved(within(capsule, kind))


def release(base: ArrowSchema | ArrowArray | ArrowArrayStream) -> None:
    """Calls `release` without the GIL, as ctypes calls C functions."""
    ctypes.CFUNCTYPE(None, ctypes.c_void_p)(base.release)(ctypes.addressof(base))
    assert base.release is None, "a release callback marks what it releases"


def call(base: ArrowArrayStream, name: str, out: ArrowSchema | ArrowArray) -> int:
    function = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)(getattr(base, name))
    return int(function(ctypes.addressof(base), ctypes.addressof(out)))


def last_error(stream: ArrowArrayStream) -> bytes | None:
    function = ctypes.CFUNCTYPE(ctypes.c_char_p, ctypes.c_void_p)(stream.get_last_error)
    error: bytes | None = function(ctypes.addressof(stream))
    return error


@dataclass(frozen=True)
class Column:
    """A column as its schema describes it."""

    name: str
    format: str
    nullable: bool
    metadata: dict[str, str] = field(default_factory=dict)
    children: tuple[Column, ...] = ()

    @property
    def members(self) -> dict[int, str]:
        names: dict[str, str] = json.loads(self.metadata["netioapi.enum"])
        return {int(number): name for number, name in names.items()}


def _metadata(at: int | None) -> dict[str, str]:
    def pieces(at: int) -> Iterator[str]:
        place = at + 4
        for _ in range(2 * struct.unpack("=i", ctypes.string_at(at, 4))[0]):
            (length,) = struct.unpack("=i", ctypes.string_at(place, 4))
            yield ctypes.string_at(place + 4, length).decode()
            place += 4 + length

    if at is None:
        return {}
    all_ = list(pieces(at))
    return dict(zip(all_[::2], all_[1::2], strict=True))


def described(schema: ArrowSchema) -> Column:
    assert not schema.dictionary
    return Column(
        schema.name.decode(),
        schema.format.decode(),
        schema.flags == NULLABLE,
        _metadata(schema.metadata),
        tuple(described(schema.children[i].contents) for i in range(schema.n_children)),
    )


def _bits(at: int, count: int) -> list[bool]:
    data = ctypes.string_at(at, (count + 7) // 8)
    return [bool(data[i // 8] >> i % 8 & 1) for i in range(count)]


CODES = {"C": "B", "S": "H", "I": "I", "L": "Q", "i": "i", "tsn:UTC": "q", "w:16": "16s"}


def _values(column: Column, array: ArrowArray) -> list[Any]:
    count = array.length
    if column.format == "b":
        return list(_bits(array.buffers[1], count))
    if column.format in CODES:
        code = "=" + CODES[column.format]
        data = ctypes.string_at(array.buffers[1], struct.calcsize(code) * count)
        return [value for (value,) in struct.iter_unpack(code, data)]
    if column.format == "u":
        offsets = struct.unpack(f"={count + 1}i", ctypes.string_at(array.buffers[1], 4 * count + 4))
        text = ctypes.string_at(array.buffers[2], offsets[-1])
        return [text[start:end].decode() for start, end in pairwise(offsets)]
    assert column.format == "+w:16", column
    items = values(column.children[0], array.children[0].contents)
    assert len(items) == 16 * count
    return [tuple(items[16 * i : 16 * i + 16]) for i in range(count)]


BUFFERS = {"+s": 1, "+w:16": 1, "u": 3}


def values(column: Column, array: ArrowArray) -> list[Any]:
    """The values of an array, None for null, once the rules of the specification are checked."""
    assert array.n_buffers == BUFFERS.get(column.format, 2)
    assert (array.offset, array.n_children) == (0, len(column.children))
    assert not array.dictionary
    buffers = [array.buffers[i] for i in range(array.n_buffers)]
    assert all(at and at % 64 == 0 for at in buffers[1:2]), "aligned"
    assert all(buffers[1:])
    if column.format == "+s":
        names = [child.name for child in column.children]
        children = [array.children[i].contents for i in range(array.n_children)]
        assert {child.length for child in children} == {array.length}
        pairs = zip(column.children, children, strict=True)
        rows = zip(*(values(child, one) for child, one in pairs), strict=True)
        return [dict(zip(names, row, strict=True)) for row in rows]
    result = _values(column, array)
    if buffers[0] is None:
        assert array.null_count == 0
        return result
    assert column.nullable
    assert buffers[0] % 64 == 0
    valid = _bits(buffers[0], array.length)
    assert array.null_count == valid.count(False) > 0
    return [value if there else None for value, there in zip(result, valid, strict=True)]


def schema_of(exporter: Any) -> Column:
    schema = taken(exporter.__arrow_c_schema__(), ArrowSchema)
    column = described(schema)
    release(schema)
    return column


def read(exporter: Any) -> tuple[Column, list[dict[str, Any]]]:
    """The schema and the rows of an object that has __arrow_c_array__."""
    of_schema, of_array = exporter.__arrow_c_array__()
    schema, array = taken(of_schema, ArrowSchema), taken(of_array, ArrowArray)
    column = described(schema)
    rows = values(column, array)
    release(schema)
    release(array)
    return column, rows
