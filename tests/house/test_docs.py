# SPDX-License-Identifier: MIT
"""The documents are true: every example in the README, in docstrings and in examples/ runs, the
help texts equal docs/cli_help.txt, and docs/json.md lists exactly the keys that are printed.

NETIOAPI_UPDATE=1 writes docs/cli_help.txt and docs/api.md anew.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import os
import re
import sys
import textwrap
import threading
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest

from netioapi import Watcher
from tests.support.arrow_libraries import need
from tests.support.cli import COMMAND, Running, live_monitor, netioapi, records
from tests.support.network import Network
from tests.support.paths import ROOT
from tests.support.platforms import linux_only
from tests.support.processes import run

README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "guide.md").read_text(encoding="utf-8")
JSON = (ROOT / "docs" / "json.md").read_text(encoding="utf-8")
HELP = ROOT / "docs" / "cli_help.txt"
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
SOURCES = sorted((ROOT / "python").rglob("*.py*"))

# What an example prints while routes and addresses come and go; for one that ends by itself, its
# whole output.
SAYS = {
    "README 1": r"ADD 203\.0\.113\.0/24 via 0\.0\.0\.0 dev v0",
    "README 2": r"route DELETE <?IpForwardRow.*203\.0\.113\.0/24",
    # The kernel may make the link-local address of p0 within the same half second.
    "README 3": r"changed: \{('p0', )?'v0'(, 'p0')?\}",
    "README 4": r"\d+ routes in \d+ bytes\n(.*\n)+via 0\.0\.0\.0 from 192\.0\.2\.1\n$",
    "guide 1": r"ADD 0\.0\.0\.0/0 via 192\.0\.2\.2",
    "guide 2": r"metrics up to \d+\n\d+ rows of 37 columns\n(.*\n)*.*v0\b.*\bADD\b(.*\n)*$",
    "guide 3": r"INITIAL <netioapi\.Registration NotifyRouteChange2 active delivered=\d+>",
    "callback.py": r"DELETE 203\.0\.113\.0/24 via 0\.0\.0\.0 dev v0",
    "mirror.py": r"\d routes \(exact\)\n(.*\n)*\d+ routes",
    "default_route.py": r"default route: via 192\.0\.2\.2 dev v0",
    "asyncio_watch.py": r"changes of lo, p0, v0\n(.*\n)*\d+ changes of v0",
    "wait_usable.py": r"(?s)usable: 192\.0\.2\.1\n.*$",
    "table.py": r"\d+ bytes\n192\.0\.2\.77 is reached via 0\.0\.0\.0 from 192\.0\.2\.1\n$",
    "run_on_change.py": r"\d+ changes\nhello\n\d+ changes\nhello",
}
ENDS = {"README 4", "guide 2", "wait_usable.py", "table.py"}


def fenced(language: str, page: str = README) -> list[str]:
    blocks = re.findall(r"^```(\w*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    return [text for name, text in blocks if name == language]


PROGRAMS = {
    f"{name} {number}": program
    for name, page in (("README", README), ("guide", GUIDE))
    for number, program in enumerate(fenced("python", page), 1)
}


def docstring_examples() -> Iterator[tuple[str, str]]:
    """Each indented block that is a program: it imports something, or uses a name of the
    package."""
    for path in SOURCES:
        if path.suffix not in (".py", ".pyi"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                text = ast.get_docstring(node) or ""
                for block in re.findall(r"(?:^    .*\n?(?:^\n(?=    ))?)+", text, re.MULTILINE):
                    if re.search(r"^    (import|with|async|for) .*", block, re.MULTILINE):
                        name = getattr(node, "name", path.stem)
                        yield f"{path.relative_to(ROOT)}: {name}", textwrap.dedent(block)


DOCSTRINGS = dict(docstring_examples())


# ---- programs ---------------------------------------------------------------


@pytest.fixture
def busy(netns: Network) -> Iterator[Network]:
    """A network in which a route and an address come and go all the time."""
    netns.veth("v0", "p0")
    netns.ip("address add 192.0.2.1/24 dev v0")
    netns.ip("route add default via 192.0.2.2")
    ended = threading.Event()
    bursts = [
        ("route add 203.0.113.0/24 dev v0", "address add 198.51.100.1/24 dev v0"),
        ("route delete 203.0.113.0/24 dev v0", "address delete 198.51.100.1/24 dev v0"),
    ]
    failed: list[BaseException] = []

    def move() -> None:
        try:
            with netns:
                for burst in cycle(bursts):
                    for line in burst:
                        netns.ip(line)
                        ended.wait(0.05)  # on Windows a row is read after its notification
                    if ended.wait(0.7):  # one burst for settle=0.5
                        return
        except BaseException as error:
            failed.append(error)

    mover = threading.Thread(target=move)
    mover.start()
    yield netns
    ended.set()
    mover.join()
    assert not failed, failed


def runs(program: list[str], name: str) -> None:
    with Running(command=[sys.executable, "-u", *program]) as example:
        if name in ENDS:
            code = example.wait(40)
            said = "\n".join(example.lines) + "\n"
            assert code == 0, example.errors
            assert re.search(SAYS[name], said), said
            return
        example.wait_line(lambda _: re.search(SAYS[name], "\n".join(example.lines)), timeout=40)
        if "input(" in program[-1]:
            example.type("\n")
            assert example.wait() == 0
        assert "Traceback" not in example.errors


@pytest.mark.parametrize("name", PROGRAMS)
def test_documented_program_prints_what_it_promises(busy: Network, name: str) -> None:
    program = PROGRAMS[name]
    for library in sorted({"numpy", "polars", "pyarrow"} & set(re.findall(r"\w+", program))):
        need(library)
    runs(["-c", program], name)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_example_program_runs(busy: Network, path: Path) -> None:
    more = []
    if path.name == "run_on_change.py":
        more = [sys.executable, "-c", "print('hello', flush=True)"]
    runs([str(path), *more], path.name)


def test_every_example_has_a_check() -> None:
    assert set(SAYS) == set(PROGRAMS) | {path.name for path in EXAMPLES}
    assert DOCSTRINGS
    assert all(f"(../examples/{path.name})" in GUIDE for path in EXAMPLES)


@pytest.mark.parametrize("name", DOCSTRINGS)
def test_docstring_example_runs(busy: Network, name: str) -> None:
    """The example runs and prints a change. `...` stands for waiting."""
    program = "import netioapi\nfrom netioapi import Watcher\n" + re.sub(
        r"^\.\.\.$", "import threading; threading.Event().wait(5)", DOCSTRINGS[name], flags=re.M
    )
    with Running(command=[sys.executable, "-u", "-c", program]) as example:
        example.wait_line(lambda line: re.search(r"ADD|DELETE", line), timeout=40)
        assert "Traceback" not in example.errors


# ---- help -------------------------------------------------------------------


def help_texts() -> str:
    env = {"COLUMNS": "80", "NO_COLOR": "1", "PYTHONUTF8": "1"}
    found = []
    for command in ["", "monitor", "show", "get", "demo"]:
        line = f"netioapi {command} --help".replace("  ", " ")
        found.append(f"$ {line}\n{netioapi(*line.split()[1:], env=env).stdout}")
    return "\n".join(found)


def test_help_matches_docs_cli_help() -> None:
    said = help_texts()
    if os.environ.get("NETIOAPI_UPDATE") == "1":
        HELP.write_text(said, encoding="utf-8")
    assert said == HELP.read_text(encoding="utf-8"), "NETIOAPI_UPDATE=1 writes it down anew"


def test_readme_names_existing_commands_and_files() -> None:
    for line in re.findall(r"^netioapi (.+?)(?:  .*)?$", "".join(fenced("")), re.MULTILINE):
        if not line.startswith("demo"):
            with contextlib.suppress(AssertionError):
                run([*COMMAND, *line.split(), "--help"])
                continue
            pytest.fail(f"netioapi {line} --help does not work")
    assert "pip install . && netioapi demo" in [text.strip() for text in fenced("")]
    assert "pip install '.[test]' && pytest" in [text.strip() for text in fenced("")]


@linux_only("a docstring names the system that it describes")
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the page is made with CPython 3.11")
def test_api_page_equals_the_docstrings() -> None:
    made = run([sys.executable, str(ROOT / "tools" / "api_page.py")]).stdout
    page = ROOT / "docs" / "api.md"
    if os.environ.get("NETIOAPI_UPDATE") == "1":
        page.write_text(made, encoding="utf-8")
    assert made == page.read_text(encoding="utf-8"), "tools/api_page.py --write writes it anew"


def test_api_page_has_every_argument_of_the_watcher() -> None:
    page = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    heading = page.partition("\n### Watcher\n")[2].partition("```")[0]
    for parameter in inspect.signature(Watcher).parameters.values():
        assert parameter.name in heading


# ---- JSON -------------------------------------------------------------------


def documented(heading: str) -> set[str]:
    """The keys in the first column of the table below a heading."""
    section = JSON.split(heading, 1)[1].split("\n#", 1)[0]
    first = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    return set(re.findall(r"`(\w+)`", " ".join(first)))


EVERY = documented("## `netioapi monitor --json`")
CHANGES = EVERY | {"initial", "synthesized"}


@pytest.mark.parametrize("kind", ["route", "address", "interface"])
def test_json_keys_match_the_documentation(netns: Network, kind: str) -> None:
    keys = documented(f'### `kind: "{kind}"`')
    netns.veth("v0", "p0")
    netns.ip("address add 192.0.2.1/24 dev v0")
    with live_monitor(kind) as monitor:
        first = monitor.records[0]
        mark = monitor.wait_record(kind="mark")
    assert set(first) == keys | CHANGES
    assert set(mark) == {"time", "kind", "change"}
    (row, *_) = records(netioapi("show", kind, "--json").stdout)
    assert set(row) == keys | {"kind"}


def test_json_keys_of_get_and_other_kinds_match_the_documentation(netns: Network) -> None:
    netns.ip("address add 192.0.2.1/24 dev lo")
    (best,) = records(netioapi("get", "192.0.2.1", "--json").stdout)
    assert set(best) == documented('### `kind: "route"`') | {"kind", "destination", "source"}
    section = JSON.split('### `kind: "teredo"`', 1)[1].split("\n#", 1)[0]
    command = ["monitor", "teredo", "hint", "stable", "--snapshot", "--json", "--count", "3"]
    for record in records(netioapi(*command).stdout):
        line = re.search(rf"^\| `{record['kind']}` \| (.*) \|$", section, re.MULTILINE)
        assert line is not None
        assert set(record) - CHANGES <= set(re.findall(r"`(\w+)`", line[1]))


@linux_only("there are no network namespaces")
def test_json_keys_of_the_demo_match_the_documentation(netns: Network) -> None:
    section = JSON.split("## `netioapi demo --json`", 1)[1].split("\n#", 1)[0]
    lines = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
    for record in records(netioapi("demo", "--json").stdout):
        assert set(record) - {"kind"} <= set(re.findall(r"`(\w+)`", lines[record["kind"]]))
