# SPDX-License-Identifier: MIT
"""The number of the layout of pickled rows, as the extension's header has it."""

from __future__ import annotations

import re
import sys

from tests.support.paths import repo_text

_found = re.search(r"NIO_PICKLE_LAYOUT = (\d+)", repo_text("csrc/binding/rows/pickle.h"))
assert _found
LAYOUT = int(_found[1]) + (1000 if sys.byteorder == "big" else 0)
