# SPDX-License-Identifier: MIT
"""The ways to measure. Each module has one function: one thing, once, as a dict of figures."""
