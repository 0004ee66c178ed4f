# SPDX-License-Identifier: MIT
"""Runs the command that the command line names. An error becomes one line and an exit code."""

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
    "demo": "show netioapi at work, in a network of its own",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code. It changes the signal handlers of the process.

    0: success. 1: an error of the system. 2: wrong arguments. Ctrl-C, SIGTERM and a closed pipe end
    the process as they end `cat`: a shell shows 130, 143 and 141.
    """
    _end_by_signals()
    _prepare_output()
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _run(words)
        sys.stdout.flush()
    except SystemExit as end:  # argparse: --help, --version and wrong arguments
        return _close(end.code if isinstance(end.code, int) else 1)
    except OSError as error:  # a NetioError, or an error of the output
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
        parser.set_defaults(wrong=parser.error)  # for checks of several arguments
        return int(command.run(parser.parse_intermixed_args(words[1:])))
    listed = "\n".join(f"  {name:9} {text}" for name, text in COMMANDS.items())
    parser = Parser(
        prog="netioapi",
        usage="netioapi [-h] [--version] COMMAND ...",
        description="Reports every change to the IP interfaces, addresses and routes of this "
        f"machine.\n\ncommands:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="netioapi COMMAND --help describes a command.",
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
    # The kernel releases all that the commands hold. So a signal may end them at once, even in a
    # blocked write, and without a traceback.
    if threading.current_thread() is not threading.main_thread():
        return
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not with nohup or `&`
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
    """For systems without SIGPIPE. Windows' C library fails a write with EINVAL (bpo-30418)."""
    if hasattr(error, "code"):
        return False
    return isinstance(error, BrokenPipeError) or (
        sys.platform == "win32" and error.errno == errno.EINVAL
    )


def _close(code: int) -> int:
    """Flush; on failure discard the output, so that the interpreter does not fail on it again."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code
