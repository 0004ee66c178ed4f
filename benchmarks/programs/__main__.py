# SPDX-License-Identifier: MIT
"""A measured program: `python -m benchmarks.programs MODULE.FUNCTION NUMBERS...`.

Each reports a line of JSON when it is ready and when it is done, and ends with its input.
"""

from __future__ import annotations

import importlib
import os
import sys


def main() -> None:
    name, *numbers = sys.argv[1:]
    module, _, function = name.partition(".")
    program = getattr(importlib.import_module(f"benchmarks.programs.{module}"), function)
    program(*map(int, numbers))
    while os.read(0, 100):  # the process is looked at until its input ends
        pass


if __name__ == "__main__":
    main()
