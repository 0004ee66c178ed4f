# SPDX-License-Identifier: MIT
"""Tests of the `netioapi` command."""
