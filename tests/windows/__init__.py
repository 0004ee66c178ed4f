# SPDX-License-Identifier: MIT
"""Tests of Windows alone, and the network of the other tests there: a stand-in for iphlpapi.dll in
C (`standin/`), and a driver that understands the commands of `ip` (`network.py`)."""
