# SPDX-License-Identifier: MIT
"""Which readers of columns there have to be: a test of one that is not installed is skipped, but
not in CI on a Linux CPython that all of them are made for."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import sysconfig

import pytest


def must_be_there() -> bool:
    return (
        os.environ.get("CI") == "true"
        and sys.platform == "linux"
        and platform.python_implementation() == "CPython"
        and (3, 11) <= sys.version_info[:2] <= (3, 13)
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
    )


def need(library: str) -> None:
    if importlib.util.find_spec(library) is None:
        if must_be_there():
            pytest.fail(f"CI may not skip: {library} is not installed")
        pytest.skip(f"{library} is not installed")
