# SPDX-License-Identifier: MIT
"""How CI counts (tools/checks.py): failures, unsteady tests, sessions that end without a result."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import signal
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.paths import ROOT, repo_text
from tests.support.platforms import linux_only

pytestmark = linux_only("the runner is for the sessions on Linux")

PASSED = '<testcase classname="{0}" name="{1}"/>'
FAILED = '<testcase classname="{0}" name="{1}"><failure message="no"/></testcase>'
ERROR = '<testcase classname="{0}" name="{1}"><error message="no"/></testcase>'
SKIPPED = '<testcase classname="{0}" name="{1}"><skipped message="no"/></testcase>'


def load() -> ModuleType:
    specification = importlib.util.spec_from_file_location("checks", ROOT / "tools/checks.py")
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


checks = load()


class Session:
    """The part of a nox session that Checks uses."""

    name = "test"
    bin_paths: list[str] | None = None

    def error(self, *arguments: object) -> object:
        raise RuntimeError(*arguments)


@contextlib.contextmanager
def session_fails(message: str) -> Iterator[None]:
    """The session that ends in here fails, with these words."""
    with pytest.raises(RuntimeError, match=f"^{re.escape(message)}$"):
        yield


@pytest.fixture
def reports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "reports"
    folder.mkdir()
    monkeypatch.setenv("NETIOAPI_REPORTS", str(folder))
    before = signal.getsignal(signal.SIGTERM)
    yield folder
    signal.signal(signal.SIGTERM, before)


def write(folder: Path, name: str, *cases: str) -> None:
    named = (case.format("tests.t", f"test_{number}") for number, case in enumerate(cases))
    text = f"<testsuites><testsuite>{''.join(named)}</testsuite></testsuites>"
    (folder / f"{name}.xml").write_text(text)


def test_summary_counts_results_of_all_files(reports: Path) -> None:
    write(reports, "lint-checks-1-2", PASSED, FAILED)
    write(reports, "test-quick", PASSED, PASSED, SKIPPED, ERROR)
    lines, passed, failed = checks.summary(reports)
    assert (passed, failed) == (3, 2)
    assert lines == [
        "lint: 1 passed, 1 failed",
        "  FAILED: tests.t::test_1",
        "test-quick: 2 passed, 1 failed, 1 skipped",
        "  FAILED: tests.t::test_3",
    ]


def test_summary_counts_an_error_of_a_teardown_once(reports: Path) -> None:
    both = PASSED.format("tests.t", "test") + ERROR.format("tests.t", "test")
    write(reports, "test-quick", both)
    assert checks.summary(reports)[1:] == (0, 1)


def test_summary_names_a_test_that_passes_only_when_repeated(reports: Path) -> None:
    write(reports, "test-quick", PASSED, FAILED, FAILED)
    write(reports, "test-quick.again", PASSED, PASSED, FAILED)
    lines, passed, failed = checks.summary(reports)
    assert (passed, failed) == (2, 1)
    assert "  UNSTEADY, passed at the second run only: tests.t::test_1" in lines
    assert "  FAILED: tests.t::test_2" in lines


def test_summary_counts_a_failed_session_without_a_failed_test(reports: Path) -> None:
    write(reports, "test-quick", PASSED)
    write(reports, "lint-checks-1-2", FAILED)
    (reports / "sessions-failed").write_text("soak\nlint\n")
    lines, passed, failed = checks.summary(reports)
    assert (passed, failed) == (1, 2)
    assert lines[-1] == "  FAILED: the session soak"


def test_summary_counts_a_broken_file_as_a_failure(reports: Path) -> None:
    (reports / "c-pytest.xml").write_text("<testsuites>")
    assert checks.summary(reports)[1:] == (0, 1)


def test_failed_command_fails_the_session_after_the_last_command(reports: Path) -> None:
    with session_fails("failed: two, four"), checks.Checks(Session()) as run:
        assert run.run("one", sys.executable, "-c", "")
        assert not run.run("two", sys.executable, "-c", "raise SystemExit(3)")
        assert run.run("three", sys.executable, "-c", "")
        assert not run.run("four", "no-such-command")
    lines, passed, failed = checks.summary(reports)
    assert (passed, failed) == (2, 2)
    assert lines[1:] == ["  FAILED: test::two", "  FAILED: test::four"]


def test_command_that_takes_too_long_is_ended_with_its_children(reports: Path) -> None:
    sleeping = "import subprocess; subprocess.run(['sleep', '100'])"
    with session_fails("failed: long"), checks.Checks(Session()) as run:
        assert not run.run("long", sys.executable, "-c", sleeping, seconds=1)


UNSTEADY = """
from pathlib import Path
def test_steady():
    pass
def test_unsteady():
    again = Path(__file__).with_name("again")
    before, _ = again.exists(), again.touch()
    assert before
"""


def test_failed_tests_are_repeated_once(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(UNSTEADY)
    with checks.Checks(Session()) as run:
        assert run.pytest("it", sys.executable, "-c", "/dev/null", "test_it.py", cwd=tmp_path)
    lines, passed, failed = checks.summary(reports)
    assert (passed, failed) == (2, 0)
    assert "UNSTEADY" in lines[1]
    assert lines[1].endswith("test_it::test_unsteady")


FAILS_AT_ITS_END = """
def pytest_sessionfinish(session):
    session.exitstatus = 1
"""


def test_run_that_fails_without_a_failed_test_fails(reports: Path, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(): pass")
    (tmp_path / "conftest.py").write_text(FAILS_AT_ITS_END)
    with session_fails("failed: it"), checks.Checks(Session()) as run:
        assert not run.pytest("it", sys.executable, "-c", "/dev/null", "test_it.py", cwd=tmp_path)
    assert checks.summary(reports)[1:] == (1, 1)


def test_run_without_a_test_fails(reports: Path, tmp_path: Path) -> None:
    with session_fails("failed: it"), checks.Checks(Session()) as run:
        assert not run.pytest("it", sys.executable, "-c", "/dev/null", cwd=tmp_path)
    assert checks.summary(reports)[1:] == (0, 1)


def test_runner_names_existing_tests() -> None:
    runner = [
        ROOT / "noxfile.py",
        *(path for path in (ROOT / "tools").rglob("*") if path.is_file()),
    ]
    named = set()
    for path in runner:
        if path.suffix != ".pyc":
            named |= set(re.findall(r"\btests/[\w/]+\.py(?:::\w+)?", path.read_text("utf-8")))
    assert len(named) > 20
    for name in named:
        file, _, function = name.partition("::")
        assert (ROOT / file).exists(), name
        assert f"def {function}" in repo_text(file), name


def test_hooks_before_a_commit_use_the_tools_of_the_extra_lint() -> None:
    hooks = re.findall(
        r"additional_dependencies: \[\"?([^\]\"]+)", repo_text(".pre-commit-config.yaml")
    )
    extras = tomllib.loads(repo_text("pyproject.toml"))["project"]["optional-dependencies"]
    assert len(hooks) == 5
    assert set(hooks) <= set(extras["lint"])
