# SPDX-License-Identifier: MIT
"""A program: calls every public callable with arguments of any kind. Arguments: SEED, EXAMPLES.
Each call must return or raise a documented error; a crash ends the program."""

from __future__ import annotations

import enum
import inspect
import math
import sys
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

import netioapi
from tests.linux.library import check

ALLOWED = (TypeError, ValueError, OverflowError, OSError, netioapi.DeadlockError)


class Refused(Exception):
    """An exception that an argument raises itself; it must propagate."""


class RaisesRefused:
    def refuse(self, *_: object) -> Any:
        raise Refused

    __index__ = __float__ = __bool__ = __iter__ = __len__ = __str__ = __hash__ = refuse  # type: ignore[assignment]
    __eq__ = __fspath__ = __getitem__ = __buffer__ = refuse  # type: ignore[assignment]


def endless() -> Any:
    ring: list[Any] = []
    ring.append(ring)
    return ring


def quiet(*_: object) -> None:
    pass


def loud(*_: object) -> None:
    raise Refused


WORDS = [
    "route",
    "address",
    "interface",
    "main",
    "local",
    "lo",
    "exact",
    "covering",
    "GetIpForwardTable2",
]
NETS = ["10.0.0.1", "10.0.0.0/8", "::/0", "fe80::1%lo", "fe80::1%1", "::ffff:1.2.3.4", "1.2.3.4/33"]
NUMBERS = [
    0,
    1,
    2,
    10,
    254,
    255,
    -1,
    2**16,
    2**31,
    2**32 - 1,
    2**32,
    2**63,
    2**64,
    10**400,
    -(10**400),
]
ODD = [None, True, math.nan, math.inf, -math.inf, 1e308, 1j, b"", b"lo", "\ud800", "\0", "x" * 5000]


def things() -> st.SearchStrategy[Any]:
    plain = st.one_of(
        *(st.sampled_from(some) for some in (WORDS, NETS, NUMBERS, ODD)),
        st.integers(),
        st.floats(),
        st.text(max_size=20),
        st.binary(max_size=300),
        st.sampled_from([quiet, loud, netioapi.IpForwardRow, netioapi, object()]),
        st.builds(RaisesRefused),
        st.builds(endless),
        st.builds(netioapi.get_ip_forward_table2),
        st.sampled_from(
            [*netioapi.get_ip_interface_table(), *netioapi.get_unicast_ip_address_table()]
        ),
    )
    several = st.one_of(
        st.lists(plain, max_size=4),
        st.tuples(plain, plain),
        st.dictionaries(st.text(), plain, max_size=2),
    )
    return st.one_of(plain, plain, several)


def names_of(function: Callable[..., Any]) -> list[str]:
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ["family", "timeout", "row", "details"]
    return [one.name for one in found if one.kind is not one.POSITIONAL_ONLY]


def call(function: Callable[..., Any], positional: list[Any], named: dict[str, Any]) -> Any:
    try:
        return function(*positional, **named)
    except (*ALLOWED, Refused, RecursionError, LookupError):
        return None


def use(made: Any, positional: list[Any], named: dict[str, Any]) -> None:
    """Uses the result of a call with more random arguments, and drops it."""
    for one in made if isinstance(made, tuple) else (made,):
        if isinstance(one, netioapi.Registration):
            call(one.cancel, positional, {})
            one.cancel()
        elif isinstance(one, netioapi.Watcher):
            one.stop()  # so that no read waits
            call(one.read, positional, named)
            call(one.close, positional, {})
            one.close()
        elif isinstance(one, netioapi.Table):
            for index in positional:
                call(one.__getitem__, [index], {})
                call(one.__contains__, [index], {})
        elif type(one).__name__.endswith("Row"):
            repr(one), hash(one), one == positional, one._asdict(), one.key
            call(one._asdict, positional, named)


def main(seed: int, examples: int) -> None:
    public = [getattr(netioapi, name) for name in netioapi.__all__]
    callables = [one for one in public if callable(one) and not isinstance(one, enum.EnumType)]
    assert len(callables) >= 27, callables

    def answers(function: Any, positional: list[Any], choices: list[tuple[int, Any]]) -> None:
        names = names_of(function)
        named = {names[n % len(names)]: value for n, value in choices} if names else {}
        use(call(function, positional, named), positional, named)

    check(
        answers, seed, examples, shrink=False,
        function=st.sampled_from(callables),
        positional=st.lists(things(), max_size=4),
        choices=st.lists(st.tuples(st.integers(0, 20), things()), max_size=3),
    )  # fmt: skip
    print("answered", examples)


if __name__ == "__main__":
    sys.unraisablehook = quiet  # exceptions of callbacks do not matter here
    main(int(sys.argv[1]), int(sys.argv[2]))
