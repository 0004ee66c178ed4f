# SPDX-License-Identifier: MIT
"""The commands: `netioapi monitor|show|get|demo`. Each has a file, which is imported only when the
command runs, so that `netioapi --help` imports little."""

from netioapi.cli.entry import main

__all__ = ["main"]
