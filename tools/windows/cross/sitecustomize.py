# SPDX-License-Identifier: MIT
"""On PYTHONPATH of a cross build only: setuptools names an extension by the suffixes of the Python
that it runs on, which is Linux' here."""

import os

if os.environ.get("_PYTHON_HOST_PLATFORM", "").startswith("win"):
    import importlib.machinery
    import sysconfig

    suffix = ".pyd"
    sysconfig.get_config_vars().update(EXT_SUFFIX=suffix, SHLIB_SUFFIX=suffix)  # newer setuptools
    importlib.machinery.EXTENSION_SUFFIXES[:] = [suffix]  # older ones
