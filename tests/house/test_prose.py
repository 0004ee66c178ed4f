# SPDX-License-Identifier: MIT
"""The prose check (tools/prose.py) finds its idioms, leaves plain sentences alone, and passes."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.paths import ROOT


def load() -> ModuleType:
    """tools/ is no package of ours to import from."""
    specification = importlib.util.spec_from_file_location("prose", ROOT / "tools/prose.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


prose = load()


@pytest.mark.parametrize(
    "text",
    [
        "Whoever reads it owns it.",
        "In who waits in a read they are blocked.",
        "/* Freed by\n * who takes it. */",
        "# the thread would wait for\n# himself\n",
        "Nobody needs the rest.",
        "A gap where memory is short.",
        "The Watcher is told at once.",
        "It tells of each change.",
        "a lock of its own kind",
        "The snapshot has what was there.",
    ],
)
def test_an_idiom_is_found(text: str) -> None:
    assert len(list(prose.idioms(text))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Threads that wait in a read have their signals blocked.",
        "A caller without rights gets an error.",
        "The two can be told apart by their keys.",
        "users who know rtnetlink",
        "An allocation failure appears as an overflow.",
    ],
)
def test_a_plain_sentence_is_left_alone(text: str) -> None:
    assert list(prose.idioms(text)) == []


def test_an_idiom_has_its_line_and_advice(tmp_path: Path) -> None:
    path = tmp_path / "read.c"
    path.write_text("/* One.\n * Two: it waits for\n * himself. */\n")
    (found,) = prose.check([path])
    assert found.startswith(f"{path}:3: 'himself'; better: itself")


def test_the_project_is_free_of_idioms() -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("not a git checkout, or no git")
    assert list(prose.check(prose.tracked())) == []
