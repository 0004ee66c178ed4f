# SPDX-License-Identifier: MIT
"""Tests of the project itself: its layout, its documents and its imports."""
