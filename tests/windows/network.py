# SPDX-License-Identifier: MIT
"""The network of the tests on Windows: the commands of `Namespace` (tests/linux/namespace.py),
carried out in the stand-in iphlpapi.dll, with the effects that Windows adds: an address brings
its routes, a link that comes up brings a link-local address, a link that goes takes everything
with it."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from ipaddress import ip_address, ip_interface
from typing import Any

from tests.support.processes import python
from tests.windows import dll, rows, shown
from tests.windows.commands import (
    Command,
    IPNetwork,
    NotThere,
    check_main_table,
    network,
    parse,
    protocol,
    unsupported,
)
from tests.windows.dll import checked, require_standin
from tests.windows.state import Link, State
from tests.windows.structures import AF_INET, AF_INET6, AF_UNSPEC, IPAddress

__all__ = ["StandinNetwork", "require_standin"]

LINK_SETTING = re.compile(r"(ipv[46])\.conf\.(.+)\.(\w+)")
FIRST_INDEX = 2
LOWEST_MTU6 = 1280


class StandinNetwork:
    """A network for one test, empty at first. It belongs to the process and its children."""

    def __init__(self) -> None:
        require_standin()
        dll.share()
        checked("standin_reset")
        self._lock = threading.RLock()
        self._state = State(self._lock)
        self._next_index = FIRST_INDEX
        self._settings: dict[str, str] = {}

    @property
    def dad_seconds(self) -> float | None:
        """Seconds that an IPv6 address without `nodad` stays tentative: 0 by default; None: until
        `settle()`."""
        return self._state.dad_seconds

    @dad_seconds.setter
    def dad_seconds(self, value: float | None) -> None:
        self._state.dad_seconds = value

    def __enter__(self) -> StandinNetwork:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        self._state.close()
        require_standin().standin_flood_stop()
        checked("standin_reset")

    @property
    def path(self) -> str:
        unsupported("there is one network, and links cannot be moved")

    python = staticmethod(python)

    def ip(self, arguments: str, *, check: bool = True, timeout: float = 90) -> str:
        """Does what `ip ...` does on Linux, as far as Windows can; returns what it would print."""
        command = parse(arguments)
        with self._lock:
            if command.verb != "show":
                try:
                    self._run(command)
                    self._state.derive()
                except NotThere as error:
                    if check:
                        raise NotThere(f"ip {arguments}: {error}") from None
                return ""
            found = self._show(command)
        return json.dumps(found) if command.json else "".join(f"{one}\n" for one in found)

    def batch(self, lines: str, *, timeout: float = 120) -> None:
        """Runs many commands, one per line."""
        with self._lock:
            for line in filter(None, map(str.strip, lines.splitlines())):
                try:
                    self._run(parse(line))
                except NotThere as error:
                    raise NotThere(f"ip {line}: {error}") from None
            self._state.derive()

    def json(self, arguments: str) -> list[dict[str, Any]]:
        """The output of `ip -details -json ...`."""
        with self._lock:
            return self._show(parse(arguments))

    def veth(self, name: str = "v0", peer: str = "p0", *, up: bool = True) -> int:
        """Adds a pair of links, both up unless `up` is false; the index of the first."""
        self.ip(f"link add {name} type veth peer name {peer}")
        if up:
            self.ip(f"link set {name} up")
            self.ip(f"link set {peer} up")
        return self._link(name).index

    def settle(self) -> None:
        """Makes all tentative addresses preferred."""
        with self._lock:
            for row in list(self._state.addresses.values()):
                self._state.prefer(row)

    def sysctl(self, name: str, value: object | None = None) -> str:
        """The few settings below net that Windows has as well."""
        with self._lock:
            found = LINK_SETTING.fullmatch(name)
            if found is None or found[2] not in self._state.links:
                unsupported(f"the setting {name}")
            if value is not None:
                self._set(name, self._link(found[2]), found[3], str(value))
            return self._settings.get(name, "0")

    def _set(self, name: str, link: Link, what: str, value: str) -> None:
        family = AF_INET if name.startswith("ipv4") else AF_INET6
        if what == "forwarding":
            (link.forwarding.add if int(value) else link.forwarding.discard)(family)
            self._state.put_link(link)
        elif what == "disable_ipv6" and family == AF_INET6:
            self._bind(link, not int(value))
        elif what == "addr_gen_mode" and family == AF_INET6:
            link.link_local = int(value) != 1
        else:
            unsupported(f"the setting {name}")
        self._settings[name] = value
        self._state.derive()

    # Commands

    def _run(self, command: Command) -> None:
        do: Callable[[Command], None] | None
        if command.object == "route":
            do = self._change_route
        elif command.object == "address":
            do = self._change_address
        else:
            do = {"add": self._add_link, "set": self._set_link, "delete": self._delete_link}.get(
                command.verb
            )
        if do is None:
            unsupported(f"ip link {command.verb}")
        do(command)

    def _show(self, command: Command) -> list[dict[str, Any]]:
        device = command.device() if command.object != "route" else command.words.get("dev")
        if device is not None:
            self._link(device)
        links = [one for one in self._state.links.values() if device in (None, one.name)]
        if command.object == "link":
            return [shown.link(one) for one in links]
        if command.object == "address":
            return shown.addresses(links, command.family)
        if command.words.get("table", "main") not in ("main", "254", "all"):
            return []
        return shown.routes(links, command.family)

    def _link(self, name: str) -> Link:
        try:
            return self._state.links[name]
        except KeyError:
            raise NotThere(f'Cannot find device "{name}"') from None

    # Links

    def _new_link(self, name: str, index: int, mtu: int) -> Link:
        if name in self._state.links:
            raise NotThere(f"{name}: File exists")
        link = self._state.links[name] = Link(name, index or self._next_index, mtu)
        self._next_index = max(self._next_index, link.index) + 1
        return link

    def _add_link(self, command: Command) -> None:
        name, words = command.device() or command.words.get("name"), command.words
        if name is None or words.get("type") not in ("veth", "dummy"):
            unsupported(f"a link of type {words.get('type')}")
        index, mtu = int(words.get("index", 0)), int(words.get("mtu", 1500))
        if words["type"] == "veth":
            peer = self._new_link(command.peer or f"{name}p", 0, mtu)
            link = self._new_link(name, index, mtu)
            link.peer, peer.peer = peer, link
            self._state.put_link(peer)
        else:
            link = self._new_link(name, index, mtu)
        self._state.put_link(link)

    def _set_link(self, command: Command) -> None:
        link, words = self._link(command.device() or ""), command.words
        if link.name == "lo" and not words and command.flags == {"up"}:
            return  # always so on Windows
        if link.name == "lo" and not words and command.flags == {"up"}:
            return  # always so on Windows
        if link.name == "lo" or "netns" in words or "address" in words:
            unsupported(f"ip link set {link.name} {words or command.flags}")
        if "mtu" in words:
            link.mtu = int(words["mtu"])
            if link.mtu < LOWEST_MTU6:
                unsupported(f"an MTU of {link.mtu}")
        if "name" in words:
            self._state.links[words["name"]] = self._state.links.pop(link.name)
            link.name = words["name"]
        if command.flags & {"up", "down"}:
            link.up = "up" in command.flags
            if link.peer is not None and link.peer.up:
                self._state.put_link(link.peer)
        self._state.put_link(link)

    def _delete_link(self, command: Command) -> None:
        link = self._link(command.device() or "")
        if link.name == "lo":
            raise NotThere("Operation not supported")
        for one in filter(None, (link, link.peer)):
            del self._state.links[one.name]
            checked("standin_delete_interface", AF_UNSPEC, one.index)
            self._state.forget(one.index)

    def _bind(self, link: Link, bound: bool) -> None:
        """Sets whether IPv6 is bound to this interface."""
        if not bound and AF_INET6 in link.families:
            link.families.discard(AF_INET6)
            checked("standin_delete_interface", AF_INET6, link.index)
            self._state.forget(link.index, AF_INET6)
        elif bound and AF_INET6 not in link.families:
            link.families.add(AF_INET6)
            self._state.put_link(link)

    # Routes

    def _change_route(self, command: Command) -> None:
        words, family = command.words, command.family
        check_main_table(command)
        for word in ("src", "tos", "nhid"):
            if word in words:
                unsupported(f"`{word}` of a route")
        if len(command.positional) != 1:
            unsupported(f"a route to {command.positional}")
        via = ip_address(words["via"]) if "via" in words else None
        if via is not None:
            family = via.version
        prefix = network(command.positional[0], family)
        if command.verb == "delete":
            self._delete_route(command, prefix, via)
            return
        if "dev" in words:
            index = self._link(words["dev"]).index
        elif via is not None:
            index = self._state.way_to(via)
        else:
            raise NotThere("RTNETLINK answers: No such device")
        metric = int(words.get("metric", 0))
        # Routes of Windows have no MTU: a change of it is one of the protocol here, which is no
        # part of their key.
        number = int(words["mtu"]) if "mtu" in words else protocol(words.get("proto", "boot"))
        row = rows.route(index, prefix, via, metric, number)
        of_prefix = self._state.routes.get(prefix, {})
        there = [r for r in of_prefix.values() if r.Metric == metric and r.Protocol != rows.LOCAL]
        twin = of_prefix.get(rows.route_key(row))
        if command.verb == "add" and there:
            raise NotThere("RTNETLINK answers: File exists")
        if command.verb in ("add", "append") and twin is not None:
            unsupported("two routes that differ in their metric alone")
        if command.verb == "change" and not there:
            raise NotThere("RTNETLINK answers: No such file or directory")
        if command.verb in ("change", "replace") and there and twin is not there[0]:
            self._state.drop_route(there[0])
        self._state.put_route(row)

    def _delete_route(self, command: Command, prefix: IPNetwork, via: IPAddress | None) -> None:
        words = command.words
        index = self._link(words["dev"]).index if "dev" in words else None
        for row in self._state.routes.get(prefix, {}).values():
            if (
                index in (None, row.InterfaceIndex)
                and via in (None, row.NextHop.address)
                and words.get("metric") in (None, str(row.Metric))
                and ("proto" not in words or protocol(words["proto"]) == row.Protocol)
            ):
                self._state.drop_route(row)
                return
        raise NotThere("RTNETLINK answers: No such process")

    # Addresses

    def _change_address(self, command: Command) -> None:
        if len(command.positional) != 1 or "dev" not in command.words:
            unsupported(f"ip address {command.verb} {command.positional}")
        link, address = self._link(command.words["dev"]), ip_interface(command.positional[0])
        old = self._state.addresses.get((link.index, address.ip))
        if command.verb == "delete":
            if old is None:
                raise NotThere("RTNETLINK answers: Cannot assign requested address")
            self._state.drop_address(old)
            return
        if command.verb == "add" and old is not None:
            raise NotThere("RTNETLINK answers: File exists")
        if (AF_INET6 if address.version == 6 else AF_INET) not in link.families:
            raise NotThere("RTNETLINK answers: Permission denied")
        row = rows.address(link.index, address)
        if old is not None:
            row.CreationTimeStamp = old.CreationTimeStamp
        for word, member in [("valid_lft", "Valid"), ("preferred_lft", "Preferred")]:
            value = command.words.get(word, "forever").removesuffix("sec")
            seconds = rows.FOR_EVER if value == "forever" else int(value)
            setattr(row, f"{member}Lifetime", seconds)
            if seconds == 0:
                row.DadState = rows.DEPRECATED
        dad = "nodad" not in command.flags and old is None and row.DadState == rows.PREFERRED
        self._state.put_address(row, dad=dad)
        if "peer" in command.words:
            peer = ip_interface(command.words["peer"]).network
            self._state.put_route(rows.on_link(link.index, peer))
