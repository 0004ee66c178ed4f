# SPDX-License-Identifier: MIT
"""The commands: `netioapi monitor|show|get|demo`. One file per command; each is imported only
when it is called, so that `netioapi --help` needs nothing else."""

from netioapi.cli.entry import main

__all__ = ["main"]
