# SPDX-License-Identifier: MIT
"""Says only which C files, for which system; all else stands in pyproject.toml."""

import os
import sys
import sysconfig
import tomllib
from glob import glob
from pathlib import Path

from setuptools import Extension, setup

# System -> (folder of base/ and its platform.h, tower, libraries, flags).
TOWERS = {
    "linux": ("posix", "rtnetlink", [], ["-O2", "-std=c11", "-fvisibility=hidden", "-pthread"]),
}
# A cross build names its target in the variable.
TARGET = os.environ.get("_PYTHON_HOST_PLATFORM") or sysconfig.get_platform()
SYSTEM = TARGET.partition("-")[0]
if SYSTEM not in TOWERS:
    sys.exit(f"netioapi: supported is Linux; nothing here is made for {TARGET}.")
BASE, TOWER, LIBRARIES, FLAGS = TOWERS[SYSTEM]

if os.environ.get("NETIOAPI_WERROR") == "1":
    # -isystem: Python's own headers are none of our business.
    headers = sysconfig.get_path("include")
    FLAGS = [*FLAGS, "-Wall", "-Wextra", "-Wconversion", "-Werror", "-isystem", headers]

VERSION = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
MACROS: list[tuple[str, str | None]] = [("NIO_VERSION", f'"{VERSION}"')]
# A free-threaded CPython has no limited API.
LIMITED = not sysconfig.get_config_var("Py_GIL_DISABLED")
if LIMITED:
    MACROS.append(("Py_LIMITED_API", "0x030B0000"))

ROOMS = ["csrc/binding/*.c", "csrc/base/*.c", f"csrc/base/{BASE}/*.c", f"csrc/{TOWER}/**/*.c"]
setup(
    ext_modules=[
        Extension(
            "netioapi._native",
            sources=sorted(path for room in ROOMS for path in glob(room, recursive=True)),
            include_dirs=["csrc", f"csrc/base/{BASE}"],
            depends=sorted(glob("csrc/**/*.h", recursive=True)),
            define_macros=MACROS,
            libraries=LIBRARIES,
            extra_compile_args=FLAGS,
            extra_link_args=["-pthread"] if BASE == "posix" else [],
            py_limited_api=LIMITED,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
)
