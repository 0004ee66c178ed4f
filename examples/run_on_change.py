# SPDX-License-Identifier: MIT
"""How do I run a command after each change of the network? `python run_on_change.py echo hello`
runs it once at the start, and once after each burst of changes."""

import subprocess
import sys

import netioapi

with netioapi.Watcher(settle=0.5, max_delay=5.0, snapshot=True) as watcher:
    for batch in watcher:
        print(len(batch), "changes", flush=True)
        subprocess.run(sys.argv[1:] or [sys.executable, "--version"], check=False)
