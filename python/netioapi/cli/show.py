# SPDX-License-Identifier: MIT
"""Print the routes, addresses or interfaces: a table, or with --json one JSON object per line."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from netioapi.cli.arguments import WATCHED, add_filters, interfaces, kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", type=kind(*WATCHED), metavar="KIND", help=", ".join(WATCHED))
    add_filters(parser)
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object per line; docs/json.md has the keys",
    )


def run(options: argparse.Namespace) -> int:
    if options.table and options.kind != "route":
        options.wrong(f"argument --table is for routes, not for {options.kind}")
    chosen = interfaces(options)

    from netioapi.cli.output.columns import order, write_table
    from netioapi.cli.output.records import line, row_record

    rows = sorted(_rows(options, chosen), key=order(options.kind))
    if options.json:
        for row in rows:
            sys.stdout.write(line({"kind": options.kind, **row_record(row)}) + "\n")
    else:
        write_table(options.kind, rows)
    return 0


def _rows(options: argparse.Namespace, chosen: list[int | str] | None) -> list[Any]:
    """The snapshot of a Watcher, whose filters are those of `monitor`."""
    import netioapi

    rows: dict[bytes, Any] = {}
    with netioapi.Watcher(
        options.kind,
        family=options.family,
        tables=options.table,
        interfaces=chosen,
        snapshot=True,
    ) as watcher:
        for batch in watcher:
            for change in batch:
                if change.type == netioapi.NotificationType.DELETE:
                    rows.pop(change.row.key, None)
                else:
                    rows[change.row.key] = change.row
            if batch.synced:
                break
    return list(rows.values())
