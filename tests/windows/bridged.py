# SPDX-License-Identifier: MIT
"""The Windows end of the bridge: a network that a Linux kernel changes. The kernel's changes go
into the stand-in's tables, which notify as Windows does. See bridge.py."""

from __future__ import annotations

import json
import os
import socket
import threading
from ipaddress import IPv4Interface, IPv6Interface, ip_address, ip_interface, ip_network
from typing import Any

from tests.windows import rows
from tests.windows.dll import checked, require_standin
from tests.windows.structures import AF_INET, AF_INET6

DELETE = 2
ERROR_FILE_NOT_FOUND, ERROR_NOT_FOUND = 2, 1168
TIMEOUT_S = 20.0  # seconds for an answer of the other end


class BridgedNetwork:
    """The kernel's network beyond the bridge: `ip` changes it."""

    def __init__(self) -> None:
        checked("standin_reset")
        port = int(os.environ["NETIOAPI_BRIDGE"])
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
        self._socket.settimeout(None)
        self._condition = threading.Condition()
        self._answers: list[dict[str, Any]] = []
        self._synced = False
        self._ended = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        try:
            self._wait(lambda: self._synced)
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> BridgedNetwork:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_WR)  # then the other end closes
        self._reader.join(TIMEOUT_S)
        self._socket.close()
        checked("standin_reset")

    def ip(self, arguments: str) -> str:
        """Runs `ip ...` at the other end, and returns its output."""
        self._socket.sendall(json.dumps({"ip": arguments}).encode() + b"\n")
        self._wait(lambda: bool(self._answers))
        answer = self._answers.pop()
        assert answer["code"] == 0, f"ip {arguments}: {answer['error']}"
        return str(answer["out"])

    def json(self, arguments: str) -> list[dict[str, Any]]:
        """The output of `ip -details -json ...`."""
        printed = self.ip(f"-details -json {arguments}")
        found = json.loads(printed) if printed.strip() else []
        return [one for one in found if one]

    def _wait(self, predicate: Any) -> None:
        with self._condition:
            arrived = self._condition.wait_for(lambda: predicate() or self._ended, TIMEOUT_S)
            assert not self._ended, f"no answer over the bridge: {self._ended}"
            assert arrived, "no answer over the bridge"

    def _read(self) -> None:
        try:
            for line in self._socket.makefile("r", encoding="utf-8"):
                message = json.loads(line)
                if "kind" in message and message["kind"] != "synced":
                    self._apply(message)
                with self._condition:
                    if "code" in message:
                        self._answers.append(message)
                    self._synced |= message.get("kind") == "synced"
                    self._condition.notify_all()
            self._end("it was closed")
        except Exception as error:  # also a row that the stand-in refuses
            self._end(repr(error))

    def _end(self, why: str) -> None:
        with self._condition:
            self._ended = why
            self._condition.notify_all()

    def _apply(self, change: dict[str, Any]) -> None:
        """Puts one change of the kernel into the stand-in's tables."""
        deleted = change["type"] == DELETE
        index = change["index"]
        if change["kind"] == "route":
            via = ip_address(change["next_hop"].partition("%")[0])
            route = rows.route(
                index,
                ip_network(change["prefix"]),
                None if via.is_unspecified else via,
                change["metric"],
                change["protocol"],
            )
            _change("route", deleted, route)
        elif change["kind"] == "address":
            text, _, length = change["address"].partition("/")
            of: IPv4Interface | IPv6Interface = ip_interface(f"{text.partition('%')[0]}/{length}")
            address = rows.address(index, of)
            address.DadState = change["dad_state"]
            _change("address", deleted, address)
        else:
            family = AF_INET6 if change["version"] == 6 else AF_INET
            adapter = rows.interface(family, index, change["mtu"], change["connected"])
            arguments = (family, index) if deleted else (adapter, change["name"])
            _change("interface", deleted, *arguments)


def _change(noun: str, deleted: bool, *arguments: Any) -> None:
    if not deleted:
        checked(f"standin_put_{noun}", *arguments)
        return
    code = getattr(require_standin(), f"standin_delete_{noun}")(*arguments)
    # On Windows a deleted interface takes its addresses and routes with it; the kernel reports
    # each.
    assert code in (0, ERROR_FILE_NOT_FOUND, ERROR_NOT_FOUND), f"delete {noun}: error {code}"
