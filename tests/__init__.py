# SPDX-License-Identifier: MIT
"""A package, so that `from tests.support import ...` always means this folder."""
