# SPDX-License-Identifier: MIT
"""Every public name of the package: the names in `netioapi.__all__`, and the members of its classes
as `Class.member`, including those that only Python's protocols call (`__iter__`)."""

from __future__ import annotations

import enum
import types

import netioapi

# Attributes of Python's own, in classes of all kinds.
OF_ALL = {
    *(
        "__slotnames__",
        "__module__",
        "__doc__",
        "__slots__",
        "__dict__",
        "__weakref__",
        "__annotations__",
    ),
    *("__match_args__", "__static_attributes__", "__firstlineno__"),
    *("__annotations_cache__", "__annotate_func__", "__classdictcell__", "__qualname__"),
}


def is_public(name: str, member: object) -> bool:
    """Also true of `_fields` and `_asdict`: as with named tuples, the underscore keeps them apart
    from fields."""
    if name.startswith("_") and not name.startswith("__"):
        return not isinstance(member, types.FunctionType | types.MemberDescriptorType)
    return name not in OF_ALL


def members(cls: type) -> set[str]:
    if issubclass(cls, enum.Enum):
        return set()  # calling an enum covers all of its members
    return {f"{cls.__name__}.{name}" for name, each in vars(cls).items() if is_public(name, each)}


def public_names() -> set[str]:
    found = set(netioapi.__all__)
    for name in netioapi.__all__:
        if isinstance(thing := getattr(netioapi, name), type):
            found |= members(thing)
    return found | {f"NetioError.{name}" for name in vars(netioapi.NetioError(8, "F"))}
