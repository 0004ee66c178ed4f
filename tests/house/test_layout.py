# SPDX-License-Identifier: MIT
"""The house rules: which room may include which, and the form of every file. Each rule is also
shown to fail."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.house import c_graph
from tests.support.paths import ROOT

MAY_INCLUDE = {
    "contract": {"contract"},
    "base": {"base", "contract", "platform.h"},
    "rtnetlink": {"rtnetlink", "base", "contract"},
    "iphlpapi": {"iphlpapi", "base", "contract"},
    "binding": {"binding", "base", "contract"},
}
# A module may import what stands on its own floor or below, and never in a circle. The modules
# of a package stand on its floor, unless a longer name here says another.
FLOOR = {
    "enums": 0,
    "_native": 1,
    "batch": 2,
    "watcher": 2,
    "": 3,
    "cli.output": 4,
    "cli": 5,
    "__main__": 6,
}
THREAD_LOCAL = re.compile(r"\b(_Thread_local|thread_local|__thread|__declspec\(thread\))")
# The name of a type, not of a struct or a union.
TYPEDEF = re.compile(r"^typedef [\w ]+? \*?(\w+);", re.MULTILINE)
PLATFORM = re.compile(
    r"^\s*#\s*(?:if|ifdef|ifndef|elif)\b.*\b(?:_WIN\w+|WIN32|__linux\w*|linux|__APPLE__|__unix\w*|"
    r"__\w*BSD__|_MSC_VER|__MINGW\w*|__CYGWIN__|NIO_THIS_SYSTEM|NIO_SYSTEM_\w+)\b",
    re.MULTILINE,
)
# The second asks whether the header is the SDK's own or mingw-w64's.
MAY_ASK_PLATFORM = {"csrc/contract/netio.h", "csrc/contract/windows/netioapi.h"}
MACHINE = re.compile(r"(?<![\w.\-*])/(?:work|farm|root|tmp)/|pypi[.]org|pythonhosted")
FOLDERS = ("csrc", "python", "tests", "examples", "benchmarks", "tools", ".ci", ".github")
MADE = {"__pycache__", "build", "dist"}


def files(root: Path, *suffixes: str) -> Iterator[tuple[Path, str]]:
    paths = [p for p in root.iterdir() if p.is_file() and not p.name.startswith(".git")]
    for folder in FOLDERS:
        paths += [p for p in (root / folder).rglob("*") if p.is_file()]
    for path in sorted(paths):
        inside = path.relative_to(root)
        if not MADE & set(inside.parts) and (not suffixes or path.suffix in suffixes):
            try:
                yield inside, path.read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue  # captured datagrams


def includes_point_down(root: Path) -> Iterator[str]:
    for path, text in files(root, ".c", ".h"):
        if path.parts[0] != "csrc":
            continue
        room = path.parts[1]
        for target in re.findall(r'#\s*include\s+"([^"]+)"', text):
            if target.split("/")[0] not in MAY_INCLUDE[room]:
                yield f"{path} includes {target}"
        if room != "binding" and re.search(r'#\s*include\s*[<"](?:Python|structmember)', text):
            yield f"{path} knows Python"


def files_are_short_and_say_what_they_are_for(root: Path) -> Iterator[str]:
    for path, text in files(root, ".c", ".h", ".py", ".pyi"):
        written = re.sub(r"^# ---- [^\n]*: made by .*?^# ---- end of", "", text, flags=re.M | re.S)
        lines = text.splitlines()
        if written.count("\n") > 400:
            yield f"{path} has {len(lines)} lines"
        if lines and lines[0].startswith("#!"):
            del lines[0]
        is_c = path.suffix in (".c", ".h")
        spdx = "SPDX-License-Identifier: MIT"
        first, purpose = (f"/* {spdx} */", ("/* ",)) if is_c else (f"# {spdx}", ('"""', "# "))
        if lines[:1] != [first]:
            yield f"{path} does not open with {first}"
        elif len(lines) < 2 or not lines[1].startswith(purpose):
            yield f"{path} does not say its purpose"
        if is_c and path.suffix == ".h" and "#pragma once" not in text:
            yield f"{path} lacks #pragma once"


def no_circle_among_c_files(root: Path) -> Iterator[str]:
    for verb, graph in (("includes", c_graph.includes(root)), ("calls", c_graph.calls(root))):
        for circle in c_graph.circles(graph):
            yield f" {verb} ".join(circle)


def rooms_of_a_tower_point_down(root: Path) -> Iterator[str]:
    graphs = (("includes", c_graph.includes(root)), ("calls", c_graph.calls(root)))
    for verb, graph in graphs:
        for node, target in c_graph.arrows_up(graph):
            yield f"{node} {verb} {target}"


def every_c_file_lies_in_a_room(root: Path) -> Iterator[str]:
    for path, _ in c_graph.sources(root):
        tower = path.split("/")[0]
        if tower in c_graph.ROOMS and c_graph.level(c_graph.unit(path)) is None:
            yield f"csrc/{path} lies in no room of {tower}"


def functions_are_short(root: Path) -> Iterator[str]:
    for path, text in files(root, ".c", ".h"):
        for body in re.finditer(r"^(\w+)\([^;{}]*\)[^;{}]*\n\{\n(.*?)^\}", text, re.M | re.S):
            if (count := body[2].count("\n")) > 60:
                yield f"{path}: {body[1]} has {count} lines"


def platform_is_a_choice_of_files(root: Path) -> Iterator[str]:
    for path, text in files(root, ".c", ".h"):
        if path.parts[0] == "csrc" and path.as_posix() not in MAY_ASK_PLATFORM:
            yield from (f"{path}: {found[0].strip()}" for found in PLATFORM.finditer(text))


def nobody_asks_for_the_main_interpreter_by_accident(root: Path) -> Iterator[str]:
    """PyGILState_* serves the main interpreter alone, and makes a thread state per call."""
    for path, text in files(root, ".c", ".h"):
        if path.parts[0] == "csrc" and "PyGILState" in text:
            yield f"{path} uses PyGILState"


def no_c_file_has_thread_local_storage(root: Path) -> Iterator[str]:
    """glibc ends the process where a thread's first use of it cannot allocate."""
    for path, text in files(root, ".c", ".h"):
        if path.parts[0] == "csrc" and THREAD_LOCAL.search(text):
            yield f"{path} has thread-local storage"


def every_type_of_the_contract_is_used(root: Path) -> Iterator[str]:
    csrc = {path: text for path, text in files(root, ".c", ".h") if path.parts[0] == "csrc"}
    words = Counter(word for text in csrc.values() for word in re.findall(r"\w+", text))
    for path, text in csrc.items():
        if path.parts[:3] == ("csrc", "contract", "linux"):
            for name in TYPEDEF.findall(text):
                if words[name] < 2:
                    yield f"{path}: {name} is not used"


def no_machine_is_named(root: Path) -> Iterator[str]:
    for path, text in files(root):
        for number, line in enumerate(text.splitlines(), 1):
            if MACHINE.search(line) and path.name != "test_layout.py":
                yield f"{path}:{number}: {line.strip()}"


def _module(path: Path) -> str:
    """`netioapi/cli/show.py` -> `cli.show`; the package itself is the empty name."""
    parts = [*path.with_suffix("").parts[1:]]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _floor(module: str) -> int:
    while module and module not in FLOOR:
        module = module.rpartition(".")[0]
    return FLOOR[module]


def _imports(path: Path, tree: ast.AST, known: set[str]) -> Iterator[tuple[str, bool]]:
    """(module of ours, False) or (top-level module of others, True)."""
    package = path.parent.parts  # ("netioapi", ...)
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            stem = ".".join(filter(None, [base, node.module or ""]))
            members = [f"{stem}.{alias.name}" for alias in node.names]
            ours = [m for m in members if m.removeprefix("netioapi.") in known]
            names = ours if len(ours) == len(members) else [stem, *ours]
        for name in names:
            if name == "netioapi" or name.startswith("netioapi."):
                yield name.removeprefix("netioapi").removeprefix("."), False
            else:
                yield name.split(".")[0], True


def imports_point_down(root: Path) -> Iterator[str]:
    source = root / "python"
    trees = {
        p.relative_to(source): ast.parse(p.read_text(encoding="utf-8"))
        for p in source.rglob("*.py")
    }
    known = {_module(path) for path in trees} | {"_native"}
    arrows: dict[str, set[str]] = {name: set() for name in known}
    for path, tree in trees.items():
        module = _module(path)
        floor = _floor(module)
        for target, foreign in _imports(path, tree, known):
            if foreign:
                continue
            arrows[module].add(target)
            if _floor(target) > floor:
                yield f"{path} imports {target or 'netioapi'}, which stands above it"
        for node in tree.body:  # at import: the standard library and ourselves
            if isinstance(node, ast.Import | ast.ImportFrom):
                for target, foreign in _imports(path, ast.Module([node], []), known):
                    if foreign and target not in sys.stdlib_module_names:
                        yield f"{path} needs {target} at import"
    yield from _circles(arrows)


def _circles(arrows: dict[str, set[str]]) -> Iterator[str]:
    done: set[str] = set()

    def walk(module: str, way: list[str]) -> Iterator[str]:
        if module in way:
            yield "a circle: " + " -> ".join([*way[way.index(module) :], module])
        elif module not in done:
            for target in sorted(arrows.get(module, ())):
                yield from walk(target, [*way, module])
            done.add(module)

    for module in sorted(arrows):
        yield from walk(module, [])


RULES: list[Callable[[Path], Iterator[str]]] = [
    includes_point_down,
    files_are_short_and_say_what_they_are_for,
    no_circle_among_c_files,
    rooms_of_a_tower_point_down,
    every_c_file_lies_in_a_room,
    functions_are_short,
    platform_is_a_choice_of_files,
    nobody_asks_for_the_main_interpreter_by_accident,
    no_c_file_has_thread_local_storage,
    every_type_of_the_contract_is_used,
    no_machine_is_named,
    imports_point_down,
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_house_rule_holds(rule: Callable[[Path], Iterator[str]]) -> None:
    assert list(rule(ROOT)) == []


C = "/* SPDX-License-Identifier: MIT */\n/* Something. */\n"
PY = '# SPDX-License-Identifier: MIT\n"""Something."""\n'
# What stands there before: two.c and two.h know one.c and one.h of their room.
MIRROR = "csrc/rtnetlink/mirror"
KNOWS = {
    f"{MIRROR}/two.h": C + '#pragma once\n#include "rtnetlink/mirror/one.h"\n',
    f"{MIRROR}/two.c": C + "int\ntwo(void)\n{\n    return one();\n}\n",
}
BREAKS: list[tuple[Callable[[Path], Iterator[str]], str, str]] = [
    (includes_point_down, "csrc/binding/a.c", '#include "rtnetlink/engine/engine.h"\n'),
    (includes_point_down, "csrc/rtnetlink/a.c", '#  include "binding/state.h"\n'),
    (includes_point_down, "csrc/base/a.c", "#include <Python.h>\n"),
    (includes_point_down, "csrc/contract/a.h", '#include "base/lock.h"\n'),
    (files_are_short_and_say_what_they_are_for, "csrc/base/a.c", C + "\n" * 399),
    (files_are_short_and_say_what_they_are_for, "tests/a.py", PY + "\n" * 399),
    (files_are_short_and_say_what_they_are_for, "tests/a.py", '"""Something."""\n'),
    (files_are_short_and_say_what_they_are_for, "csrc/base/a.c", C.split("\n")[0] + "\n\nint a;"),
    (no_circle_among_c_files, f"{MIRROR}/one.h", '#include "rtnetlink/mirror/two.h"\n'),
    (no_circle_among_c_files, f"{MIRROR}/one.c", "int\none(void)\n{\n    return two();\n}\n"),
    (rooms_of_a_tower_point_down, "csrc/rtnetlink/decode/a.c", f'#include "{MIRROR[5:]}/two.h"\n'),
    (rooms_of_a_tower_point_down, "csrc/rtnetlink/socket/a.c", "int\na(void)\n{\n    two();\n}\n"),
    (rooms_of_a_tower_point_down, "csrc/binding/watch/a.h", '#include "binding/queries/b.h"'),
    (rooms_of_a_tower_point_down, "csrc/binding/errors.c", '#include "binding/values/enums.h"\n'),
    (every_c_file_lies_in_a_room, "csrc/rtnetlink/more/a.c", C),
    (every_c_file_lies_in_a_room, "csrc/binding/more.c", C),
    (functions_are_short, "csrc/base/a.h", C + "int\na(int b)\n{\n" + "    b++;\n" * 61 + "}\n"),
    (functions_are_short, "csrc/base/a.c", C + "int\na(int b)\n{\n" + "    b++;\n" * 61 + "}\n"),
    (platform_is_a_choice_of_files, "csrc/base/a.c", "#ifdef _WIN32\n#endif\n"),
    (platform_is_a_choice_of_files, "csrc/binding/a.c", "#if defined(__linux__)\n#endif\n"),
    (nobody_asks_for_the_main_interpreter_by_accident, "csrc/binding/a.c", "PyGILState_Ensure();"),
    (no_c_file_has_thread_local_storage, "csrc/base/a.c", "static _Thread_local int a;"),
    (every_type_of_the_contract_is_used, "csrc/contract/linux/a.h", "typedef UINT8 IFTYPE;\n"),
    (no_machine_is_named, ".ci/run", "cd /" + "work/here"),
    (no_machine_is_named, "a.toml", 'x = "/tmp/x"'),
    (imports_point_down, "python/netioapi/enums.py", "from . import _native\n"),
    (imports_point_down, "python/netioapi/watcher/__init__.py", "from netioapi.cli import main\n"),
    (imports_point_down, "python/netioapi/watcher/__init__.py", "import netioapi\n"),
    (imports_point_down, "python/netioapi/cli/__init__.py", "import rich\n"),
    (imports_point_down, "python/netioapi/cli/output/a.py", "from netioapi.cli import main\n"),
    (imports_point_down, "python/netioapi/watcher/one.py", "from .two import x\n"),
]


@pytest.mark.parametrize(("rule", "name", "text"), BREAKS)
def test_house_rule_reports_a_violation(
    rule: Callable[[Path], Iterator[str]], name: str, text: str, tmp_path: Path
) -> None:
    for room in FOLDERS:
        (tmp_path / room).mkdir()
    for module in ("__init__", "enums", "watcher/__init__", "watcher/two", "cli/__init__"):
        path = tmp_path / f"python/netioapi/{module}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PY + ("from .one import y\n" if module.endswith("two") else ""))
    for known, content in KNOWS.items():
        (tmp_path / known).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / known).write_text(content)
    assert list(rule(tmp_path)) == []
    broken = tmp_path / name
    broken.parent.mkdir(parents=True, exist_ok=True)
    broken.write_text(text)
    assert len(list(rule(tmp_path))) == 1
