# SPDX-License-Identifier: MIT
"""keepalived: virtual addresses of both families and a virtual route move between two networks."""

from __future__ import annotations

from tests.real.daemons import Daemon, Daemons, find
from tests.real.rooms import Rooms
from tests.real.watched import watching

CONFIG = """
global_defs {
  vrrp_garp_master_delay 0
  vrrp_garp_master_repeat 1
  vrrp_startup_delay 0
}
vrrp_instance four {
  state BACKUP
  interface LINK
  virtual_router_id 51
  priority PRIORITY
  advert_int 0.1
  version 3
  virtual_ipaddress {
    10.0.0.100/24 dev LINK
    10.99.0.1/32 dev LINK scope link
  }
  virtual_routes {
    10.98.0.0/16 via 10.0.0.3 dev LINK metric 7
  }
}
vrrp_instance six {
  state BACKUP
  interface LINK
  virtual_router_id 52
  priority PRIORITY
  advert_int 0.1
  version 3
  virtual_ipaddress {
    fe80::100/64 dev LINK
    2001:db8:0::100/64 dev LINK
  }
}
"""


def test_virtual_addresses_move(rooms: Rooms, daemons: Daemons) -> None:
    program = find("keepalived", "keepalived")

    def start(name: str, link: str, priority: int) -> Daemon:
        text = CONFIG.replace("LINK", link).replace("PRIORITY", str(priority))
        config = daemons.file(f"{name}.conf", text)
        pids = [f"--{one}={daemons.folder / name}.{one}" for one in ("pid", "vrrp_pid")]
        words = ["--dont-fork", "--log-console", "--vrrp", f"--use-file={config}"]
        return daemons.start(name, program, *words, *pids)

    def start_peer() -> Daemon:
        with rooms.other:
            return start("peer", "p0", 50)

    with watching() as watched:

        def here(wanted: bool) -> None:
            addresses = ("10.0.0.100", "10.99.0.1", "fe80::100", "2001:db8::100")

            def moved() -> bool:
                """keepalived's number as a routing protocol is 18."""
                found = [*(watched.addresses(one) for one in addresses), watched.routes(18)]
                return found == [wanted] * 5

            watched.until(moved, "the addresses are here" if wanted else "they are elsewhere")
            watched.quiet()

        peer = start_peer()
        mine = start("mine", "v0", 100)
        here(True)
        for _ in range(2):
            mine.stop()
            here(False)
            mine = start("mine", "v0", 100)
            here(True)
        with rooms.other:
            rooms.other.ip("link set p0 down")
        here(False)
        with rooms.other:
            rooms.other.ip("link set p0 up")
        here(True)
        peer.stop()
        mine.kill()
        watched.quiet()
        assert watched.addresses("10.0.0.100"), "a dead keepalived's addresses stay"
        again = start("again", "v0", 100)
        again.until(
            lambda: again.said().count("Entering MASTER STATE") == 2, "it takes over its addresses"
        )
        here(True)
        again.stop()
        here(False)
