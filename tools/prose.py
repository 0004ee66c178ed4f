# SPDX-License-Identifier: MIT
"""Finds idioms that a newcomer has to decode: `python tools/prose.py [FILE ...]`, all tracked text
by default. A sentence names its noun first: threads, callers, readers, an allocation failure."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERBS = (
    "adds|asks|calls|closes|comes|deletes|does|gets|goes|had|has|holds|is|joins|keeps|leaves|looks|"
    "makes|reads|registers|sees|takes|waits|wants|was|writes"
)
# Each pattern with what to write instead. The alternatives are written so that this file is clean.
IDIOMS = {
    r"who(?:so)?ever": "the noun: a thread, a caller, a reader",
    rf"who (?:alone |also |then |still )?(?:{VERBS})": "the noun, then `that` or `which`",
    r"nobody|somebody": "no thread, another caller, unused",
    r"(?:him|her)self": "itself",
    r"(?:memory|room) (?:is|was|gets|runs) short|short of memory": "an allocation failure",
    r"without memory": "when an allocation fails",
    r"(?:is|are|be|was|were|been|being) told(?! apart)|tells? (?:him|it|them|us) ": (
        "signal, wake, enqueue or report"
    ),
    r"(?:told|tells?) of": "report",
    r"of (?:its|their) own kind": "the kind itself",
    r"ever[ -]new": "an unbounded number of",
    r"what was (?:not )?there": "the rows, routes or links that existed",
}
PATTERN = re.compile(rf"(?<![\w-])(?:{'|'.join(f'({one})' for one in IDIOMS)})\b", re.IGNORECASE)
SUFFIXES = {".c", ".h", ".md", ".py", ".pyi", ".toml", ".yml", ".yaml", ".txt", ""}
SKIPPED = {"LICENSE", "tools/prose.py", "tests/house/test_prose.py"}
SKIPPED_FOLDERS = ("tests/fuzz/corpus/",)


def idioms(text: str) -> Iterator[tuple[int, str, str]]:
    """The line, the words, and what to write instead. An idiom may go over the end of a line."""
    # The start of a comment's next line is no part of its sentence.
    joined = re.sub(r"\n[ \t]*(?:\*|#|//)?[ \t]*", lambda m: " " * (len(m[0]) - 1) + "\n", text)
    flat = joined.replace("\n", " ")
    squeezed = re.sub(r" +", " ", flat)
    # Positions in the squeezed text, and the lines they come from.
    lines, line, blank = [], 1, False
    for character in joined:
        if character == "\n":
            line += 1
        if character in " \n":
            if not blank:
                lines.append(line)
            blank = True
        else:
            lines.append(line)
            blank = False
    for found in PATTERN.finditer(squeezed):
        assert found.lastindex is not None
        advice = list(IDIOMS.values())[found.lastindex - 1]
        yield lines[found.start()], found[0], advice


def check(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # captured datagrams
        for line, words, advice in idioms(text):
            yield f"{path}:{line}: {words!r}; better: {advice}"


def tracked(root: Path = ROOT) -> list[Path]:
    """The tracked text files of the checkout that are checked."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    )
    return [
        root / name
        for name in listed.stdout.split("\0")
        if name
        and Path(name).suffix in SUFFIXES
        and name not in SKIPPED
        and not name.startswith(SKIPPED_FOLDERS)
        and (root / name).is_file()
    ]


def main(arguments: list[str]) -> int:
    chosen = [Path(one).resolve() for one in arguments]
    wanted = tracked()
    wrong = list(check(path for path in wanted if not chosen or path in chosen))
    print(*wrong, sep="\n", end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
