# SPDX-License-Identifier: MIT
"""What the commands print: lines and tables to read, and JSON records for programs."""
