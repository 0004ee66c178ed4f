# SPDX-License-Identifier: MIT
"""How fast netioapi is, measured beside a C reference: `python -m benchmarks`."""
