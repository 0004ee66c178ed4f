# SPDX-License-Identifier: MIT
"""Tests of Watcher and Batch."""
