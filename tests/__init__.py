# SPDX-License-Identifier: MIT
"""The tests, as a package: `from tests.support.paths import ROOT` always means this folder."""
