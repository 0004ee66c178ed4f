# SPDX-License-Identifier: MIT
"""A corpus as one file, and as the folder of files that libFuzzer works on.

python -m tests.fuzz.corpus split FILE FOLDER
python -m tests.fuzz.corpus both FILE FOLDER      datagrams, in both byte orders
python -m tests.fuzz.corpus join FOLDER FILE
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from pathlib import Path

from . import byteorder

CORPUS = Path(__file__).parent / "corpus"
MAGIC = b"fuzz in\n"  # then each input: its size in 4 bytes, little-endian, and its bytes


def load(path: Path) -> list[bytes]:
    data = path.read_bytes()
    assert data[:8] == MAGIC, f"{path} is no corpus"
    found, at = [], 8
    while at < len(data):
        size = int.from_bytes(data[at : at + 4], "little")
        assert at + 4 + size <= len(data), f"{path} is cut off"
        found.append(data[at + 4 : at + 4 + size])
        at += 4 + size
    return found


def save(path: Path, inputs: Iterable[bytes]) -> None:
    """Writes each input once, the shorter ones first, so that the file changes little."""
    save_in_order(path, sorted(set(inputs), key=lambda one: (len(one), one)))


def save_in_order(path: Path, inputs: Iterable[bytes]) -> None:
    path.write_bytes(MAGIC + b"".join(len(one).to_bytes(4, "little") + one for one in inputs))


def into_folder(folder: Path, inputs: Iterable[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for one in inputs:
        (folder / hashlib.sha1(one).hexdigest()).write_bytes(one)


def main(arguments: list[str]) -> int:
    if len(arguments) != 3 or arguments[0] not in ("split", "both", "join"):
        print(__doc__, file=sys.stderr)
        return 2
    source, target = Path(arguments[1]), Path(arguments[2])
    if arguments[0] == "split":
        into_folder(target, load(source))
    elif arguments[0] == "both":
        into_folder(target, load(source))
        into_folder(target, map(byteorder.turned, load(source)))
    else:
        save(target, (path.read_bytes() for path in source.iterdir() if path.is_file()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
