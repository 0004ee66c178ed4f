# SPDX-License-Identifier: MIT
"""Exceptions: their code and function, a message that names the remedy, pickle and copy."""

from __future__ import annotations

import copy
import errno
import pickle

import pytest

import netioapi
from netioapi import DeadlockError, InvalidParameterError, NetioError
from tests.support.leaks import leaks

CODES = {
    2: errno.ENOENT,
    5: errno.EACCES,
    6: errno.EBADF,
    8: errno.ENOMEM,
    21: errno.EAGAIN,
    31: errno.EIO,
    50: errno.ENOSYS,
    87: errno.EINVAL,
    123: errno.EINVAL,
    127: errno.ENOSYS,
    1131: errno.EDEADLK,
    1168: errno.ENOENT,
    1231: errno.ENETUNREACH,
    1232: errno.EHOSTUNREACH,
    1722: errno.ECONNREFUSED,
    1753: errno.ECONNREFUSED,
    5023: errno.EAGAIN,
}


@pytest.mark.parametrize("code", CODES)
def test_error_message_names_function_code_and_remedy(code: int) -> None:
    error = NetioError(code, "NotifyRouteChange2")
    what, remedy = str(error).split(f" (error {code}): ")
    function, text = what.split(": ", 1)
    assert function == "NotifyRouteChange2"
    assert text
    assert not text.endswith(".")
    assert remedy
    assert (error.code, error.function) == (code, "NotifyRouteChange2")
    assert error.errno == CODES[code]
    assert error.strerror == str(error)


def test_unknown_error_code_has_no_remedy() -> None:
    error = NetioError(4711, "GetIpForwardTable2")
    assert str(error).endswith("(error 4711)")
    assert error.errno == errno.EIO


def test_exception_classes_have_documented_bases() -> None:
    assert issubclass(NetioError, OSError)
    assert issubclass(InvalidParameterError, NetioError)
    assert issubclass(InvalidParameterError, ValueError)
    assert issubclass(DeadlockError, RuntimeError)
    assert not issubclass(DeadlockError, NetioError)
    for kind in (NetioError, InvalidParameterError, DeadlockError):
        assert kind.__module__ == "netioapi"
        assert kind.__doc__
        assert "Source:" in kind.__doc__


class Own(InvalidParameterError):
    """A user's subclass."""


@pytest.mark.parametrize("kind", [NetioError, InvalidParameterError, Own])
@pytest.mark.parametrize("detail", [(), ("the family is wrong",)])
def test_error_survives_pickle_and_copy(kind: type[NetioError], detail: tuple[str]) -> None:
    error = kind(87, "GetBestRoute2", *detail)
    error.__notes__ = ["a note"]
    protocols = range(pickle.HIGHEST_PROTOCOL + 1)
    twins = [pickle.loads(pickle.dumps(error, protocol)) for protocol in protocols]
    for twin in [*twins, copy.copy(error), copy.deepcopy(error)]:
        assert type(twin) is kind
        assert twin is not error
        assert (twin.code, twin.function, str(twin)) == (87, "GetBestRoute2", str(error))
        assert (twin.errno, twin.args) == (error.errno, error.args)
        assert twin.__notes__ == ["a note"]


def test_error_detail_replaces_text_and_remedy() -> None:
    error = InvalidParameterError(87, "GetBestRoute2", "the family is wrong")
    assert str(error) == "GetBestRoute2: the family is wrong (error 87)"


@pytest.mark.parametrize(
    "arguments", [(), (8,), ("8", "F"), (8, 9), (8, "F", "", 1), (8, "F\0"), (None, None)]
)
def test_error_with_wrong_arguments_raises(arguments: tuple[object, ...]) -> None:
    with pytest.raises((TypeError, ValueError)):
        NetioError(*arguments)  # type: ignore[arg-type]


def test_deadlock_error_survives_pickle() -> None:
    assert str(pickle.loads(pickle.dumps(DeadlockError("no")))) == "no"


def test_invalid_parameter_is_caught_as_value_error_and_os_error() -> None:
    with pytest.raises(ValueError, match="AF_UNSPEC"):
        netioapi.get_ip_forward_table2(99)
    with pytest.raises(OSError, match="not 99") as caught:
        netioapi.get_ip_forward_table2(99)
    assert isinstance(caught.value, InvalidParameterError)
    assert (caught.value.code, caught.value.function) == (87, "GetIpForwardTable2")


def test_raising_errors_leaks_nothing() -> None:
    kept: list[object] = []

    def fail() -> None:
        with pytest.raises(NetioError):
            netioapi.get_ip_forward_table2(99)
        NetioError(8, "NotifyRouteChange2")

    assert not leaks(fail)
    assert leaks(lambda: kept.append(NetioError(8, "F"))), "the test can fail"
