# SPDX-License-Identifier: MIT
"""Batch: what one read of a Watcher returns. The extension module defines it."""

from netioapi._native import Batch

__all__ = ["Batch"]
