# SPDX-License-Identifier: MIT
"""For programs whose callbacks ask what the main thread is doing."""

from __future__ import annotations

# For a program whose callbacks look what the main thread is doing. It says so itself: without a GIL
# nobody may walk the frames of a thread that runs.
TRACK_CALLS = """
import sys
calls = []  # that have not returned yet
def profile(frame, event, argument, calls=calls):  # also when globals are gone
    if event == "call":
        calls.append(frame.f_code.co_name)
    elif event == "return" and calls:
        calls.pop()
def note_calls():  # of this thread; an exception from within profile() ends it
    calls.clear()
    sys.setprofile(profile)
def is_in(name):
    return name in calls or "_" + name in calls  # read() and what iteration calls alike
note_calls()
"""
