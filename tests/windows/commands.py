# SPDX-License-Identifier: MIT
"""The part of the `ip` command's language that the tests use, parsed.

A command for something that Windows lacks skips the test with the reason; a wrong command is an
error.
"""

from __future__ import annotations

import dataclasses
import functools
import shlex
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NoReturn

IPNetwork = IPv4Network | IPv6Network

OBJECTS = ("link", "address", "route")
VERBS = ("add", "append", "change", "delete", "replace", "set", "show")
FLAGS = {"up", "down", "nodad", "onlink", "permanent", "home", "noprefixroute"}
WITH_VALUE = {
    "address", "brd", "broadcast", "dev", "index", "label", "metric", "mtu", "name", "netns",
    "nhid", "peer", "preference", "preferred_lft", "priority", "proto", "protocol", "scope", "src",
    "table", "tos", "txqueuelen", "type", "valid_lft", "via",
}  # fmt: skip
ALIASES = {"priority": "metric", "preference": "metric", "protocol": "proto", "broadcast": "brd"}
ROUTE_TYPES = {
    "anycast", "blackhole", "broadcast", "local", "multicast", "nat", "prohibit", "throw",
    "unicast", "unreachable",
}  # fmt: skip

# Numbers of protocols: the kernel's, and those that netioapi shows for them on Linux.
PROTOCOL_NAMES = {
    "redirect": 1, "kernel": 2, "boot": 3, "static": 4, "ra": 9, "dhcp": 16, "bgp": 186,
    "isis": 187, "ospf": 188, "rip": 189, "eigrp": 192,
}  # fmt: skip
PROTOCOLS = {1: 4, 2: 2, 3: 3, 4: 3, 9: 3, 16: 3, 186: 14, 187: 9, 188: 13, 189: 8, 192: 16}


class NotThere(AssertionError):
    """An error of a command that `ip` would refuse."""


def unsupported(reason: str) -> NoReturn:
    import pytest

    pytest.skip(f"not on Windows: {reason}")


@dataclasses.dataclass(slots=True)
class Command:
    """`ip [-4|-6] [-json] OBJECT VERB [POSITIONAL...] [WORD VALUE...] [FLAG...]`."""

    family: int = 0  # 4, 6 or 0
    json: bool = False
    object: str = ""
    verb: str = "show"
    positional: list[str] = dataclasses.field(default_factory=list)
    words: dict[str, str] = dataclasses.field(default_factory=dict)
    flags: set[str] = dataclasses.field(default_factory=set)
    peer: str = ""  # the peer of a veth

    def device(self) -> str | None:
        """The link that a command about links names, with or without `dev`."""
        return self.words.get("dev") or (self.positional[0] if self.positional else None)


def _complete(word: str, whole: tuple[str, ...], what: str) -> str:
    """Completes a word as `ip` does, by the first match: `a` is address, `del` is delete."""
    word = {"addr": "address", "list": "show", "ls": "show", "lst": "show"}.get(word, word)
    for candidate in whole:
        if candidate.startswith(word):
            return candidate
    unsupported(f"ip {what} {word!r}")


def _take_options(words: list[str], into: Command) -> None:
    while words and words[0].startswith("-"):
        option = words.pop(0).lstrip("-")
        if option in ("4", "6"):
            into.family = int(option)
        elif option in ("j", "json"):
            into.json = True
        elif option not in ("d", "details", "o", "oneline", "p", "pretty"):
            unsupported(f"ip -{option}")


def _take_rest(words: list[str], into: Command) -> None:
    while words:
        word = words.pop(0)
        word = ALIASES.get(word, word)
        if word in FLAGS:
            into.flags.add(word)
        elif word == "nexthop":
            unsupported("a route of several next hops")
        elif word == "peer" and into.words.get("type") == "veth":
            if words[:1] != ["name"] or len(words) != 2:
                unsupported(f"a peer {words}")
            into.peer = words[1]
            return
        elif word in WITH_VALUE and words:
            into.words[word] = words.pop(0)
        else:
            into.positional.append(word)


def parse(line: str) -> Command:
    words = line.split() if '"' not in line and "'" not in line else shlex.split(line)
    command = Command()
    _take_options(words, command)
    if not words:
        raise NotThere(f"no command: {line!r}")
    command.object = _complete(words.pop(0), OBJECTS, "")
    if words:
        command.verb = _complete(words.pop(0), VERBS, command.object)
    if command.object == "route" and words and words[0] in ROUTE_TYPES:
        kind = words.pop(0)
        if kind != "unicast":
            unsupported(f"a {kind} route")
    _take_rest(words, command)
    return command


@functools.lru_cache(4096)
def network(text: str, family: int) -> IPNetwork:
    """A prefix in the form that `ip` accepts; `family` is 4, 6 or 0."""
    if text in ("default", "all", "any"):
        return ip_network("::/0" if family == 6 else "0.0.0.0/0")
    try:
        return ip_network(text)
    except ValueError as error:
        raise NotThere(f"ip: {error}") from None


def protocol(text: str) -> int:
    """Microsoft's number of a protocol; numbers without a name in the kernel stay as they are."""
    number = PROTOCOL_NAMES.get(text)
    if number is None:
        number = int(text)
    return PROTOCOLS.get(number, number)


def check_main_table(command: Command) -> None:
    if command.words.get("table", "main") not in ("main", "254"):
        unsupported(f"a routing table {command.words['table']}")
