# SPDX-License-Identifier: MIT
"""Tests of Linux alone: a real kernel, in a network namespace of the test's own."""
