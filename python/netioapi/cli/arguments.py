# SPDX-License-Identifier: MIT
"""Arguments that several commands have. A wrong argument is one line and exit code 2."""

from __future__ import annotations

import argparse
import math
import socket
from collections.abc import Callable
from typing import NoReturn

from netioapi.cli.output.words import printable, table_names

WATCHED = ("route", "address", "interface")
MAX_SECONDS = 1_000_000_000.0  # longer times overflow some clocks
MAX_TABLE = 2**32 - 1


class Parser(argparse.ArgumentParser):
    """An ArgumentParser whose errors are one line."""

    def __init__(self, **settings: object) -> None:
        super().__init__(
            **settings,  # type: ignore[arg-type]
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: {printable(message)} (see {self.prog} --help)\n")


def add_filters(parser: argparse.ArgumentParser) -> None:
    family = parser.add_mutually_exclusive_group()
    family.add_argument(
        "-4",
        dest="family",
        action="store_const",
        const=socket.AF_INET,
        default=socket.AF_UNSPEC,
        help="only IPv4",
    )
    family.add_argument(
        "-6", dest="family", action="store_const", const=socket.AF_INET6, help="only IPv6"
    )
    parser.add_argument(
        "--table",
        action="append",
        type=table,
        metavar="N|NAME",
        help="only routes of this routing table; may be given more than once "
        "(default: all but the table local)",
    )
    parser.add_argument(
        "--interface",
        action="append",
        metavar="NAME",
        help="only the interface that has this name or alternative name at the moment, or the one "
        "with this index; may be given more than once",
    )


def kind(*kinds: str) -> Callable[[str], str]:
    """The type of an argument that is one of these kinds."""

    def one(text: str) -> str:
        if text not in kinds:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(kinds)}")
        return text

    return one


def table(text: str) -> int:
    """The number of a routing table, from a number or a name."""
    number = int(text) if text.isdecimal() else table_names().get(text)
    if number is None:
        raise argparse.ArgumentTypeError(f"no routing table is named {text!r}")
    if number > MAX_TABLE:
        raise argparse.ArgumentTypeError(f"{text} is not a routing table: at most {MAX_TABLE}")
    return number


def interfaces(options: argparse.Namespace, *, wait: bool = False) -> list[int | str] | None:
    """The names and indices of --interface. `wait`: a name may be that of no interface yet."""
    import netioapi  # not at import: most calls have no --interface

    if options.interface is None:
        return None
    rows = netioapi.get_ip_interface_table()
    names = {name for row in rows for name in (row.interface_name, *(row.alternative_names or ()))}
    indices = {str(row.interface_index): row.interface_index for row in rows}
    for text in options.interface:
        if text not in names and text not in indices and (not wait or not text):
            options.wrong(f"argument --interface: no interface is named {text!r}")
    return [
        indices[text] if text in indices and text not in names else text
        for text in options.interface
    ]


def count(text: str) -> int:
    """A whole number of at least 1."""
    if not text.isdecimal() or not 1 <= int(text) <= 2**53:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return int(text)


def seconds(text: str) -> float:
    """A time in seconds, at least 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds of at least 0")
    return value
