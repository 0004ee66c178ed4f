# SPDX-License-Identifier: MIT
"""Print each change as it happens: one line, or with --json one JSON object."""

from __future__ import annotations

import argparse
import sys

from netioapi.cli.arguments import WATCHED, add_filters, count, interfaces, kind, seconds

KINDS = (*WATCHED, "teredo", "hint", "stable")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.epilog = (
        "A line begins with + (added), ~ (changed), - (deleted), a space (part of the snapshot), "
        "! (changes were lost, and the repair follows) or = (the state is exact). "
        "(unannounced): the system sent no message for the change."
    )
    parser.add_argument(
        "kinds",
        nargs="*",
        type=kind(*KINDS),
        metavar="KIND",
        help=f"{', '.join(KINDS)} (default: {', '.join(WATCHED)})",
    )
    add_filters(parser)
    parser.add_argument(
        "--wait-for-interface",
        action="store_true",
        help="accept an --interface that no interface is named yet",
    )
    parser.add_argument("--snapshot", action="store_true", help="print the current state first")
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object per line; docs/json.md has the keys",
    )
    parser.add_argument("--count", type=count, metavar="N", help="end after N changes")
    parser.add_argument("--duration", type=seconds, metavar="SECONDS", help="end after this time")
    parser.add_argument(
        "--settle",
        type=seconds,
        metavar="SECONDS",
        default=0.0,
        help="print a change only after no other has come for this long, and only the last state "
        "of each row (default: 0)",
    )


def run(options: argparse.Namespace) -> int:
    kinds = list(dict.fromkeys(options.kinds or WATCHED))
    if options.table and "route" not in kinds:
        options.wrong("argument --table is for routes, and no routes are monitored")
    if options.wait_for_interface and not options.interface:
        options.wrong("argument --wait-for-interface needs --interface")
    chosen = interfaces(options, wait=options.wait_for_interface)

    from netioapi.cli.hangup import end_with_reader
    from netioapi.cli.output.lines import Lines
    from netioapi.cli.stream import Stream

    left = options.count
    lines = Lines(json=options.json)
    with (
        end_with_reader(),
        Stream(
            kinds,
            family=options.family,
            tables=options.table,
            interfaces=chosen,
            snapshot=options.snapshot,
            settle=options.settle,
        ) as stream,
    ):
        if sys.stdout.isatty() and sys.stderr.isatty():
            print(f"netioapi: watching {', '.join(kinds)}; Ctrl-C ends", file=sys.stderr)
        for events in stream.events(options.duration):
            for event in events:
                lines.write(event)
                if left is not None and event.kind != "mark":
                    left -= 1
                    if left == 0:
                        lines.flush()
                        return 0
            lines.flush()
    return 0
