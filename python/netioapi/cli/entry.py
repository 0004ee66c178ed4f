# SPDX-License-Identifier: MIT
"""From the command line to a command, and from what went wrong to one line and an exit code."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import signal
import sys
import threading
from collections.abc import Sequence

from netioapi.cli.arguments import Parser
from netioapi.cli.output.words import printable

COMMANDS = {
    "monitor": "print each change as it happens",
    "show": "print the routes, addresses or interfaces",
    "get": "print the best route to an address",
    "demo": "see it at work, in a network of its own",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code. For use as a program: it takes the process over.

    0: done. 1: the system said no. 2: wrong arguments. Ctrl-C, SIGTERM and a closed pipe end the
    process as they end `cat`: a shell shows 130, 143 and 141.
    """
    _end_by_signals()
    _prepare_output()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
        sys.stdout.flush()
    except SystemExit as end:  # argparse: --help, --version and wrong arguments
        return _close(end.code if isinstance(end.code, int) else 1)
    except OSError as error:  # a NetioError, whose text says what to do; a disk that is full
        if _is_closed_pipe(error):
            return _close(141)
        text = str(error) if hasattr(error, "code") else error.strerror or str(error)
        print(f"netioapi: {printable(text)}", file=sys.stderr)
        return _close(1)
    return code


def _run(words: list[str]) -> int:
    if words and words[0] in COMMANDS:
        command = importlib.import_module(f"netioapi.cli.{words[0]}")
        parser = Parser(prog=f"netioapi {words[0]}", description=command.__doc__)
        command.add_arguments(parser)
        parser.set_defaults(wrong=parser.error)  # for what only the command can tell
        return int(command.run(parser.parse_intermixed_args(words[1:])))
    listed = "\n".join(f"  {name:9} {text}" for name, text in COMMANDS.items())
    parser = Parser(
        prog="netioapi",
        usage="netioapi [-h] [--version] COMMAND ...",
        description=f"Tells when the IP interfaces, addresses or routes of this machine change.\n\n"
        f"commands:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="netioapi COMMAND --help tells more.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and exit")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    options, _ = parser.parse_known_args(words)
    if options.version:
        import netioapi

        print(f"netioapi {netioapi.__version__}")
        return 0
    if options.command is None:
        parser.error("a command is missing")
    parser.error(f"no command {options.command!r}")


def _end_by_signals() -> None:
    # The commands hold nothing that the kernel does not release by itself, so a signal may end
    # them at once, in the middle of a blocked write too, and without a traceback.
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # else: nohup, `&`
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def _prepare_output() -> None:
    if sys.stdout is None:  # started with a closed standard output
        sys.stdout = open(os.devnull, "w")
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w")
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _is_closed_pipe(error: OSError) -> bool:
    """Where there is no SIGPIPE. Of a write, Windows' C library says EINVAL (bpo-30418)."""
    if hasattr(error, "code"):
        return False
    return isinstance(error, BrokenPipeError) or (
        sys.platform == "win32" and error.errno == errno.EINVAL
    )


def _close(code: int) -> int:
    """Leave no output behind that the interpreter would fail to write a second time."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
