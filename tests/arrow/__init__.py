# SPDX-License-Identifier: MIT
"""Tests of the Arrow export."""
