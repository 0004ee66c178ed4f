# SPDX-License-Identifier: MIT
"""The binding over a tower that does what our own never does: see tower.c and checks.py."""
