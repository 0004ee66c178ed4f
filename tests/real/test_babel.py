# SPDX-License-Identifier: MIT
"""babeld: routes of both families through link-local neighbours come and go."""

from __future__ import annotations

from tests.real.daemons import Daemon, Daemons, find
from tests.real.rooms import Rooms
from tests.real.watched import watching

BABEL = 42  # its number as a routing protocol in the kernel


def test_routes_of_a_neighbour(rooms: Rooms, daemons: Daemons) -> None:
    program = find("babeld", "babeld")
    with rooms.other:
        for n in range(30):
            rooms.other.batch(
                f"address add 10.77.{n}.1/32 dev lo\naddress add 2001:db8:77::{n + 1:x}/128 dev lo"
            )

    def start(name: str, link: str, *config: str) -> Daemon:
        files = ("-S", daemons.folder / f"{name}.state", "-I", daemons.folder / f"{name}.pid")
        lines = ["default update-interval 2", "default hello-interval 1", *config]
        words = [word for line in lines for word in ("-C", line)]
        return daemons.start(name, program, *files, *words, link)

    def start_peer() -> Daemon:
        with rooms.other:
            only = "redistribute local ip 10.77.0.0/16", "redistribute local ip 2001:db8:77::/64"
            return start("peer", "p0", *only, "redistribute local deny")

    with watching() as watched:
        peer = start_peer()
        mine = start("mine", "v0", "redistribute local deny")
        watched.until(lambda: watched.routes(BABEL) == 60, "the neighbour's routes")
        watched.quiet()
        peer.stop()
        watched.until(lambda: watched.routes(BABEL) == 0, "the neighbour's end")
        watched.quiet()
        start_peer()
        watched.until(lambda: watched.routes(BABEL) == 60, "the neighbour again")
        watched.quiet()
        rooms.observed.ip("link set v0 down")
        watched.until(lambda: watched.routes(BABEL) == 0, "link down")
        watched.quiet()
        rooms.observed.ip("link set v0 up")
        watched.until(lambda: watched.routes(BABEL) == 60, "link up")
        watched.quiet()
        mine.stop()
        watched.until(lambda: watched.routes(BABEL) == 0, "babeld's end")
        watched.quiet()
