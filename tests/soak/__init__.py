# SPDX-License-Identifier: MIT
"""Everything at random and for long, and then all is as it was: `python -m tests.soak --help`."""
