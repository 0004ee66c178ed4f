# SPDX-License-Identifier: MIT
"""Which DLLs a Windows wheel's extension is linked with: an error for any but Python's stable one,
KERNEL32 and the C library that is a part of Windows 10. Whatever else it uses, iphlpapi.dll too, it
has to find at run time, so that it loads on every Windows. And an error where it says that its data
may be executed, or that it has to lie at one address.

    python tools/windows/imports.py WHEEL...      needs pefile
"""

from __future__ import annotations

import re
import sys
import zipfile

import pefile

ALLOWED = re.compile(r"python3\.dll|kernel32\.dll|api-ms-win-crt-\w+-l1-1-0\.dll|ucrtbase\.dll")


def imports(image: pefile.PE) -> list[str]:
    image.parse_data_directories([pefile.DIRECTORY_ENTRY["IMAGE_DIRECTORY_ENTRY_IMPORT"]])
    return sorted(entry.dll.decode().lower() for entry in image.DIRECTORY_ENTRY_IMPORT)


def unhardened(image: pefile.PE) -> list[str]:
    """What it lacks of address space layout randomization and of data execution prevention."""
    wanted = ["DYNAMIC_BASE", "NX_COMPAT"]
    if image.OPTIONAL_HEADER.Magic == pefile.OPTIONAL_HEADER_MAGIC_PE_PLUS:
        wanted.append("HIGH_ENTROPY_VA")
    said = image.OPTIONAL_HEADER
    return [name for name in wanted if not getattr(said, f"IMAGE_DLLCHARACTERISTICS_{name}")]


def main(wheels: list[str]) -> int:
    wrong = 0
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            extensions = [name for name in archive.namelist() if name.endswith((".pyd", ".dll"))]
            if not extensions:
                print(f"{wheel}: no extension in it")
                wrong += 1
            for name in extensions:
                image = pefile.PE(data=archive.read(name), fast_load=True)
                found = imports(image)
                others = [dll for dll in found if not ALLOWED.fullmatch(dll)]
                lacks = unhardened(image)
                verdict = f"must not need {', '.join(others)}" if others else ", ".join(found)
                verdict += f"; lacks {', '.join(lacks)}" if lacks else ""
                print(f"{wheel}: {name}: {verdict}")
                wrong += len(others) + len(lacks)
    return 1 if wrong or not wheels else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
