# SPDX-License-Identifier: MIT
"""Rows as a table: aligned text; or a table of rich, if it is installed and standard output is a
terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from netioapi.cli.output.describe import INFINITE, Describer
from netioapi.cli.output.words import address_text, family_name, named, origin_name, table_names

MAX_WIDTH = 10_000  # columns of a terminal
Column = tuple[str, Callable[[Any], str]]


def _text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return named(value)


def _lifetime(value: int | None) -> str:
    return "forever" if value == INFINITE else "-" if value is None else f"{value}s"


def columns(kind: str) -> list[Column]:
    """The columns of a kind: a heading, and a function from a row to the text."""
    name = Describer().name
    tables = {number: name for name, number in table_names().items()}
    found: dict[str, list[Column]] = {
        "route": [
            ("destination", lambda row: str(row.destination_prefix)),
            (
                "next hop",
                lambda row: "-" if row.next_hop.is_unspecified else address_text(row.next_hop),
            ),
            ("interface", name),
            ("metric", lambda row: _text(row.metric)),
            ("table", lambda row: tables.get(row.table) or _text(row.table)),
            ("type", lambda row: _text(row.type)),
            ("by", origin_name),
            (
                "source",
                lambda row: (
                    "-" if row.preferred_source is None else address_text(row.preferred_source)
                ),
            ),
        ],
        "address": [
            ("address", lambda row: f"{address_text(row.address)}/{row.on_link_prefix_length}"),
            ("interface", name),
            ("state", lambda row: _text(row.dad_state)),
            ("origin", lambda row: _text(row.prefix_origin)),
            ("valid", lambda row: _lifetime(row.valid_lifetime)),
            ("preferred", lambda row: _lifetime(row.preferred_lifetime)),
        ],
        "interface": [
            ("interface", name),
            ("index", lambda row: str(row.interface_index)),
            ("family", lambda row: family_name(row.family)),
            ("connected", lambda row: _text(row.connected)),
            ("mtu", lambda row: _text(row.nl_mtu)),
            ("metric", lambda row: _text(row.metric)),
            ("forwarding", lambda row: _text(row.forwarding_enabled)),
        ],
    }
    return found[kind]


def order(kind: str) -> Callable[[Any], Any]:
    """The key function to sort rows by."""
    if kind == "route":
        return lambda row: (
            row.table or 0,
            row.family,
            row.destination_prefix,
            row.metric or 0,
            row.key,
        )
    if kind == "address":
        return lambda row: (row.interface_index, row.family, row.address, row.key)
    return lambda row: (row.interface_index, row.family)


def write_table(kind: str, rows: list[Any]) -> None:
    chosen = columns(kind)
    headings = [heading for heading, _ in chosen]
    cells = [[make(row) for _, make in chosen] for row in rows]
    if not (sys.stdout.isatty() and _write_rich(headings, cells)):
        _write_plain(headings, cells)


def _write_plain(headings: list[str], cells: list[list[str]]) -> None:
    lines = [[heading.upper() for heading in headings], *cells]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for one in lines:
        padded = (cell.ljust(width) for cell, width in zip(one, widths, strict=True))
        sys.stdout.write("  ".join(padded).rstrip() + "\n")


def _write_rich(headings: list[str], cells: list[list[str]]) -> bool:
    try:
        from rich.console import Console
        from rich.measure import Measurement
        from rich.table import Table
        from rich.text import Text
    except ImportError:
        return False
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading, style in zip(headings, ("cyan", *[""] * len(headings)), strict=False):
        table.add_column(heading.upper(), no_wrap=True, style=style)
    for one in cells:
        table.add_row(*map(Text, one))
    console = Console()
    # A table that is too wide is left to the terminal to wrap: rich would cut addresses.
    wide = console.options.update(width=MAX_WIDTH)
    console.width = max(console.width, Measurement.get(console, wide, table).maximum)
    console.print(table)
    return True
