# SPDX-License-Identifier: MIT
"""Two BIRDs that speak BGP: one gives routes, the other installs them into the kernel."""

from __future__ import annotations

import re
from pathlib import Path

from tests.real.daemons import Daemon, Daemons, find
from tests.support.processes import run

FEEDER = """
log stderr { warning, error, fatal, bug };
router id 10.0.0.2;
protocol device { scan time 1; }
"""
STATIC = """
protocol static NAME {
  ipvFAMILY;
  include "NAME.routes";
}
"""
# To the other end of the link with this number, with the next hop that ends in HOP.
SESSION = """
protocol bgp givenLINK {
  local 10.0.LINK.2 as 65002;
  neighbor 10.0.LINK.1 as 65001;
  TIMERS
  ipv4 { import none; export filter { bgp_next_hop = 10.0.LINK.HOP; accept; }; };
  ipv6 { import none; export filter { bgp_next_hop = 2001:db8:LINK::HOP; accept; }; };
}
"""
INSTALLER = """
log stderr { warning, error, fatal, bug };
router id 10.0.0.1;
protocol device { scan time 1; }
protocol kernel kernel4 { ipv4 { import none; export all; }; scan time 600; }
protocol kernel kernel6 { ipv6 { import none; export all; }; scan time 600; }
protocol bgp got {
  local 10.0.0.1 as 65001;
  neighbor 10.0.0.2 as 65002;
  TIMERS
  ipv4 { import all; export none; };
  ipv6 { import all; export none; };
}
"""
TIMERS = """direct; check link on; connect retry time 1; connect delay time 1;
  error wait time 1, 2; hold time 30;"""


def filled(template: str, **words: object) -> str:
    for name, value in {"TIMERS": TIMERS, **words}.items():
        template = template.replace(name, str(value))
    return template


def prefixes4(count: int, first: int = 0) -> list[str]:
    """`count` prefixes of /24 inside 20.0.0.0/6."""
    return [f"{20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24" for n in range(first, first + count)]


def prefixes6(count: int, first: int = 0) -> list[str]:
    return [f"2a00:{n >> 8:x}:{n & 255:x}::/48" for n in range(first, first + count)]


class Bird:
    """One BIRD and its control socket."""

    def __init__(self, daemons: Daemons, name: str) -> None:
        self._daemons, self._name = daemons, name
        self._program, self._control = find("bird", "bird2"), find("birdc", "bird2")
        self._socket = daemons.folder / f"{name}.ctl"
        self.daemon: Daemon | None = None

    def start(self, config: Path) -> None:
        """Start it, and wait until it answers."""
        self._socket.unlink(missing_ok=True)
        self.daemon = self._daemons.start(
            self._name, self._program, "-f", "-c", config, "-s", self._socket
        )
        self.daemon.until(lambda: "is up and running" in self.says("show status"), "BIRD is up")

    def says(self, command: str, timeout: float = 60) -> str:
        """The answer to a command of birdc; nothing while nothing answers."""
        words = [self._control, "-s", str(self._socket), *command.split()]
        return run(words, code=None, timeout=timeout).stdout

    def exported(self, protocol: str) -> int:
        """How many routes a kernel protocol has put into the kernel, as it believes."""
        shown = re.search(r"(\d+) exported", self.says(f"show protocols all {protocol}"))
        return int(shown[1]) if shown else 0


class Feed:
    """The files of both, for so many routes: 3 of 4 steady, the rest in protocols that flap."""

    def __init__(self, daemons: Daemons, count4: int, count6: int, links: int = 1) -> None:
        self.count4, self.count6 = count4, count6
        self.flap4, self.flap6 = count4 // 4, count6 // 4
        lists = {
            "steady4": prefixes4(count4 - self.flap4),
            "flap4": prefixes4(self.flap4, count4 - self.flap4),
            "steady6": prefixes6(count6 - self.flap6),
            "flap6": prefixes6(self.flap6, count6 - self.flap6),
        }
        for name, prefixes in lists.items():
            daemons.file(f"{name}.routes", "".join(f"route {one} blackhole;\n" for one in prefixes))
        static = "".join(filled(STATIC, NAME=name, FAMILY=name[-1]) for name in lists)
        self.feeder = {}  # by the last number of the next hop
        for hop in (2, 3):
            sessions = (filled(SESSION, LINK=link, HOP=hop) for link in range(links))
            text = FEEDER + static + "".join(sessions)
            self.feeder[hop] = daemons.file(f"feeder{hop}.conf", text)
        self.installer = daemons.file("installer.conf", filled(INSTALLER))
