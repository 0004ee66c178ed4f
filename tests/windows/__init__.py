# SPDX-License-Identifier: MIT
"""What only Windows can show, and the network that the contract tests get there: a stand-in for
iphlpapi.dll, made of C (`standin/`), and its driver, which understands `ip` (`network.py`)."""
