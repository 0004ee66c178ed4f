# SPDX-License-Identifier: MIT
"""A row as one line of text."""

from __future__ import annotations

from typing import Any

import netioapi
from netioapi.cli.output.words import (
    MAIN_TABLE,
    address_text,
    family_name,
    named,
    origin_name,
    printable,
)

INFINITE = 0xFFFFFFFF
MAX_NAMES = 100_000  # interface names that are remembered


class Describer:
    """Describes rows. It remembers interface names: the deletion of a route may be reported after
    its interface was removed, when the system does not know the name any more."""

    def __init__(self) -> None:
        self._names: dict[int, str] = {}

    def row(self, kind: str, row: Any) -> str:
        """Describe a row of this kind: "route", "address" or "interface"."""
        makers = {"route": self.route, "address": self.address, "interface": self.interface}
        return makers[kind](row)

    def route(self, row: Any) -> str:
        words = [str(row.destination_prefix)]
        if row.type is not None and named(row.type) != "unicast":
            words.insert(0, named(row.type))
        if row.next_hop is not None and not row.next_hop.is_unspecified:
            words += ["via", address_text(row.next_hop)]
        words += ["dev", self.name(row)]
        if row.metric:
            words += ["metric", str(row.metric)]
        if row.table not in (None, MAIN_TABLE):
            words += ["table", str(row.table)]
        if row.tos:
            words += ["tos", str(row.tos)]
        if row.preferred_source is not None:
            words += ["source", address_text(row.preferred_source)]
        if row.nexthop_id:
            words += ["nexthop", str(row.nexthop_id)]
        if row.weight is not None and row.weight > 1:
            words += ["weight", str(row.weight)]
        words += ["by", origin_name(row)]
        if row.valid_lifetime not in (None, INFINITE):
            words += ["valid", f"{row.valid_lifetime}s"]
        return " ".join(words)

    def address(self, row: Any) -> str:
        text = address_text(row.address)
        if row.on_link_prefix_length is not None:
            text += f"/{row.on_link_prefix_length}"
        words = [text]
        if row.peer is not None:
            words += ["peer", address_text(row.peer)]
        words += ["dev", self.name(row)]
        if row.dad_state is not None:
            words.append(named(row.dad_state))
        if row.valid_lifetime not in (None, INFINITE):
            words += ["valid", f"{row.valid_lifetime}s", "preferred", f"{row.preferred_lifetime}s"]
        return " ".join(words)

    def interface(self, row: Any) -> str:
        words = [self.name(row), family_name(row.family)]
        if row.connected is not None:
            words.append("connected" if row.connected else "disconnected")
        if row.nl_mtu is not None:
            words += ["mtu", str(row.nl_mtu)]
        if row.metric:
            words += ["metric", str(row.metric)]
        if row.forwarding_enabled:
            words.append("forwarding")
        return " ".join(words)

    def name(self, row: Any) -> str:
        """The interface's name, its last known name, or its index. Safe to print."""
        index: int = row.interface_index
        name = row.interface_name
        if name is None:
            return self._names.get(index, f"#{index}")
        if len(self._names) > MAX_NAMES:
            self._names.clear()
        self._names[index] = shown = printable(name)
        return shown

    def learn(self) -> None:
        """Remember the names of all interfaces that exist now."""
        for row in netioapi.get_ip_interface_table():
            self.name(row)
