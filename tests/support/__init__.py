# SPDX-License-Identifier: MIT
"""What tests of several rooms share."""
