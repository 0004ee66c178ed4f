# SPDX-License-Identifier: MIT
"""Which Arrow consumers must be installed. The test of a missing one is skipped, except in CI on
the Linux CPythons that every consumer has wheels for."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
import sysconfig

import pytest


def must_be_installed() -> bool:
    return (
        os.environ.get("CI") == "true"
        and sys.platform == "linux"
        and platform.python_implementation() == "CPython"
        and (3, 11) <= sys.version_info[:2] <= (3, 13)
        and not sysconfig.get_config_var("Py_GIL_DISABLED")
    )


def need(library: str) -> None:
    if importlib.util.find_spec(library) is None:
        if must_be_installed():
            pytest.fail(f"CI may not skip: {library} is not installed")
        pytest.skip(f"{library} is not installed")
