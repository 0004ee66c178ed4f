# SPDX-License-Identifier: MIT
"""Every link from one document to another leads to a file that exists, and to a heading in it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.support.paths import ROOT

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
IMAGE = re.compile(r"!\[[^\]]*\]\(([^)\s]+)\)|<img[^>]*\ssrc=\"([^\"]+)\"")
ELSEWHERE = re.compile(r"[a-z]+:")


def documents(root: Path) -> list[Path]:
    places = [root, *(root / name for name in ("docs", "csrc", "tests", "benchmarks", "examples"))]
    return [path for place in places for path in sorted(place.glob("*.md"))] + sorted(
        (root / "tests").glob("*/*.md")
    )


def anchors(text: str) -> set[str]:
    """The names of the headings, as a web page of the repository gives them."""
    plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ +(.+?) *$", plain, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}


def broken(root: Path) -> Iterator[str]:
    for path in documents(root):
        text = path.read_text(encoding="utf-8")
        plain = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
        found = LINK.findall(plain) + [a or b for a, b in IMAGE.findall(plain)]
        for link in found:
            if ELSEWHERE.match(link):
                continue
            name, _, anchor = link.partition("#")
            target = path.parent / name if name else path
            if not target.exists():
                yield f"{path.relative_to(root).as_posix()}: {link}: no such file"
            elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
                yield f"{path.relative_to(root).as_posix()}: {link}: no such heading"


def test_links_lead_to_files_and_headings() -> None:
    assert {path.name for path in documents(ROOT)} >= {"README.md", "CONTRIBUTING.md", "json.md"}
    assert list(broken(ROOT)) == []


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(
        "# A, and B\n[1](#a-and-b) [2](docs) [3](https://example.org/x) ![4](gone.png)\n"
        "[5](gone.md) [6](#c)\n```\n[7](in a block)\n# C\n```\n[8](docs/one.md#two)\n"
    )
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/one.md").write_text("## Two\n[9](../README.md#a-and-b) [10](two.md)\n")
    assert list(broken(tmp_path)) == [
        "README.md: gone.md: no such file",
        "README.md: #c: no such heading",
        "README.md: gone.png: no such file",
        "docs/one.md: two.md: no such file",
    ]
