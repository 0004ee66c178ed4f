# SPDX-License-Identifier: MIT
"""Tests of the package's names, values and functions, without callbacks and watchers."""
