"""The app's processes, forked from one that has imported everything, so that they start in under a second."""

import asyncio
import multiprocessing
import os
import signal
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from bench.torture import patched_app
from bench.torture.patched_app import AppOptions
from bench.torture.shared_clock import SharedClock, SharedFloat

POLL_SECONDS = 0.01
START_TIMEOUT_SECONDS = 60.0
EXIT_TIMEOUT_SECONDS = 60.0


class AppProcess:
    """One process of the app."""

    def __init__(self, process: BaseProcess, child: Connection) -> None:
        self._process = process
        self._child = child
        self.url = ""
        """Base URL of the app; empty if the process exited before it served."""

    @property
    def pid(self) -> int:
        """The process id."""
        return int(self._process.pid or 0)

    async def wait_until_ready(self) -> None:
        """Wait until the app serves or its process exits; raise TimeoutError if it does neither."""
        await _wait_readable(self._child.fileno(), START_TIMEOUT_SECONDS)
        try:
            self.url = self._child.recv()
        except EOFError:
            await self.wait_for_exit(EXIT_TIMEOUT_SECONDS)

    async def wait_for_exit(self, seconds: float) -> bool:
        """Return True if the process exits within `seconds`."""
        try:
            await _wait_readable(self._process.sentinel, seconds)
        except TimeoutError:
            return False
        self._process.join()
        self._child.close()
        return True

    async def wait_until_frozen(self, seconds: float) -> bool:
        """Return True if SIGSTOP stops the process within `seconds`."""
        for _ in range(int(seconds / POLL_SECONDS)):
            if _state(self.pid) == "T":
                return True
            await asyncio.sleep(POLL_SECONDS)
        return False

    def resume(self) -> None:
        """Continue a frozen process."""
        self._send_signal(signal.SIGCONT)

    async def kill(self) -> None:
        """Kill the process, and wait for its exit."""
        self._send_signal(signal.SIGKILL)
        await self.wait_for_exit(EXIT_TIMEOUT_SECONDS)

    def _send_signal(self, signum: signal.Signals) -> None:
        if self._process.is_alive():
            os.kill(self.pid, signum)


class AppProcesses:
    """Start the app's processes, and kill those that remain."""

    def __init__(self) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([patched_app.__name__])
        self._clock_offset: SharedFloat = self._context.Value("d", 0.0, lock=False)
        self._started: list[AppProcess] = []
        self.clock = SharedClock(self._clock_offset)

    async def start(self, options: AppOptions) -> AppProcess:
        """Start a process, and wait until it serves or exits."""
        parent_end, child_end = self._context.Pipe()
        arguments = (options, self._clock_offset, child_end)
        process = self._context.Process(target=patched_app.main, args=arguments, daemon=True)
        process.start()
        child_end.close()
        app = AppProcess(process, parent_end)
        self._started.append(app)
        await app.wait_until_ready()
        return app

    async def kill_all(self) -> None:
        """Kill the processes that still run."""
        for app in self._started:
            await app.kill()
        self._started.clear()


def _state(pid: int) -> str:
    """Return the state of a process as in `/proc/PID/stat`; empty if there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""


async def _wait_readable(descriptor: int, seconds: float) -> None:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, readable.set)
    try:
        await asyncio.wait_for(readable.wait(), seconds)
    finally:
        loop.remove_reader(descriptor)
