# SPDX-License-Identifier: MIT
"""The interface conversions of the tower, as a C program calls them: indices, LUIDs and names with
any bytes. The tower is built as a plain library, without Python."""

from __future__ import annotations

import ctypes
import os
import socket
from typing import Any

import pytest

from tests.linux.c_programs import CSRC, FLAGS, INCLUDES, TOWER, compiler, unavailable
from tests.linux.namespace import Namespace
from tests.support.processes import run

FILE_NOT_FOUND, NOT_ENOUGH_MEMORY, INVALID_PARAMETER, INVALID_NAME = 2, 8, 87, 123
LENGTH = 257  # IF_MAX_STRING_SIZE + 1
# Names that the kernel accepts: up to 15 bytes, no space, '/' or ':'.
NAMES = [
    b"v",
    b"fifteen-bytes-x",
    "schnittstelle-ä".encode()[:15],  # cut within a character
    "äöüßéåç".encode(),
    "網路介面卡".encode(),
    "\U0001f310\U0001f310\U0001f310".encode(),
    b"\xff\xfe\x80\xc3",
    b"\xed\xb2\x80",  # a surrogate, which is not UTF-8
    b"\xc1\x81\xf5\x80\x80\x80",  # an overlong zero, and a number that is too large
]


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> Any:
    cc = compiler()
    if cc is None:
        unavailable("no C compiler")
    assert cc is not None
    library = tmp_path_factory.mktemp("tower") / "tower.so"
    sources = [str(source) for pattern in TOWER for source in sorted(CSRC.glob(pattern))]
    run([cc, *FLAGS, *INCLUDES, "-fPIC", "-shared", *sources, "-o", str(library)], timeout=120)
    return ctypes.CDLL(str(library))


def luid_of(tower: Any, index: int) -> Any:
    luid = ctypes.c_uint64(1)
    code = tower.ConvertInterfaceIndexToLuid(index, ctypes.byref(luid))
    assert code == (FILE_NOT_FOUND if luid.value == 0 else 0)
    return luid


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_interface_name_survives_the_conversions(tower: Any, netns: Namespace, name: bytes) -> None:
    text = os.fsdecode(name)
    run(["ip", "link", "add", text, "type", "veth", "peer", "name", "p0"])
    index = next(number for number, each in socket.if_nameindex() if os.fsencode(each) == name)
    luid = luid_of(tower, index)
    assert (luid.value >> 48, luid.value >> 24 & 0xFFFFFF) == (6, index)  # IF_TYPE_ETHERNET
    back = ctypes.c_uint32(0)
    assert tower.ConvertInterfaceLuidToIndex(ctypes.byref(luid), ctypes.byref(back)) == 0
    assert back.value == index
    for to_name, to_luid in (
        (tower.ConvertInterfaceLuidToNameW, tower.ConvertInterfaceNameToLuidW),
        (tower.ConvertInterfaceLuidToAlias, tower.ConvertInterfaceAliasToLuid),
    ):
        buffer = ctypes.create_unicode_buffer(LENGTH)
        assert to_name(ctypes.byref(luid), buffer, ctypes.c_size_t(LENGTH)) == 0
        assert buffer.value == text
        found = ctypes.c_uint64(1)
        assert to_luid(buffer, ctypes.byref(found)) == 0
        assert found.value == luid.value
        # The terminating zero needs room, too; no byte behind the buffer is written.
        exact = ctypes.create_unicode_buffer("x" * (len(text) + 2))
        for short in range(len(text) + 1):
            code = to_name(ctypes.byref(luid), exact, ctypes.c_size_t(short))
            assert code == NOT_ENOUGH_MEMORY
        assert to_name(ctypes.byref(luid), exact, ctypes.c_size_t(len(text) + 1)) == 0
        assert ctypes.wstring_at(exact, len(exact)) == text + "\0x\0"


def test_conversion_of_an_unknown_interface_returns_its_code(tower: Any, netns: Namespace) -> None:
    assert luid_of(tower, 999_999).value == 0
    unknown, index = ctypes.c_uint64(6 << 48 | 999 << 24), ctypes.c_uint32(7)
    code = tower.ConvertInterfaceLuidToIndex(ctypes.byref(unknown), ctypes.byref(index))
    assert (code, index.value) == (INVALID_PARAMETER, 0)
    buffer = ctypes.create_unicode_buffer(LENGTH)
    for to_name in (tower.ConvertInterfaceLuidToNameW, tower.ConvertInterfaceLuidToAlias):
        code = to_name(ctypes.byref(unknown), buffer, ctypes.c_size_t(LENGTH))
        assert code == INVALID_PARAMETER
        assert to_name(None, buffer, ctypes.c_size_t(LENGTH)) == INVALID_PARAMETER
        assert to_name(ctypes.byref(unknown), None, ctypes.c_size_t(0)) == INVALID_PARAMETER
    # Alternative names have up to 127 bytes.
    impossible = ["", "x" * 128, "x" * 4000, "ä" * 64, "x" * 126 + "ä", "\U0010ffff" * 32]
    for to_luid, code in (
        (tower.ConvertInterfaceNameToLuidW, INVALID_NAME),
        (tower.ConvertInterfaceAliasToLuid, INVALID_PARAMETER),
    ):
        for name in impossible:
            luid = ctypes.c_uint64(1)
            assert to_luid(ctypes.c_wchar_p(name), ctypes.byref(luid)) == code, name
            assert luid.value == 0
        for name in ("nosuch", "x" * 16, "ä" * 8, "x" * 127, "ä" * 63 + "x"):
            luid = ctypes.c_uint64(1)
            assert to_luid(ctypes.c_wchar_p(name), ctypes.byref(luid)) == INVALID_PARAMETER
            assert luid.value == 0
        luid = ctypes.c_uint64(1)
        assert to_luid(None, ctypes.byref(luid)) == INVALID_PARAMETER
        assert luid.value == 0
        assert to_luid(ctypes.c_wchar_p("lo"), None) == INVALID_PARAMETER


@pytest.mark.parametrize("name", ["w0", "x" * 16, "ä" * 63 + "x"])
def test_conversion_finds_a_link_by_its_alternative_name(
    tower: Any, netns: Namespace, name: str
) -> None:
    index = netns.veth("v0", "p0", up=False)
    netns.ip(f"link property add dev v0 altname {name}")
    for to_luid in (tower.ConvertInterfaceNameToLuidW, tower.ConvertInterfaceAliasToLuid):
        luid = ctypes.c_uint64(1)
        assert to_luid(ctypes.c_wchar_p(name), ctypes.byref(luid)) == 0
        assert luid.value == luid_of(tower, index).value


@pytest.mark.parametrize("index", [16_777_217, 2_000_000_000, 2**31 - 1])
def test_large_index_and_its_luid_are_converted_to_each_other(
    tower: Any, netns: Namespace, index: int
) -> None:
    netns.ip(f"link add big index {index} type veth peer name p0")
    luid, back = luid_of(tower, index), ctypes.c_uint32(0)
    assert tower.ConvertInterfaceLuidToIndex(ctypes.byref(luid), ctypes.byref(back)) == 0
    assert back.value == index
    buffer = ctypes.create_unicode_buffer(LENGTH)
    code = tower.ConvertInterfaceLuidToAlias(ctypes.byref(luid), buffer, ctypes.c_size_t(LENGTH))
    assert (code, buffer.value) == (0, "big")
    assert luid_of(tower, 2**31).value == luid_of(tower, 2**32 - 1).value == 0
    # Bits of a LUID that no index has select no other interface.
    unknown = ctypes.c_uint64(luid.value | 1 << 8)
    code = tower.ConvertInterfaceLuidToIndex(ctypes.byref(unknown), ctypes.byref(back))
    assert (code, back.value) == (INVALID_PARAMETER, 0)


def test_conversion_finds_names_of_the_callers_namespace_alone(
    tower: Any, netns: Namespace, other_netns: Namespace
) -> None:
    netns.veth("v0", "p0", up=False)
    with other_netns:
        luid = ctypes.c_uint64(1)
        name = ctypes.c_wchar_p("v0")
        assert tower.ConvertInterfaceNameToLuidW(name, ctypes.byref(luid)) == INVALID_PARAMETER
