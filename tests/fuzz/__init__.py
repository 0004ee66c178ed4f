# SPDX-License-Identifier: MIT
"""Fuzzing of the rtnetlink tower: targets in C, their corpus, and its capture. tools/fuzz runs them
with libFuzzer, tests/linux/test_fuzz.py replays the corpus without it."""
