# SPDX-License-Identifier: MIT
"""Fuzzing of the rtnetlink tower: targets in C, the corpus they begin with, and what makes it.
tools/fuzz runs them with libFuzzer, tests/linux/test_fuzz.py replays the corpus without it."""
