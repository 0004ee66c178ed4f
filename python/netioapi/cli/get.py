# SPDX-License-Identifier: MIT
"""Print the best route to an address, and the source address that the system would use."""

from __future__ import annotations

import argparse
import ipaddress
import sys


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("address", type=_address, metavar="ADDRESS", help="an IPv4 or IPv6 address")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object; docs/json.md has the keys"
    )


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an IPv4 or IPv6 address") from None


def run(options: argparse.Namespace) -> int:
    import netioapi
    from netioapi.cli.output.describe import Describer
    from netioapi.cli.output.records import line, row_record
    from netioapi.cli.output.words import address_text

    row, source = netioapi.get_best_route2(options.address)
    if options.json:
        found = {"kind": "best_route", "destination": str(options.address), "source": str(source)}
        sys.stdout.write(line({**found, **row_record(row)}) + "\n")
    else:
        text = Describer().route(row)
        sys.stdout.write(f"{options.address}: {text}, from {address_text(source)}\n")
    return 0
