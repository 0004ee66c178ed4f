# SPDX-License-Identifier: MIT
"""What only Linux can show: a real kernel in a network namespace of its own."""
