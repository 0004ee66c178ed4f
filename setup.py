# SPDX-License-Identifier: MIT
"""Says only which C files, for which system; all else stands in pyproject.toml."""

import os
import re
import sys
import sysconfig
import tomllib
from glob import glob
from pathlib import Path

from setuptools import Extension, setup

# System -> (folder in base/ and binding/, tower).
TOWERS = {"linux": ("posix", "rtnetlink"), "win": ("windows", "iphlpapi")}
# A cross build names its target in the variable.
TARGET = os.environ.get("_PYTHON_HOST_PLATFORM") or sysconfig.get_platform()
SYSTEM = "win" if TARGET == "win32" else TARGET.partition("-")[0]
if SYSTEM not in TOWERS:
    sys.exit(f"netioapi: supported are Linux and Windows; nothing here is made for {TARGET}.")
FOLDER, TOWER = TOWERS[SYSTEM]

# Windows' own compiler has its own words; a cross build to Windows has GCC's.
if sys.platform == "win32":
    FLAGS = ["/O2", "/std:c11"]
    WARNINGS = ["/W3", "/WX"]
else:
    FLAGS = ["-O2", "-std=c11", "-fvisibility=hidden"]
    # -isystem: Python's own headers are none of our business.
    WARNINGS = ["-Wall", "-Wextra", "-Wconversion", "-Werror"]
    WARNINGS += ["-isystem", sysconfig.get_path("include")] if SYSTEM == "linux" else []
# Whoever writes behind the end of a buffer ends the process. Sanitizers and the tests' faults want
# the plain functions, and who chose a strength of his own keeps it.
OTHERWISE = ("-fsanitize", "_FORTIFY_SOURCE")
if SYSTEM == "linux" and os.environ.get("NETIOAPI_FAULTS") != "1":
    if not any(word in os.environ.get("CFLAGS", "") for word in OTHERWISE):
        FLAGS += ["-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]
THREADS = ["-pthread"] if SYSTEM == "linux" else []
# No table of functions stays writable: costs nothing once it is loaded.
LINK = ["-Wl,-z,relro,-z,now", "-Wl,-z,noexecstack"] if SYSTEM == "linux" else []
if os.environ.get("NETIOAPI_WERROR") == "1":
    FLAGS += WARNINGS

VERSION = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
MACROS: list[tuple[str, str | None]] = [("NIO_VERSION", f'"{VERSION}"')]
# A free-threaded CPython has no limited API.
LIMITED = not sysconfig.get_config_var("Py_GIL_DISABLED")
if LIMITED:
    MACROS.append(("Py_LIMITED_API", "0x030B0000"))

# A binary for tests alone: its allocations and system calls can be made to fail.
TESTS: list[str] = []
WRAPS: list[str] = []
if os.environ.get("NETIOAPI_FAULTS") == "1":
    TESTS = ["tests/c/faults.c"]
    FAULTS = re.findall(r"^    X\((\w+)\)", Path("tests/c/faults.h").read_text(), re.MULTILINE)
    WRAPS = [f"-Wl,--wrap={name}" for name in (*FAULTS, "free", "munmap", "clock_gettime")]

ROOMS = [f"csrc/{room}/{part}*.c" for room in ("base", "binding") for part in ("", f"{FOLDER}/")]
setup(
    ext_modules=[
        Extension(
            "netioapi._native",
            sources=sorted(
                path
                for room in [*ROOMS, f"csrc/{TOWER}/**/*.c"]
                for path in glob(room, recursive=True)
            )
            + TESTS,
            include_dirs=["csrc", f"csrc/base/{FOLDER}"],
            depends=sorted(glob("csrc/**/*.h", recursive=True)),
            define_macros=MACROS,
            extra_compile_args=FLAGS + THREADS,
            extra_link_args=THREADS + LINK + WRAPS,
            py_limited_api=LIMITED,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
)
