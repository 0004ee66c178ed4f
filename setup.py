# SPDX-License-Identifier: MIT
"""Chooses the C files and compiler flags for the target system; the rest is in pyproject.toml."""

import os
import re
import sys
import sysconfig
import tomllib
from pathlib import Path

from setuptools import Extension, setup

# A cross build names its target in the variable.
TARGET = os.environ.get("_PYTHON_HOST_PLATFORM") or sysconfig.get_platform()
SYSTEM = "windows" if TARGET.startswith("win") else TARGET.partition("-")[0]
if not (LINUX := SYSTEM == "linux") and SYSTEM != "windows":
    sys.exit(f"netioapi: supported systems are Linux and Windows, not {TARGET}.")
TOWER, FOREIGN = ("rtnetlink", "windows") if LINUX else ("iphlpapi", "posix")
sources = [str(p) for room in ("base", "binding", TOWER) for p in Path("csrc", room).rglob("*.c")]
sources = [path for path in sources if Path(path).parent.name != FOREIGN]

WERROR = os.environ.get("NETIOAPI_WERROR") == "1"
FAULTS = os.environ.get("NETIOAPI_FAULTS") == "1"
if sys.platform == "win32":  # MSVC; a cross build for Windows uses GCC's flags
    flags = ["/O2", "/std:c11"] + ["/W3", "/WX"] * WERROR
else:
    flags = ["-O2", "-std=c11", "-fvisibility=hidden"]
    flags += ["-Wall", "-Wextra", "-Wconversion", "-Werror"] * WERROR
link = []
if LINUX:
    flags += ["-pthread"] + ["-isystem", sysconfig.get_path("include")] * WERROR
    link = ["-pthread", "-Wl,-z,relro,-z,now", "-Wl,-z,noexecstack"]
    # Sanitizers and fault injection need the plain functions; a caller's own level is kept.
    own_level = re.search("-fsanitize|_FORTIFY_SOURCE", os.environ.get("CFLAGS", ""))
    if not FAULTS and not own_level:
        flags += ["-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2"]
if FAULTS:  # a binary for tests: allocations and system calls can be made to fail
    names = re.findall(r"^    X\((\w+)\)", Path("tests/c/faults.h").read_text(), re.MULTILINE)
    sources.append("tests/c/faults.c")
    link += [f"-Wl,--wrap={name}" for name in (*names, "free", "munmap", "clock_gettime")]

version = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
macros: list[tuple[str, str | None]] = [("NIO_VERSION", f'"{version}"')]
if LIMITED := not sysconfig.get_config_var("Py_GIL_DISABLED"):  # otherwise there is no limited API
    macros.append(("Py_LIMITED_API", "0x030B0000"))
native = Extension(
    "netioapi._native",
    sources=sorted(sources),
    include_dirs=["csrc", f"csrc/base/{'posix' if LINUX else 'windows'}"],
    depends=sorted(str(path) for path in Path("csrc").rglob("*.h")),
    define_macros=macros,
    extra_compile_args=flags,
    extra_link_args=link,
    py_limited_api=LIMITED,
)
setup(
    ext_modules=[native],
    options={"bdist_wheel": {"py_limited_api": "cp311"}} if LIMITED else {},
)
