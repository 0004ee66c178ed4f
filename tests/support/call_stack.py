# SPDX-License-Identifier: MIT
"""For programs whose callbacks must know which function the main thread is in."""

from __future__ import annotations

# The head of such a program. The main thread records its own calls, since without a GIL no thread
# may walk the frames of another thread that runs.
TRACK_CALLS = """
import sys
calls = []  # functions that have not returned yet
def profile(frame, event, argument, calls=calls):  # a default argument: globals may be gone at exit
    if event == "call":
        calls.append(frame.f_code.co_name)
    elif event == "return" and calls:
        calls.pop()
def note_calls():  # of this thread; an exception raised in profile() switches profiling off
    calls.clear()
    sys.setprofile(profile)
def is_in(name):
    return name in calls or "_" + name in calls  # read() and the iteration's own function alike
note_calls()
"""
