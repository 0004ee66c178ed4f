# SPDX-License-Identifier: MIT
"""Every public name of the package: what `netioapi.__all__` has, and the members of its classes,
`Class.member`, those that only Python's own protocols call (`__iter__`) among them."""

from __future__ import annotations

import enum
import types

import netioapi

# Python's own, of classes of all kinds.
OF_ALL = {
    *("__module__", "__doc__", "__slots__", "__dict__", "__weakref__", "__annotations__"),
    *("__match_args__", "__static_attributes__", "__firstlineno__"),
    *("__annotations_cache__", "__annotate_func__", "__classdictcell__", "__qualname__"),
}


def is_public(name: str, member: object) -> bool:
    """`_fields` and `_asdict` are: as with named tuples, a field may have any name of its own."""
    if name.startswith("_") and not name.startswith("__"):
        return not isinstance(member, types.FunctionType | types.MemberDescriptorType)
    return name not in OF_ALL


def members(cls: type) -> set[str]:
    if issubclass(cls, enum.Enum):
        return set()  # to call it finds all of its members
    return {f"{cls.__name__}.{name}" for name, each in vars(cls).items() if is_public(name, each)}


def public_names() -> set[str]:
    found = set(netioapi.__all__)
    for name in netioapi.__all__:
        if isinstance(thing := getattr(netioapi, name), type):
            found |= members(thing)
    return found | {f"NetioError.{name}" for name in vars(netioapi.NetioError(8, "F"))}
