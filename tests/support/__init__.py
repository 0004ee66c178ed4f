# SPDX-License-Identifier: MIT
"""Helpers that tests of several rooms share."""
