# SPDX-License-Identifier: MIT
"""The model: what `ip` shows, what the library's rows show, both as the same plain records; the
moves that change the one; the followers that must arrive at the other."""
