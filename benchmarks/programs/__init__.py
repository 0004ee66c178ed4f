# SPDX-License-Identifier: MIT
"""The measured programs. Each imports as little as possible: its memory is measured as well."""
