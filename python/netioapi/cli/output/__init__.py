# SPDX-License-Identifier: MIT
"""What the commands print: lines and tables for people, JSON records for programs."""
