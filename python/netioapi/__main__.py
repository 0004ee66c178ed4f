# SPDX-License-Identifier: MIT
"""`python -m netioapi ...` is `netioapi ...`."""

import sys

from netioapi.cli import main

if __name__ == "__main__":
    sys.exit(main())
