# SPDX-License-Identifier: MIT
"""The model: the output of `ip` and the rows of the library as the same plain records; moves that
change the network; followers that must arrive at its state."""
