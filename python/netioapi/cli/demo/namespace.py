# SPDX-License-Identifier: MIT
"""The demo's namespaces: a user and a network namespace, created without root. They end with the
process."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
from pathlib import Path

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
PR_SET_PDEATHSIG = 1


class Forbidden(Exception):
    """This system does not allow such a namespace. The text says what would allow it."""


def enter() -> None:
    """Move this process, which must have one thread, to a new network namespace.

    Raises: Forbidden.
    """
    user, group = os.getuid(), os.getgid()
    try:
        _unshare(CLONE_NEWUSER | CLONE_NEWNET)
    except OSError as error:
        try:
            _unshare(CLONE_NEWNET)  # root needs no user namespace
        except OSError:
            raise Forbidden(_remedy(error)) from error
        return
    # The user namespace comes with full capabilities. The maps only keep the user's names, so a
    # read-only /proc does no harm.
    with contextlib.suppress(OSError):
        Path("/proc/self/setgroups").write_text("deny")
    with contextlib.suppress(OSError):
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")


def die_with_parent(signal_number: int, parent: int) -> None:
    """Let the kernel send a signal to this process when its parent ends.

    Call it after enter(), which resets it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal_number)


def _unshare(flags: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))
    if libc.unshare(flags) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _remedy(error: OSError) -> str:
    if _setting("kernel/unprivileged_userns_clone") == "0":
        cure = "sysctl kernel.unprivileged_userns_clone=1 allows them"
    elif error.errno == errno.ENOSPC or "0" in (
        _setting("user/max_user_namespaces"),
        _setting("user/max_net_namespaces"),
    ):
        cure = "sysctl user.max_user_namespaces and user.max_net_namespaces above 0 allow them"
    elif os.geteuid() == 0:
        cure = "a container started with --privileged allows them"
    else:
        cure = "root is allowed, and so is a container started with --privileged"
    return f"{error.strerror}; {cure}"


def lacking_rights() -> str:
    """Why the namespace that was created cannot be used."""
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "AppArmor removes the capabilities; run as root, or set sysctl "
            "kernel.apparmor_restrict_unprivileged_userns=0"
        )
    return "it has no capabilities in its network; run as root"


def _setting(name: str) -> str:
    try:
        return (Path("/proc/sys") / name).read_text().strip()
    except OSError:
        return ""
