"""The victims' processes: started from one that has imported everything, so that a start takes no second."""

import asyncio
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from bench.torture import app_process
from bench.torture.app_process import Plan
from bench.torture.clock import LeapingClock, Number

LOOK = 0.01
READY = 20.0
"""Seconds within which a victim serves, or has died."""


class NotReady(Exception):
    """A victim neither serves nor died."""


class Victim:
    """One process of the app."""

    def __init__(self, process: BaseProcess, suite: Connection) -> None:
        self._process = process
        self._suite = suite
        self.url = ""
        """Where it serves; empty when it died before that."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._process.pid or 0)

    async def ready(self) -> None:
        """Wait until it serves, or is dead."""
        await _readable(self._suite.fileno(), READY)
        try:
            self.url = self._suite.recv()
        except EOFError:
            await self.died(READY)

    async def died(self, seconds: float) -> bool:
        """Wait so long for its death; whether it is dead."""
        try:
            await _readable(self._process.sentinel, seconds)
        except NotReady:
            return False
        self._process.join()
        self._suite.close()
        return True

    async def stopped(self, seconds: float) -> bool:
        """Wait so long until it is stopped (SIGSTOP); whether it is."""
        for _ in range(int(seconds / LOOK)):
            if _state(self.pid) == "T":
                return True
            await asyncio.sleep(LOOK)
        return False

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process.is_alive():
            os.kill(self.pid, number)

    async def kill(self) -> None:
        """Kill it for good."""
        self.signal(signal.SIGKILL)
        await self.died(READY)


class Herd:
    """Starts victims, and ends those that are left."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([app_process.__name__])
        self._ahead: Number = self._context.Value("d", 0.0, lock=False)
        self._alive: list[Victim] = []
        self.clock = LeapingClock(self._ahead)

    async def start(self, plan: Plan) -> Victim:
        """Start a victim; it serves, or is dead already."""
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=app_process.main, args=(plan, self._ahead, theirs), daemon=True
        )
        process.start()
        theirs.close()
        started = Victim(process, ours)
        self._alive.append(started)
        await started.ready()
        return started

    async def end(self) -> None:
        """Kill all that live."""
        for one in self._alive:
            await one.kill()
        self._alive.clear()


def _state(pid: int) -> str:
    """Return the letter by which Linux tells how a process is; "" where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


async def _readable(descriptor: int, seconds: float) -> None:
    loop, found = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, found.set)
    try:
        await asyncio.wait_for(found.wait(), seconds)
    except TimeoutError:
        raise NotReady from None
    finally:
        loop.remove_reader(descriptor)
