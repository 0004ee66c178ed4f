# SPDX-License-Identifier: MIT
"""Calls that must leak nothing: rows, tables, changes, enums, errors and the one-shot functions.
The name of a call is a public name, or one followed by ": " and what is special about the call."""

from __future__ import annotations

import copy
import enum
import operator
import pickle
from collections.abc import Callable
from functools import partial
from typing import Any

import netioapi
from netioapi import Batch, NetioError, Table
from tests.support.pickles import LAYOUT

Calls = dict[str, Callable[[], object]]
COMPARED = ("lt", "le", "eq", "ne", "gt", "ge")


def fails(
    error: type[BaseException], call: Callable[..., object], *given: Any, **named: Any
) -> Any:
    """A call that must raise this exception, each time."""

    def use() -> None:
        try:
            call(*given, **named)
        except error:
            return
        raise AssertionError("it did not fail")

    return use


def compared(name: str, thing: Any, other: Any) -> Calls:
    """Compares with each operator; our types have equality and no order."""
    found: Calls = {}
    for short in COMPARED:
        compare = partial(getattr(operator, short), thing)
        if short in ("eq", "ne"):
            found[f"{name}.__{short}__"] = partial(compare, other)
            found[f"{name}.__{short}__: something else"] = partial(compare, object())
        else:
            found[f"{name}.__{short}__"] = fails(TypeError, compare, other)
    return found


def copied(name: str, thing: Any) -> Calls:
    return {
        f"{name}.__reduce__": thing.__reduce__,
        f"{name}.__reduce__: copy": lambda: copy.copy(thing),
        f"{name}.__reduce__: deepcopy": lambda: copy.deepcopy(thing),
        f"{name}.__reduce__: pickle": lambda: pickle.loads(pickle.dumps(thing)),
    }


def row(row: Any, made: tuple[Any, ...]) -> Calls:
    """A row of the system, and the construction of a key of its type."""
    kind = type(row)
    name = kind.__name__
    data, details, _, items = row.__reduce__()[1]
    key = partial(kind, *made, interface_index=row.interface_index)
    found: Calls = {
        name: key,
        f"{name}: wrong": fails((TypeError, ValueError), kind, "no address"),
        f"{name}: nothing": fails(TypeError, kind),
        f"{name}.__new__": lambda: kind.__new__(kind, *made),
        f"{name}.__repr__": lambda: repr(row),
        f"{name}.__hash__": lambda: hash(row),
        f"{name}._asdict": row._asdict,
        f"{name}._asdict: JSON": lambda: row._asdict(json=True),
        f"{name}._from_bytes": lambda: kind._from_bytes(data, details, LAYOUT, items),
        f"{name}._from_bytes: wrong items": fails(
            ValueError, kind._from_bytes, data, details, LAYOUT, b"\1"
        ),
        f"{name}._from_bytes: wrong": fails(ValueError, kind._from_bytes, data[:-1], True, LAYOUT),
        f"{name}._fields": lambda: [getattr(row, one) for one in kind._fields],
        f"{name}.key": lambda: (row.key, key().key),
        f"{name}.key: write": fails(AttributeError, setattr, row, "key", b""),
        **compared(name, row, kind._from_bytes(data, details, LAYOUT, items)),
        **copied(name, row),
    }
    for field in kind._fields:
        found[f"{name}.{field}"] = lambda field=field: (getattr(row, field), getattr(key(), field))
    return found


def arrow(table: Table[Any]) -> Calls:
    return {
        "Table.__arrow_c_schema__": table.__arrow_c_schema__,
        "Table.__arrow_c_array__": table.__arrow_c_array__,
        "Table.__arrow_c_array__: wrong": fails(TypeError, table.__arrow_c_array__, 7),
        "Table.__arrow_c_stream__": table.__arrow_c_stream__,
        "Table.__arrow_c_stream__: wrong": fails(TypeError, table.__arrow_c_stream__, 7),
    }


def table(table: Table[Any]) -> Calls:
    first, last = table[0], table[-1]
    data = bytes(memoryview(table))

    def view() -> None:
        with memoryview(table) as seen:
            assert seen.format

    return {
        "Table": fails(TypeError, Table),
        "Table.__repr__": lambda: repr(table),
        "Table.__hash__": fails(TypeError, hash, table),
        "Table.__iter__": lambda: list(table),
        "Table.__iter__: left": lambda: next(iter(table)),
        "Table.__len__": lambda: len(table),
        "Table.__getitem__": lambda: table[0],
        "Table.__getitem__: slice": lambda: table[::2],
        "Table.__getitem__: step": lambda: table[::-1],
        "Table.__getitem__: none": fails(IndexError, operator.getitem, table, 10**6),
        "Table.__getitem__: wrong": fails(TypeError, operator.getitem, table, "x"),
        "Table.__contains__": lambda: last in table,
        "Table.__contains__: not": lambda: object() in table,
        "Table.index": lambda: table.index(last),
        "Table.index: none": fails(ValueError, table.index, object()),
        "Table.count": lambda: table.count(first),
        "Table._from_bytes": lambda: Table._from_bytes(table.kind, data, LAYOUT),
        "Table._from_bytes: wrong": fails(ValueError, Table._from_bytes, "x", data, LAYOUT),
        "Table.__class_getitem__": lambda: Table[Any],
        "Table.__buffer__": view,
        "Table.__buffer__: bytes": lambda: bytes(memoryview(table)),
        "Table.kind": lambda: table.kind,
        "Table.row_type": lambda: table.row_type,
        **arrow(table),
        **compared("Table", table, table[:]),
        **copied("Table", table),
    }


def batch(batch: Batch) -> Calls:
    """A batch with changes of all three kinds, and one of its changes."""
    change, other = batch[0], batch[-1]
    found: Calls = {
        "Batch": lambda: Batch([change], False, True),
        "Batch.__new__": lambda: Batch([], True, False),
        "Batch.__new__: many": lambda: Batch(batch, True, False),
        "Batch.__new__: wrong": fails(TypeError, Batch, [change, 1], True, False),
        "Batch.__copy__": lambda: copy.copy(batch),
        **copied("Batch", batch),
        "Batch.__iter__": lambda: [one.row for one in batch],
        "Batch.__iter__: left": lambda: next(iter(batch)),
        "Batch.__len__": lambda: len(batch),
        "Batch.__bool__": lambda: bool(batch),
        "Batch.__getitem__": lambda: batch[-1],
        "Batch.__getitem__: slice": lambda: batch[::2],
        "Batch.__getitem__: none": fails(IndexError, operator.getitem, batch, 10**6),
        "Batch.__repr__": lambda: repr(batch),
        "Batch.overflow": lambda: batch.overflow,
        "Batch.synced": lambda: batch.synced,
        "Change": fails(TypeError, netioapi.Change),
        "Change.__repr__": lambda: repr(change),
        "Change.__hash__": lambda: hash(change),
        "Change._merge": lambda: change._merge(change),
        "Change._merge: wrong": fails(TypeError, change._merge, 1),
        "Change._from_row": lambda: netioapi.Change._from_row(*change.__reduce__()[1]),
        "Change._from_row: wrong": fails(TypeError, netioapi.Change._from_row, 1, 1, 1, 0, 0),
        **copied("Change", change),
        "Change.row: kept": lambda: (change.row, batch[0].row),
        **compared("Change", change, other),
    }
    for name in ("routes", "addresses", "interfaces"):
        found[f"Batch.{name}"] = lambda name=name: list(getattr(batch, name))
    for name in ("kind", "type", "row", "time_ns", "initial", "synthesized", "_identity"):
        found[f"Change.{name}"] = lambda name=name: getattr(change, name)
    return found


def hint() -> Calls:
    hint = netioapi.get_network_connectivity_hint()
    values = hint.__reduce__()[1]
    name = "NetworkConnectivityHint"
    found: Calls = {
        name: lambda: type(hint)(*values),
        f"{name}: wrong": fails(TypeError, type(hint), 1),
        f"{name}.__new__": lambda: type(hint).__new__(type(hint), *values),
        f"{name}.__setattr__": fails(AttributeError, setattr, hint, "roaming", True),
        f"{name}.__delattr__": fails(AttributeError, delattr, hint, "roaming"),
        f"{name}.__eq__": lambda: (hint == type(hint)(*values), hint == 1),
        f"{name}.__hash__": lambda: hash(hint),
        f"{name}.__repr__": lambda: repr(hint),
        **copied(name, hint),
    }
    for field in type(hint).__match_args__:
        found[f"{name}.{field}"] = lambda field=field: getattr(hint, field)
    return found


def members_of(one: type[enum.IntEnum]) -> Callable[[], object]:
    def use() -> None:
        for member in one:
            assert one(member.value) is one[member.name] is pickle.loads(pickle.dumps(member))
        fails(ValueError, one, 10**6)()

    return use


def errors() -> Calls:
    error = NetioError(8, "F", "detail")
    found: Calls = {
        "NetioError.__init__": lambda: NetioError(8, "F", "detail"),
        "NetioError.__init__: wrong": fails(TypeError, NetioError, "x"),
        "NetioError.__str__": lambda: (str(error), repr(error)),
        "NetioError: pickle": lambda: pickle.loads(pickle.dumps(error)),
        "DeadlockError": lambda: repr(netioapi.DeadlockError("x")),
    }
    for kind in (NetioError, netioapi.InvalidParameterError):
        found[kind.__name__] = fails(kind, lambda kind=kind: _raise(kind(87, "F")))
    for name in vars(error):
        found[f"NetioError.{name}"] = lambda name=name: getattr(error, name)
    return found


def _raise(error: BaseException) -> None:
    raise error


def enums() -> Calls:
    every = {name: getattr(netioapi, name) for name in netioapi.__all__}
    of_enums = {n: one for n, one in every.items() if isinstance(one, enum.EnumMeta)}
    return {name: members_of(one) for name, one in of_enums.items()}


def questions(route: Any, address: Any, interface: Any) -> Calls:
    gone = netioapi.IpForwardRow("203.0.113.0/24", interface_index=1)
    found: Calls = {
        "INFINITE": lambda: netioapi.INFINITE,
        "supported": lambda: netioapi.supported("NotifyRouteChange2"),
        "supported: not": lambda: netioapi.supported("x"),
        "supported: wrong": fails(TypeError, netioapi.supported, 1),
        "get_teredo_port": netioapi.get_teredo_port,
        "get_network_connectivity_hint": netioapi.get_network_connectivity_hint,
        "get_best_route2": lambda: netioapi.get_best_route2("10.77.0.1", source="10.0.0.1"),
        "get_best_route2: none": fails(NetioError, netioapi.get_best_route2, "2001:db8::1"),
        "get_best_route2: wrong": fails(ValueError, netioapi.get_best_route2, "x"),
        "get_best_route2: source": fails(
            (ValueError, OSError), netioapi.get_best_route2, "10.0.0.9", source="fd00::1"
        ),
        "get_ip_forward_entry2": lambda: netioapi.get_ip_forward_entry2(route),
        "get_ip_forward_entry2: none": fails(NetioError, netioapi.get_ip_forward_entry2, gone),
        "get_unicast_ip_address_entry": lambda: netioapi.get_unicast_ip_address_entry(address),
        "get_ip_interface_entry": lambda: netioapi.get_ip_interface_entry(interface),
    }
    for name in ("get_ip_forward_table2", "get_unicast_ip_address_table", "get_ip_interface_table"):
        get = getattr(netioapi, name)
        found[name] = lambda get=get: list(get())
        found[f"{name}: family"] = fails(ValueError, get, 99)
        found[f"{name}: wrong"] = fails(TypeError, get, "x")
    for name in ("get_ip_forward_entry2", "get_unicast_ip_address_entry", "get_ip_interface_entry"):
        found[f"{name}: wrong"] = fails(TypeError, getattr(netioapi, name), object())
    return found
