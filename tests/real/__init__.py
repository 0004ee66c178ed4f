# SPDX-License-Identifier: MIT
"""The package against the daemons that change networks: what Debian installs, and `ip -json`."""
