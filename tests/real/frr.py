# SPDX-License-Identifier: MIT
"""One FRR router: zebra, which installs routes through nexthop objects, and its protocols."""

from __future__ import annotations

import json
from typing import Any

from tests.real.daemons import Daemon, Daemons, find, is_machines_root, unavailable
from tests.support.processes import run

PACKAGE = "frr"


class Frr:
    """zebra and what runs beside it, in the network of the thread that starts them."""

    def __init__(self, daemons: Daemons, name: str) -> None:
        if not is_machines_root():
            unavailable("FRR changes its user: NETIOAPI_REAL_ROOT=1, as root")
        self._vtysh = find("vtysh", PACKAGE)
        self._daemons, self._name = daemons, name
        self._folder = daemons.folder_of(name, "frr")
        self.running: dict[str, Daemon] = {}

    def start(self, program: str, config: str = "") -> None:
        """Start one of FRR's programs, and wait until it answers."""
        path = self._folder / f"{program}.conf"
        path.write_text(f"log stdout warnings\n{config}")
        self.running[program] = daemon = self._daemons.start(
            f"{self._name}-{program}",
            *(find(program, PACKAGE), "-f", path, "--vty_socket", self._folder),
            *("-z", self._folder / "zserv.api", "-i", self._folder / f"{program}.pid", "-P", "0"),
        )
        daemon.until(lambda: "FRR" in self.says(program, "show version"), f"{program} answers")

    def says(self, program: str, *commands: str) -> str:
        """What vtysh prints for these commands; nothing while the program does not answer."""
        words = [self._vtysh, "--vty_socket", str(self._folder), "-d", program]
        for command in commands:
            words += ["-c", command]
        done = run(words, code=None, env={"VTYSH_HISTFILE": "/dev/null"})
        return done.stdout if done.returncode == 0 else ""

    def configure(self, program: str, *lines: str) -> None:
        said = self.says(program, "configure terminal", *lines)
        assert not said.strip(), said

    def table(self, family: str) -> dict[str, Any]:
        """zebra's routes of "ip" or "ipv6", by prefix."""
        found: dict[str, Any] = json.loads(self.says("zebra", f"show {family} route json") or "{}")
        return found

    def legs(self, protocol: str) -> int:
        """How many next hops zebra says that it has put into the kernel for a protocol's routes."""
        return sum(
            sum(1 for hop in one["nexthops"] if hop.get("fib"))
            for family in ("ip", "ipv6")
            for routes in self.table(family).values()
            for one in routes
            if one["protocol"] == protocol and one.get("installed")
        )
