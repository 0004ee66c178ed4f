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
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from tools import interpreters  # noqa: E402
from tools.checks import Checks  # noqa: E402
from tools.environments import (  # noqa: E402
    EXTRAS,
    PLACE,
    WERROR,
    build_wheel,
    environment,
    executable,
    house_tests,
    installed,
    is_bash,
    package_files,
    python_of,
    tracked,
    wheel_files,
    with_wheel,
)

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "venv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["lint", "types", "test"]

EVERYTHING = ("-m", "")  # pytest's option: the slow tests, too
PLAIN = "pip install . && netioapi demo"  # the README's commands, as they stand there
WITH_TESTS = "pip install '.[test]' && pytest"


@nox.session
def lint(session: nox.Session) -> None:
    """Formats, style, scripts, workflows, prose, and clang's reading of the C code."""
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
        beside = {"PYTHON": str(python)}
        checks.run("locks", executable("analyze"), *must, env=beside)
        checks.run("msvc", executable("msvc"), env=beside)


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


@nox.session(venv_backend="none")
def test(session: nox.Session) -> None:
    """The suite, built from this source; pytest's arguments: `-- -m slow` runs the long tests."""
    python = installed(session, "test")
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
    linux = "tests/linux/test_c.py" if options.linux else "tests/linux"
    choice = [f"--ignore={path}" for path in (*house_tests(), linux)]
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


@nox.session(venv_backend="none")
def c(session: nox.Session) -> None:
    """The C tests without Python, plain and under gcc's sanitizers; the fuzz corpus replayed."""
    python = installed(session, "test")
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


@nox.session(venv_backend="none")
def soak(session: nox.Session) -> None:
    """All features at once, at random, then a check for leaks: `-- --minutes 30`; 2 by default."""
    python = installed(session, "test")
    with Checks(session) as checks:
        checks.run("soak", python, "-m", "tests.soak", *(session.posargs or ["--minutes", "2"]))


@nox.session(venv_backend="none")
def real(session: nox.Session) -> None:
    """Tests that need a real system: the machine's root on Linux, an administrator on Windows."""
    if os.name != "nt" and os.getuid() != 0:
        session.skip("it sets what is the machine's root's alone to set: run it as root")
    python = installed(session, "test")
    root = {"NETIOAPI_REAL_ROOT": "1"}
    with Checks(session) as checks:
        if os.name == "nt":
            # As wheels.yml, and an adapter may be installed. What needs the stand-in is skipped.
            checks.pytest("suite", python, "tests", *session.posargs, env=root)
        else:
            checks.pytest("root", python, "-m", "real", "tests/linux", *session.posargs, env=root)
            checks.pytest("daemons", python, "tests/real", *session.posargs, env=root)


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


@nox.session
def windows(session: nox.Session) -> None:
    """Under Wine: the wheels, and the suite on three CPythons; `-- 3.13` whole, others in short."""
    whole = session.posargs or ["3.13"]
    tidy = [one for one in EXTRAS["lint"] if one.startswith("clang-tidy")]
    session.install("-q", *EXTRAS["wheels"], *tidy)
    python = python_of(session.virtualenv.location)
    new, again = PLACE / "windows", PLACE / "windows-again"
    for folder in (new, again):
        shutil.rmtree(folder, ignore_errors=True)
    build = executable("windows/wheels")
    with Checks(session) as checks:
        checks.run("kit", executable("windows/kit"))
        checks.run("msvc", executable("msvc"), "--all", env={"PYTHON": str(python)})
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
                # In short: without the long tests, the documents and the commands.
                short = ("--ignore=tests/cli", *(f"--ignore={path}" for path in house_tests()))
                chosen = EVERYTHING if version in whole else short
                command = [executable("windows/suite"), "-w", str(wheel), "-p", version, "--"]
                command += chosen
                env = {"NETIOAPI_EXITS": os.environ.get("NETIOAPI_EXITS", "8")}
                checks.tests(version, command, command, prefix="Z:", env=env)
            # As ci.yml's first run on a real Windows, without the stand-in: what cannot run there
            # is skipped.
            own = [executable("windows/suite"), "-o", "-w", str(wheel), "-p", whole[0]]
            checks.tests("own", [*own, "--"], [*own, "--"], prefix="Z:")


@nox.session(venv_backend="none")
def bench(session: nox.Session) -> None:
    """The speed against a C program, `ip monitor`, pyroute2; arguments go to benchmarks."""
    python = installed(session, "bench")
    with Checks(session) as checks:
        checks.run("bench", python, "-m", "benchmarks", *session.posargs)


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Examples, links and help texts in the documents; `-- --commands`: the README's commands."""
    if session.posargs == ["--commands"]:
        return commands(session)
    python = installed(session, "test")
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


MACHINES = "(model or machine) and not large_tables"

# Session, arguments, environment: what takes too long for each commit.
NIGHTLY: tuple[tuple[str, list[str], dict[str, str]], ...] = (
    ("contract", ["--slow", "--linux", "found"], {}),
    ("contract", ["--slow", "newest", "free-threaded"], {}),
    ("test", ["-m", "", "tests/linux/test_faults.py"], {"NETIOAPI_FAULTS": "all"}),
    ("test", ["-m", "", "tests/lifecycle/test_exits.py"], {"NETIOAPI_EXITS": "500"}),
    ("test", ["-m", "", "tests/linux", "-k", MACHINES], {"NETIOAPI_STEPS": "2000"}),
    (
        "test",
        ["-m", "", "tests/linux/test_model.py", "-k", "random"],
        {"NETIOAPI_STEPS": "300", "NETIOAPI_SEEDS": "20", "NETIOAPI_MARKS": "1"},
    ),
    ("c", [], {}),
    ("sanitize", ["address", "--all"], {}),
    ("sanitize", ["thread", "--all"], {}),
    ("sanitize", ["valgrind"], {}),
    ("sanitize", ["debug"], {}),
    ("fuzz", ["--seconds", "120"], {}),
    ("soak", ["--minutes", "10"], {}),
    ("test", ["-m", "slow", "tests/real"], {}),
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
