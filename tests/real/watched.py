# SPDX-License-Identifier: MIT
"""A Watcher and callbacks, held to `ip -json`."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import netioapi
from tests.linux.model.follow import CallbackFollower, Follower, WatcherFollower, differences
from tests.linux.model.oracle import Key, Record, Truth, look

QUIET = 0.3  # seconds without a change


class Watched:
    """Followers that rebuild the state from the changes alone. `compared` counts comparisons."""

    def __init__(self, followers: list[Follower]) -> None:
        self.followers = followers
        self.compared = 0

    def drain(self) -> bool:
        """Apply what has arrived. False: nothing came for a while."""
        came = False
        for one in self.followers:
            while one.take(0):
                came = True
        return came or any(one.take(QUIET / len(self.followers)) for one in self.followers)

    def until(self, check: Callable[[], bool], what: str, timeout: float = 120) -> None:
        """Apply changes until none comes and `check()` is true, which asks a daemon or the
        state."""
        deadline = time.monotonic() + timeout
        while self.drain() or not check():
            if time.monotonic() > deadline:
                wrong = self._differences(look())
                text = "\n  ".join([f"{len(wrong)} differences from the kernel", *wrong[:30]])
                raise AssertionError(f"not within {timeout} s: {what}; {text}{self._last()}")

    def known(self, kind: str) -> dict[Key, Record]:
        """The Watcher's state of this kind."""
        return self.followers[0].state[kind]

    def routes(self, protocol: int, *hops: str) -> int:
        """How many routes of a routing protocol the Watcher's state has, of these next hops."""
        return sum(
            record["protocol"] == protocol and (not hops or str(key[5]) in hops)
            for key, record in self.known("route").items()
        )

    def addresses(self, prefix: str, **record: object) -> int:
        """How many addresses of the Watcher's state begin so, with this in their records."""
        return sum(
            str(key[1]).startswith(prefix) and record.items() <= have.items()
            for key, have in self.known("address").items()
        )

    def quiet(self, timeout: float = 60) -> Truth:
        """Nothing comes any more, and each rebuilt state equals the kernel's."""
        deadline = time.monotonic() + timeout
        while True:
            while self.drain():
                pass
            truth = look()
            wrong = self._differences(truth)
            if not wrong:
                break
            if time.monotonic() > deadline:
                text = "\n  ".join(wrong[:30])
                raise AssertionError(
                    f"{len(wrong)} differences after {timeout} s:\n  {text}{self._last()}"
                )
        for one in self.followers:
            self.compared += 1
            text = "\n  ".join(one.wrong[:30])
            assert not one.wrong, f"{len(one.wrong)} changes that do not follow:\n  {text}"
            del one.log[:-40], one.deleted[:]
        return truth

    def _differences(self, truth: Truth) -> list[str]:
        return [
            f"{type(one).__name__} {line}"
            for one in self.followers
            for line in [
                *differences(one.state, truth, concerns=one.concerns),
                *(["is not synced"] if not getattr(one, "synced", True) else []),
            ]
        ]

    def _last(self) -> str:
        return "".join(
            f"\nlast changes of {type(one).__name__}:\n  " + "\n  ".join(one.log[-10:])
            for one in self.followers
        )


@contextlib.contextmanager
def watching(
    tables: list[int] | None = None, *, callbacks: bool = True, receive_buffer: int | None = None
) -> Iterator[Watched]:
    """A Watcher with a snapshot, and callbacks, in the network of the calling thread."""
    with contextlib.ExitStack() as stack:
        watcher = WatcherFollower(tables, receive_buffer=receive_buffer)
        followers: list[Follower] = [stack.enter_context(watcher)]
        if callbacks:
            followers.append(stack.enter_context(CallbackFollower()))
        watched = Watched(followers)
        watched.quiet()
        yield watched
        print(f"{watched.compared} comparisons; netioapi {netioapi.__version__}")
        for one in followers:
            print(type(one).__name__, dict(one.counts))
