# SPDX-License-Identifier: MIT
"""Parses our netioapi.h, and the nldef.h that it includes: the enums and structs that tests compare
Python with."""

from __future__ import annotations

import re

from tests.support.paths import repo_text
from tests.support.platforms import WINDOWS

TEXT = "".join(
    re.sub(
        r"/\*.*?\*/",
        "",
        repo_text(f"csrc/contract/linux/{name}"),
        flags=re.DOTALL,
    )
    for name in ("nldef.h", "netioapi.h")
)
SYSTEM = "windows" if WINDOWS else "linux"
LAYOUT = "".join(repo_text(f"csrc/contract/{name}") for name in ("layout.h", f"{SYSTEM}/layout.h"))


def snake(word: str) -> str:
    """`DestinationPrefix` -> `destination_prefix`."""
    return re.sub(r"(?<=.)([A-Z])", r"_\1", word).lower()


def enum(name: str) -> dict[int, str]:
    """{number: name in the header} of an enum."""
    found = re.search(rf"typedef enum \w+ \{{([^}}]*)\}} {name};", TEXT)
    assert found, name
    words: dict[int, str] = {}
    number = 0
    for item in filter(None, map(str.strip, found[1].split(","))):
        word, _, value = map(str.strip, item.partition("="))
        number = int(value) if value else number
        words[number] = word
        number += 1
    return words


def members(name: str) -> list[str]:
    """The members of a struct, in order."""
    found = re.search(rf"typedef struct _{name} \{{(.*?)\n\}} {name}", TEXT, re.DOTALL)
    assert found, name
    return re.findall(r"(\w+)(?:\[\d+\])?(?: : \d+)?;", found[1])


def offsets(name: str) -> dict[str, int]:
    """{member: offset} as the compiler checks them; on Windows without the members of Linux
    alone."""
    pairs = re.findall(rf"NIO_AT\({name}, (\w+), (\d+)\)", LAYOUT)
    return {member: int(offset) for member, offset in pairs if int(offset) < size(name)}


def size(name: str) -> int:
    found = re.search(rf"NIO_SIZE\({name}, (\d+)\)", LAYOUT)
    assert found, name
    return int(found[1])
