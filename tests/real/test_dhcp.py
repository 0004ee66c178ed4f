# SPDX-License-Identifier: MIT
"""DHCP: dnsmasq gives leases, dhclient and dhcpcd take, renew and release them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.daemons import Daemon, Daemons, find, is_machines_root, unavailable
from tests.real.rooms import Rooms
from tests.real.watched import watching


def start_server(rooms: Rooms, daemons: Daemons) -> Daemon:
    """It names no DNS server, so that no client writes one into the machine's resolv.conf."""
    leases = daemons.folder / "leases"
    with rooms.other:
        daemon = daemons.start(
            "dnsmasq",
            find("dnsmasq", "dnsmasq"),
            *("--keep-in-foreground", "--conf-file=/dev/null", "--log-facility=-", "--log-dhcp"),
            *("--port=0", "--user=root", "--group=root", "--interface=p0", "--bind-interfaces"),
            *("--dhcp-range=10.0.0.50,10.0.0.60,120", "--dhcp-authoritative"),
            *("--dhcp-option=option:dns-server", "--no-ping", f"--dhcp-leasefile={leases}"),
            f"--pid-file={daemons.folder / 'dnsmasq.pid'}",
        )
    daemon.until_said("DHCP, IP range")
    return daemon


def dhclient(daemons: Daemons) -> Daemon:
    folder = daemons.folder
    config = daemons.file("dhclient.conf", "request subnet-mask, routers;\nretry 1;\n")
    files = ("-cf", config, "-lf", folder / "client.leases", "-pf", folder / "client.pid")
    program = find("dhclient", "isc-dhcp-client")
    return daemons.start("dhclient", program, "-d", "-4", *files, "v0")


def dhcpcd(daemons: Daemons) -> Daemon:
    if not is_machines_root():
        unavailable("dhcpcd changes its user: NETIOAPI_REAL_ROOT=1, as root")
    config = daemons.file("dhcpcd.conf", "noipv6\nnohook resolv.conf\noption routers\n")
    words = ("--nobackground", "--ipv4only", "--noarp", "--config", config, "v0")
    return daemons.start("dhcpcd", find("dhcpcd", "dhcpcd-base"), *words)


@pytest.mark.parametrize("client", [dhclient, dhcpcd], ids=["dhclient", "dhcpcd"])
def test_lease_is_taken_and_given_back(rooms: Rooms, daemons: Daemons, client: object) -> None:
    assert callable(client)
    rooms.observed.ip("-4 address flush dev v0")
    untouched = Path("/etc/resolv.conf").read_bytes()
    with watching() as watched:
        start_server(rooms, daemons)
        for _ in range(2):
            daemon = client(daemons)
            watched.until(lambda: watched.addresses("10.0.0.") == 1, "a lease")
            watched.until(
                lambda: any(str(key[3]) == "0.0.0.0/0" for key in watched.known("route")),
                "a default route",
            )
            watched.quiet()
            daemon.kill()
            rooms.observed.ip("-4 address flush dev v0")
            watched.until(lambda: not watched.addresses("10.0.0."), "no lease")
            watched.quiet()
    assert Path("/etc/resolv.conf").read_bytes() == untouched
