# SPDX-License-Identifier: MIT
"""A package, so that `from tests.support.paths import ROOT` always means this folder."""
