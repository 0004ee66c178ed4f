# SPDX-License-Identifier: MIT
"""What every scenario needs: the programs, the stages, the options."""

from __future__ import annotations

import contextlib
from types import TracebackType

from benchmarks import kernel
from benchmarks.child import Child
from benchmarks.options import Options
from benchmarks.problem import Problem
from benchmarks.stage import Stage
from benchmarks.things import Thing


class Bench:
    """Stages are made when first asked for, and again after a failure has left one dirty."""

    def __init__(self, programs: dict[str, str], options: Options) -> None:
        self.programs = programs
        self.options = options
        self._stages: dict[bool, Stage] = {}

    def stage(self, *, rights: bool = False) -> Stage:
        """With the rights of the machine's root, where they are at hand, or without."""
        rights = rights and kernel.may_force_buffers()
        stage = self._stages.get(rights)
        if stage is not None and stage.dirty:
            self._stages.pop(rights).close()
            stage = None
        if stage is None:
            stage = self._stages[rights] = self._make_stage(rights)
        return stage

    def _make_stage(self, rights: bool) -> Stage:
        produce = self.programs["produce"]
        try:
            return Stage(produce, rights=rights)
        except (Problem, OSError):
            if rights:
                raise
            with contextlib.suppress(Problem, OSError):
                return Stage(produce, rights=True)  # root where user namespaces are forbidden
            raise

    def child(self, thing: Thing, stage: Stage, **numbers: int) -> Child:
        return Child(
            thing.argv(self.programs, **numbers),
            stage,
            foreign=thing.foreign,
            package=thing.package,
        )

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for stage in self._stages.values():
            stage.close()
