# SPDX-License-Identifier: MIT
"""Everything at random, for long, and no leak in the end: `python -m tests.soak --help`."""
