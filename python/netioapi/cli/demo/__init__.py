# SPDX-License-Identifier: MIT
"""Show netioapi at work in a network namespace of its own, which ends with the command. It needs no
root and no `ip` command, and does not change the network of this machine."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import TYPE_CHECKING

from netioapi.cli.arguments import count

if TYPE_CHECKING:
    from netioapi.cli.demo.screen import Screen

LIVE_SECONDS = 3.0
MOST_ROUTES = 10_000_000
FEWEST_ROUTES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--routes",
        type=_routes,
        metavar="N",
        default=1000,
        help="how many routes to add and delete (default: 1000)",
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print one JSON object per step; docs/json.md has the keys",
    )


def _routes(text: str) -> int:
    number = count(text)
    if not FEWEST_ROUTES <= number <= MOST_ROUTES:
        raise argparse.ArgumentTypeError(
            f"{text} routes: the demo needs {FEWEST_ROUTES} to {MOST_ROUTES}"
        )
    return number


def run(options: argparse.Namespace) -> int:
    from netioapi.cli.demo.screen import screen

    show = screen(json=options.json)
    reason = _in_namespace(options, show)
    if isinstance(reason, int):
        return reason
    show.show_forbidden(reason, LIVE_SECONDS)
    return _live(options.json)


def _in_namespace(options: argparse.Namespace, show: Screen) -> int | str:
    """The exit code of a child process that runs the demo; or the reason why it cannot.

    It is a child process because a failed attempt to get a namespace can leave a process without
    its previous one.
    """
    if not hasattr(os, "fork"):
        return "this system has no network namespaces"
    parent = os.getpid()
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(reading)
        return _child(options, show, writing, parent)
    os.close(writing)
    with open(reading, "rb") as pipe:
        reason = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if reason:
        return reason
    if os.WIFSIGNALED(status):
        os.kill(parent, os.WTERMSIG(status))  # by the same signal
    return os.waitstatus_to_exitcode(status)


def _child(options: argparse.Namespace, show: Screen, writing: int, parent: int) -> int:
    from netioapi.cli.demo import namespace
    from netioapi.cli.demo.links import Links
    from netioapi.cli.demo.story import Story

    try:
        namespace.enter()
        namespace.die_with_parent(signal.SIGTERM, parent)
        links = Links()
    except namespace.Forbidden as error:
        os.write(writing, str(error).encode())
        os.close(writing)
        return 1
    os.close(writing)
    with links.kernel:
        return 0 if Story(show, links, options.routes).run() else 1


def _live(json: bool) -> int:
    from netioapi.cli.arguments import WATCHED
    from netioapi.cli.output.lines import Lines
    from netioapi.cli.stream import Stream

    lines = Lines(json=json)
    with Stream(list(WATCHED), family=0) as stream:
        for events in stream.events(LIVE_SECONDS):
            for event in events:
                lines.write(event)
            lines.flush()
    return 0
