# SPDX-License-Identifier: MIT
"""Tests of exits, forks, interpreters and threads."""
