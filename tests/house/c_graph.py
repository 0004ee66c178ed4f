# SPDX-License-Identifier: MIT
"""The graph of the C files: which file includes and calls which, its circles, and its rooms.

A unit is a file without its ending (`base/queue.c` and `base/queue.h` are one). The files of one
name in `posix/`, `linux/` and `windows/` are one unit too, since one build has one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

Graph = dict[str, set[str]]

# From the ground up. A file may know its own room and those below, never one beside or above it.
ROOMS = {
    "rtnetlink": [["socket"], ["decode"], ["mirror"], ["engine"], ["api"]],
    "binding": [["values"], ["rows"], ["arrow"], ["queries", "callbacks", "watch"]],
}
# The files of binding that lie in no room: its ground, and its roof.
GROUND, ROOF = {"state", "process", "errors", "functions", "interrupt"}, ["shutdown", "module"]
TEXT = re.compile(r"/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"", re.DOTALL)
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
# A definition as PEP 7 writes it: the result on a line, then the name at the margin.
DEFINITION = re.compile(r"^(?!static\b)[\w* ]+\n(\w+)\([^;{}]*\)[^;{}]*\n\{", re.MULTILINE)


def unit(path: str) -> str:
    return re.sub(r"/(?:posix|linux|windows)(?=/)", "", path.rpartition(".")[0])


def sources(root: Path) -> Iterator[tuple[str, str]]:
    for path in sorted((root / "csrc").rglob("*.[ch]")):
        yield path.relative_to(root / "csrc").as_posix(), path.read_text(encoding="utf-8")


def includes(root: Path) -> Graph:
    graph: Graph = {}
    for path, text in sources(root):
        targets = {unit(target) for target in INCLUDE.findall(text)}
        graph.setdefault(unit(path), set()).update(targets - {unit(path)})
    return graph


def calls(root: Path) -> Graph:
    """Within each tower: a call of a function that another file of the tower defines."""
    code = {path: TEXT.sub("", text) for path, text in sources(root) if path.endswith(".c")}
    home: dict[tuple[str, str], str] = {}
    for path, text in code.items():
        for name in DEFINITION.findall(text):
            home[path.split("/")[0], name] = unit(path)
    graph: Graph = {}
    for path, text in code.items():
        tower = path.split("/")[0]
        known = {home.get((tower, name)) for name in re.findall(r"\w+", text)}
        graph.setdefault(unit(path), set()).update(u for u in known if u and u != unit(path))
    return graph


def circles(graph: Graph) -> list[list[str]]:
    """Each way that leads back to its beginning, once for each place where a walk meets it."""
    found: list[list[str]] = []
    done: set[str] = set()

    def walk(node: str, way: list[str]) -> None:
        if node in way:
            found.append([*way[way.index(node) :], node])
        elif node not in done:
            for target in sorted(graph.get(node, ())):
                walk(target, [*way, node])
            done.add(node)

    for node in sorted(graph):
        walk(node, [])
    return found


def level(node: str) -> int | None:
    """0 is the ground of a tower; None: in no room of it, or a tower without rooms."""
    tower, *room, name = node.split("/")
    if tower not in ROOMS:
        return None
    if not room and tower == "binding":
        if name in ROOF:
            return len(ROOMS[tower]) + 1 + ROOF.index(name)
        return 0 if name in GROUND else None
    return next((n for n, rooms in enumerate(ROOMS[tower], 1) if room and room[0] in rooms), None)


def arrows_up(graph: Graph) -> Iterator[tuple[str, str]]:
    """Arrows to a room above or beside one's own in the same tower."""
    for node, targets in sorted(graph.items()):
        for target in sorted(targets):
            if node.split("/")[0] != target.split("/")[0]:
                continue
            here, there = level(node), level(target)
            same_room = node.rpartition("/")[0] == target.rpartition("/")[0]
            if here is not None and there is not None:
                if there > here or (there == here and not same_room):
                    yield node, target
