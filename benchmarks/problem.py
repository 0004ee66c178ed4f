# SPDX-License-Identifier: MIT
"""What can go wrong, in words that name the remedy."""

from __future__ import annotations


class Problem(Exception):
    """Nothing can be measured here, or what was measured failed."""


class Unavailable(Problem):
    """One thing cannot be measured here; the others can."""
