#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints the row classes of python/netioapi/_native.pyi, made from the module's own field tables.

With --write it puts them there, between the two marks. A test holds that nothing is to be written.
"""

import sys
from pathlib import Path
from typing import Any

from netioapi import _native

STUB = Path(__file__).resolve().parent.parent / "python" / "netioapi" / "_native.pyi"
BEGIN = "# ---- rows: made by tools/stub_rows.py ----\n"
END = "# ---- end of rows ----\n"

_IP = "IPv4Address | IPv6Address"
CONSTRUCTORS = {
    "IpForwardRow": [
        "destination_prefix: IPv4Network | IPv6Network | str",
        f"next_hop: {_IP} | str | bytes | None = None",
    ],
    "UnicastIpAddressRow": [f"address: {_IP} | str | bytes"],
    "IpInterfaceRow": ["family: int"],
}


def annotation(field: dict[str, Any]) -> str:
    """A key is always there; what a system does not say is None; and what both say is None only
    in rows with details=False, which a type checker is not to ask about at every use."""
    kind: str = f"{field['enum']} | int" if field["enum"] else field["type"]
    if field["optional"] or set(field["systems"]) != {"linux", "windows"}:
        return f"{kind} | None"
    if field["name"] == "interface_name":
        return f"{kind} | None"
    return kind if field["key"] else f"{kind} | _MaybeNone"


def row_class(name: str, fields: list[dict[str, Any]]) -> str:
    arguments = [*CONSTRUCTORS[name], "*", "interface_index: int = 0", "interface_luid: int = 0"]
    lines = [
        "@final",
        f"class {name}:",
        "    _fields: ClassVar[tuple[str, ...]]",
        "    def __new__(",
        "        cls,",
        *(f"        {argument}," for argument in arguments),
        "    ) -> Self: ...",
    ]
    for field in fields:
        lines += ["    @property", f"    def {field['name']}(self) -> {annotation(field)}: ..."]
    lines += [
        "    def _asdict(self, *, json: bool = False) -> dict[str, Any]: ...",
        "    @classmethod",
        "    def _from_bytes(",
        '        cls, data: bytes, details: int, layout: int = 1, items: bytes = b"", /',
        "    ) -> Self: ...",
        "    def __reduce__(self) -> tuple[Any, ...]: ...",
        "    def __eq__(self, other: object, /) -> bool: ...",
        "    def __hash__(self) -> int: ...",
    ]
    return "\n".join(lines) + "\n"


def section() -> str:
    tables: dict[str, list[dict[str, Any]]] = _native._fields()
    classes = [row_class(name, tables[name]) for name in CONSTRUCTORS]
    return "\n".join(classes) + "\n"


def with_section(stub: str) -> str:
    before, _, rest = stub.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + section() + END + after


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        STUB.write_text(with_section(STUB.read_text()))
    else:
        sys.stdout.write(section())
