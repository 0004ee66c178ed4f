# SPDX-License-Identifier: MIT
"""Tests of the Notify* functions: the arguments of callbacks, and cancel()."""
