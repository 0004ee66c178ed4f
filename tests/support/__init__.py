# SPDX-License-Identifier: MIT
"""Helpers that tests of several folders share."""
