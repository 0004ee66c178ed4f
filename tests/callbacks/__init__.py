# SPDX-License-Identifier: MIT
"""Tests of the Notify* functions: what a callback is given, and cancel()."""
