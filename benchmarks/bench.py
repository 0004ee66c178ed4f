# SPDX-License-Identifier: MIT
"""What every scenario needs: the subject, the options, the programs and the namespaces."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import kernel
from benchmarks.namespace import Namespace
from benchmarks.process import Problem, Process

REFERENCE = "reference"  # each subject is compared with it


@dataclass(frozen=True)
class Subject:
    """`command`: words with {family}, {count} and {phases}. A first word with a dot is a module and
    a function of benchmarks.programs, one in benchmarks.build.PROGRAMS is compiled, any other is
    found on PATH."""

    name: str
    label: str
    command: str
    largest: int = 1_000_000  # the most routes that it is measured with
    foreign: bool = False  # a program that reports nothing itself
    package: str = ""  # the folder of the netioapi that it imports; else the installed one

    @property
    def is_ours(self) -> bool:
        return "." in self.command.split()[0] and self.name != "pyroute2"

    def is_named(self, scenario: str, names: list[str]) -> bool:
        """By its own name, its scenario's, or both."""
        return any(one in (scenario, self.name, f"{scenario}/{self.name}") for one in names)


@dataclass
class Options:
    subjects: list[str] = field(default_factory=list)
    routes: list[int] = field(default_factory=list)
    family: int | None = None
    runs: int | None = None
    quick: bool = False
    against: str | None = None
    pairs: int = 21
    json: Path | None = None
    chart: Path | None = None


class Bench:
    """Makes a namespace at its first use, and again after a failure left its routes behind."""

    def __init__(self, programs: dict[str, str], options: Options) -> None:
        self.programs = programs
        self.options = options
        self._namespaces: dict[bool, Namespace] = {}

    def namespace(self, *, privileged: bool = False) -> Namespace:
        """With the privileges of the machine's root, where this process has them, or without."""
        privileged = privileged and kernel.may_force_buffers()
        if privileged not in self._namespaces:
            self._namespaces[privileged] = self._make_namespace(privileged)
        return self._namespaces[privileged]

    @contextlib.contextmanager
    def changing(self, *, privileged: bool = False) -> Iterator[Namespace]:
        """The namespace for a block that adds routes and deletes them."""
        namespace = self.namespace(privileged=privileged)
        try:
            yield namespace
        except BaseException:
            self._namespaces = {k: v for k, v in self._namespaces.items() if v is not namespace}
            namespace.close()
            raise

    def _make_namespace(self, privileged: bool) -> Namespace:
        produce = self.programs["produce"]
        try:
            return Namespace(produce, privileged=privileged)
        except (Problem, OSError):
            if privileged:
                raise
            with contextlib.suppress(Problem, OSError):
                return Namespace(produce, privileged=True)  # root without user namespaces
            raise

    def argv(self, subject: Subject, **numbers: int) -> list[str]:
        first, *rest = subject.command.format(**numbers).split()
        if "." in first:
            return [sys.executable, "-m", "benchmarks.programs", first, *rest]
        return [self.programs.get(first, first), *rest]

    def start(self, subject: Subject, namespace: Namespace, **numbers: int) -> Process:
        return Process(
            self.argv(subject, **numbers),
            namespace.enter,
            foreign=subject.foreign,
            package=subject.package,
        )

    def __enter__(self) -> Bench:
        return self

    def __exit__(self, *_: object) -> None:
        for namespace in self._namespaces.values():
            namespace.close()
