# SPDX-License-Identifier: MIT
"""The ways to measure. Each function measures one subject once, and returns a dict of figures."""
