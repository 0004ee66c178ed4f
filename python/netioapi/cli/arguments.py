# SPDX-License-Identifier: MIT
"""What commands have in common on the command line. A mistake is one line and exit code 2."""

from __future__ import annotations

import argparse
import math
import socket
from collections.abc import Callable
from typing import NoReturn

from netioapi.cli.output.words import printable, table_names

WATCHED = ("route", "address", "interface")
LONGEST = 1_000_000_000.0  # seconds; beyond it clocks overflow
MAX_TABLE = 2**32 - 1


class Parser(argparse.ArgumentParser):
    """An ArgumentParser that says what is wrong in one line."""

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
        type=interface,
        metavar="NAME",
        help="only this interface; may be given more than once",
    )


def kind(*kinds: str) -> Callable[[str], str]:
    """An argument that is one of these."""

    def one(text: str) -> str:
        if text not in kinds:
            raise argparse.ArgumentTypeError(f"{text!r} is none of {', '.join(kinds)}")
        return text

    return one


def table(text: str) -> int:
    """A routing table's number."""
    number = int(text) if text.isdecimal() else table_names().get(text)
    if number is None:
        raise argparse.ArgumentTypeError(f"no routing table is named {text!r}")
    if number > MAX_TABLE:
        raise argparse.ArgumentTypeError(f"{text} is not a routing table: at most {MAX_TABLE}")
    return number


def interface(text: str) -> int:
    """An interface's index, from its name or the index itself."""
    import netioapi  # not at import: most commands are given no interface

    named = {row.interface_name: row.interface_index for row in netioapi.get_ip_interface_table()}
    if text in named:
        return named[text]
    if text.isdecimal() and int(text) in named.values():
        return int(text)
    raise argparse.ArgumentTypeError(f"no interface is named {text!r}")


def count(text: str) -> int:
    """A number from 1."""
    if not text.isdecimal() or not 1 <= int(text) <= 2**53:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1")
    return int(text)


def seconds(text: str) -> float:
    """A time from 0 on."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= LONGEST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds from 0")
    return value
