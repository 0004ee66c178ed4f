# SPDX-License-Identifier: MIT
"""The package's names, values and functions, without callbacks and watchers."""
