# SPDX-License-Identifier: MIT
"""The binding over a fake system that does what ours never does: see tower.c and check_*.py."""
