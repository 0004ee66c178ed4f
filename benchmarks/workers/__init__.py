# SPDX-License-Identifier: MIT
"""What runs in the measured processes. Imports no more than it measures: memory counts as well."""
