# SPDX-License-Identifier: MIT
"""Everything that people and CI run. `nox -l` lists it; `nox -s NAME -- ARGUMENTS` runs one.

`pip install nox` is all that has to be there; .ci/needs installs the Debian packages. What is
after `--` goes to the command of the session; CONTRIBUTING.md says how long each takes.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from tools import interpreters  # noqa: E402
from tools.checks import Checks  # noqa: E402

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "test"]

PLACE = ROOT / ".nox" / "made"  # beside the environments of the sessions
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
WERROR = {"NETIOAPI_WERROR": "1"}
EVERYTHING = ("-m", "")  # pytest's option: the slow tests, too
PLAIN = "pip install . && netioapi demo"  # the README's commands, as they stand there
WITH_TESTS = "pip install '.[test]' && pytest"


def python_of(folder: Path | str) -> Path:
    """The interpreter of a virtual environment."""
    return Path(folder, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))


def environment(session: nox.Session, name: str, python: str) -> Path:
    """The Python of a new, empty virtual environment of another CPython than this session's."""
    place = PLACE / "environments" / name
    session.run(python, "-m", "venv", "--clear", str(place), external=True)
    return python_of(place)


def forget_build() -> None:
    """Without this a module that was moved would stay in the wheel, in its old place."""
    for old in ROOT.glob("build/lib*"):
        shutil.rmtree(old)


def install(session: nox.Session, *extras: str) -> Path:
    """Build and install this checkout with these extras; the Python of the session."""
    forget_build()
    session.install("-q", f".[{','.join(extras)}]")
    return python_of(session.virtualenv.location)


def executable(name: str) -> str:
    """The path of one of tools/ or of what .ci/needs installs."""
    return str(ROOT / "tools" / name)


def tracked(*patterns: str) -> list[str]:
    listed = ["git", "ls-files", *patterns]
    return subprocess.run(
        listed, cwd=ROOT, text=True, check=True, capture_output=True
    ).stdout.split()


@nox.session
def lint(session: nox.Session) -> None:
    """Formats, style, scripts, workflows, prose, and clang's check of the lock annotations."""
    session.install("-q", *EXTRAS["lint"])
    python = python_of(session.virtualenv.location)
    scripts = [path for path in tracked(".ci", "tools", "tests") if is_bash(ROOT / path)]
    with Checks(session) as checks:
        checks.run("ruff check", "ruff", "check", ".")
        checks.run("ruff format", "ruff", "format", "--check", ".")
        checks.run("clang-format", "clang-format", "--dry-run", "-Werror", *tracked("*.c", "*.h"))
        checks.run("prose", python, executable("prose.py"))
        checks.run("shellcheck", "shellcheck", *scripts)
        checks.run("actionlint", "actionlint", "-shellcheck", "shellcheck")
        zizmor = ("zizmor", "-q", "--offline", "--persona=pedantic", "--strict-collection", ".")
        checks.run("zizmor", *zizmor)
        # CI has mingw's headers: without them the half for Windows is not read.
        must = ["--windows"] if os.environ.get("CI") == "true" else []
        checks.run("locks", executable("analyze"), *must, env={"PYTHON": str(python)})


def is_bash(path: Path) -> bool:
    with path.open("rb") as file:
        return file.readline().strip() == b"#!/usr/bin/env bash"


@nox.session
def types(session: nox.Session) -> None:
    """mypy strict over the package; stubtest of the stub against the extension."""
    # Older Pythons lack a few methods that the stub rightly names.
    newest = interpreters.find("3.13") or sys.executable
    python = environment(session, "types", newest)
    mypy = [one for one in EXTRAS["lint"] if one.startswith("mypy")]
    session.run(str(python), "-m", "pip", "install", "-q", ".[test]", "nox", *mypy, external=True)
    with Checks(session) as checks:
        checks.run("mypy", python, "-m", "mypy")
        checks.run("stubtest", python, "-m", "mypy.stubtest", "netioapi._native")


@nox.session
def test(session: nox.Session) -> None:
    """The suite, built from this source; pytest's arguments: `-- -m slow` runs the long tests."""
    python = install(session, "test")
    with Checks(session) as checks:
        checks.pytest("-".join(session.posargs)[:60] or "quick", python, *session.posargs)


@nox.session(venv_backend="none")
def contract(session: nox.Session) -> None:
    """The suite of all systems, from a wheel: `-- 3.12 newest free-threaded` (--help: more)."""
    parser = argparse.ArgumentParser("nox -s contract --")
    parser.add_argument("--wheels", type=Path, help="their folder; else one is built")
    parser.add_argument("--slow", action="store_true", help="the long tests, too")
    parser.add_argument(
        "--linux", action="store_true", help="tests/linux, too, without the C rooms"
    )
    parser.add_argument(
        "pythons",
        nargs="*",
        default=[sys.executable],
        metavar="PYTHON",
        help="a version, `newest`, `free-threaded`, a path; `found`: all of 3.11 to 3.13",
    )
    options = parser.parse_args(session.posargs)
    choice = ["--ignore=tests/linux/test_c.py" if options.linux else "--ignore=tests/linux"]
    choice += EVERYTHING if options.slow else ()
    with Checks(session) as checks:
        wheels = options.wheels or PLACE / "wheels"
        if options.wheels is None:
            build_wheel(session, wheels)
        for name in interpreters.expand(options.pythons):
            try:
                python = with_wheel(session, name, wheels.resolve())
            except (LookupError, subprocess.CalledProcessError, nox.command.CommandFailed) as error:
                checks.record(f"CPython {name}", 0.0, str(error))
                continue
            # Where the library of a Python is not compiled, its first start does it for the rest.
            compiling = {"PYTHONDONTWRITEBYTECODE": ""}
            label = interpreters.version_of(name) if os.sep in name else name
            checks.pytest(label, python, *choice, env=compiling)


def build_wheel(session: nox.Session, folder: Path) -> None:
    """The manylinux wheel of this checkout, with warnings as errors, alone in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    oldest = interpreters.find("3.11") or sys.executable  # of which the abi3 wheel is made
    python = environment(session, "build", oldest)
    session.run(str(python), "-m", "pip", "install", "-q", *EXTRAS["wheels"], external=True)
    env = {**WERROR, "PYTHON": str(python)}
    session.run(executable("manylinux"), str(folder), env=env, external=True)


def with_wheel(session: nox.Session, name: str, wheels: Path) -> Path:
    """The Python of a new environment of CPython `name`: the wheel, and what the tests use."""
    base = interpreters.get(name, PLACE / "pythons")
    python = environment(session, f"contract-{Path(name).name}", base)
    pip = (str(python), "-m", "pip", "install", "-q")
    if interpreters.is_free_threaded(base) and not any(wheels.glob("*t-*.whl")):
        forget_build()
        session.run(*pip, "--no-deps", str(ROOT), external=True)  # it has no limited API
    else:
        found = ("--no-index", "--no-deps", "--find-links", str(wheels))
        session.run(*pip, *found, "netioapi", external=True)
    binary = "--only-binary=:all:"
    try:
        session.run(*pip, binary, *EXTRAS["test-basic"], *others("test"), external=True)
    except nox.command.CommandFailed:
        session.warn(
            f"not all that the extra `test` names has wheels for {name}: those of the rest"
        )
        session.run(*pip, binary, *EXTRAS["test-basic"], external=True)
    return python


def others(extra: str) -> list[str]:
    """What an extra names beside other extras of ours."""
    return [one for one in EXTRAS[extra] if not one.startswith("netioapi[")]


@nox.session
def c(session: nox.Session) -> None:
    """The C tests without Python, plain and under gcc's sanitizers; the fuzz corpus replayed."""
    python = install(session, "test")
    chosen = session.posargs or ["tests/linux/test_c.py", "tests/linux/test_fuzz.py"]
    with Checks(session) as checks:
        checks.pytest("pytest", python, *EVERYTHING, *chosen)


@nox.session
def sanitize(session: nox.Session) -> None:
    """Concurrency under `-- thread`, `address`, `valgrind` or `debug`; by default the first two."""
    python = {"PYTHON": str(python_of(session.virtualenv.location))}
    with Checks(session) as checks:
        for choice in [session.posargs] if session.posargs else [["thread"], ["address"]]:
            checks.run(" ".join(choice), executable("sanitize"), *choice, env=python)


@nox.session
def fuzz(session: nox.Session) -> None:
    """libFuzzer on the decoder, the mirror and the replies; arguments go to tools/fuzz."""
    keep = ["--keep", str(PLACE / "fuzz")]
    with Checks(session) as checks:
        checks.run("fuzz", executable("fuzz"), *keep, *session.posargs)


@nox.session
def soak(session: nox.Session) -> None:
    """All features at once, at random, then a check for leaks: `-- --minutes 30`; 2 by default."""
    python = install(session, "test")
    with Checks(session) as checks:
        checks.run("soak", python, "-m", "tests.soak", *(session.posargs or ["--minutes", "2"]))


@nox.session
def real(session: nox.Session) -> None:
    """Tests that need a real system: the machine's root on Linux, an administrator on Windows."""
    if os.name != "nt" and os.getuid() != 0:
        session.skip("it sets what is the machine's root's alone to set: run it as root")
    python = install(session, "test")
    with Checks(session) as checks:
        if os.name == "nt":
            # With changes of this machine's routes and addresses, then all that changes nothing.
            checks.pytest("real", python, "tests/windows/test_real.py", *session.posargs)
            quiet = ("bad_input", "enums", "errors", "fields", "row_keys", "rows")
            files = [f"tests/api/test_{name}.py" for name in quiet]
            checks.pytest("quiet", python, *files, "tests/house/test_import.py", *session.posargs)
        else:
            chosen = ("-m", "real", "tests/linux", *session.posargs)
            checks.pytest("root", python, *chosen, env={"NETIOAPI_REAL_ROOT": "1"})


@nox.session
def wheels(session: nox.Session) -> None:
    """The Linux wheel into dist/ or `-- FOLDER`, with warnings as errors, and its audits."""
    folder = Path(*session.posargs[:1] or ["dist"]).absolute()
    session.install("-q", *EXTRAS["wheels"])
    with Checks(session) as checks:
        new = PLACE / "wheels"
        build_wheel(session, new)
        folder.mkdir(parents=True, exist_ok=True)
        for built in new.glob("*.whl"):
            shutil.copy(built, folder)
            wheel = folder / built.name
            print(wheel.name)
            checks.run("auditwheel", "auditwheel", "show", wheel)
            checks.run("abi3audit", "abi3audit", "--strict", wheel)
            checks.run("check-wheel-contents", "check-wheel-contents", wheel)
            missing = package_files() - wheel_files(wheel)
            checks.record("files", 0.0, f"the wheel lacks {sorted(missing)}" if missing else "")


def package_files() -> set[str]:
    return {path.removeprefix("python/") for path in tracked("python")}


def wheel_files(wheel: Path) -> set[str]:
    import zipfile

    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@nox.session
def windows(session: nox.Session) -> None:
    """Under Wine: the wheels, and the suite on three CPythons; `-- 3.13` whole, others in short."""
    whole = session.posargs or ["3.13"]
    session.install("-q", *EXTRAS["wheels"])
    python = python_of(session.virtualenv.location)
    new, again = PLACE / "windows", PLACE / "windows-again"
    for folder in (new, again):
        shutil.rmtree(folder, ignore_errors=True)
    build = executable("windows/wheels")
    with Checks(session) as checks:
        checks.run("kit", executable("windows/kit"))
        checks.run("wheels", build, new, "amd64", "arm64", "win32", env=WERROR)
        built = sorted(new.glob("*.whl"))
        checks.run("abi3audit", "abi3audit", "--strict", *built)
        checks.run("check-wheel-contents", "check-wheel-contents", new)
        checks.run("imports", python, executable("windows/imports.py"), *built)
        if checks.run("the same wheel again", build, again, "amd64", env=WERROR):
            wheel = next(new.glob("*-win_amd64.whl"))
            same = wheel.read_bytes() == (again / wheel.name).read_bytes()
            checks.record("reproducible", 0.0, "" if same else "it is another wheel")
            for version in interpreters.VERSIONS:
                marks = EVERYTHING if version in whole else ()
                command = (executable("windows/suite"), "-w", wheel, "-p", version, "--", *marks)
                checks.tests(version, command, command, prefix="Z:")


@nox.session
def bench(session: nox.Session) -> None:
    """The speed against a C program, `ip monitor`, pyroute2; arguments go to benchmarks."""
    python = install(session, "bench")
    with Checks(session) as checks:
        checks.run("bench", python, "-m", "benchmarks", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Examples, links and help texts in the documents; `-- --commands`: the README's commands."""
    if session.posargs == ["--commands"]:
        return commands(session)
    python = install(session, "test")
    chosen = ("tests/house/test_docs.py", "tests/house/test_links.py", *session.posargs)
    with Checks(session) as checks:
        checks.pytest("pytest", python, *EVERYTHING, *chosen)


def commands(session: nox.Session) -> None:
    """The README's two commands as they stand there, each in a clean checkout and environment."""
    said = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    with Checks(session) as checks:
        for name, command in (("demo", PLAIN), ("suite", WITH_TESTS)):
            if command not in said:
                checks.record(name, 0.0, f"the README does not say: {command}")
                continue
            place = PLACE / f"readme-{name}"
            shutil.rmtree(place, ignore_errors=True)
            session.run("git", "clone", "-q", str(ROOT), str(place), external=True)
            empty = environment(session, f"readme-{name}", sys.executable)
            env = {"PATH": str(empty.parent), "PIP_QUIET": "1"}
            if command == PLAIN:
                checks.run(name, "bash", "-c", command, cwd=place, env=env, seconds=300)
            else:
                first, again = ("bash", "-c", command), ("bash", "-c", "pytest")
                checks.tests(name, first, again, cwd=place, env=env, by_environment=True)


# Session, arguments, environment: what takes too long for each commit.
NIGHTLY: tuple[tuple[str, list[str], dict[str, str]], ...] = (
    ("contract", ["--slow", "--linux", "found"], {}),
    ("contract", ["--slow", "newest", "free-threaded"], {}),
    ("test", ["-m", "", "tests/linux/test_faults.py"], {"NETIOAPI_FAULTS": "all"}),
    ("test", ["-m", "", "tests/lifecycle/test_exits.py"], {"NETIOAPI_EXITS": "500"}),
    ("test", ["-m", "", "tests/linux", "-k", "model or machine"], {"NETIOAPI_STEPS": "2000"}),
    ("c", [], {}),
    ("sanitize", ["address", "--all"], {}),
    ("sanitize", ["thread", "--all"], {}),
    ("sanitize", ["valgrind"], {}),
    ("sanitize", ["debug"], {}),
    ("fuzz", ["--seconds", "120"], {}),
    ("soak", ["--minutes", "10"], {}),
    ("windows", [*interpreters.VERSIONS], {}),
)


@nox.session(venv_backend="none")
def nightly(session: nox.Session) -> None:
    """All that takes too long for each commit, in hours; `-- fuzz soak` names parts of it."""
    failed = []
    for name, arguments, env in NIGHTLY:
        if session.posargs and name not in session.posargs:
            continue
        command = [sys.executable, "-m", "nox", "-s", name, "--", *arguments]
        if subprocess.run(command, cwd=ROOT, env={**os.environ, **env}).returncode:
            failed.append(" ".join([name, *arguments]))
    if failed:
        session.error(f"failed: {'; '.join(failed)}")
