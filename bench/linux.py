"""What Linux tells of processes, and on which core they run."""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_OF_A_PROCESS = 2
"""The kind of clock that counts what all threads of a process were given; see clock_getcpuclockid(3)."""


class TooSmall(Exception):
    """The machine lacks what the bench needs."""


class Cores(NamedTuple):
    """Which core runs what."""

    apps: int
    load: int
    """The load generator and the stub."""


def two_cores() -> Cores:
    """Choose a core for the apps and another one for the load."""
    if not hasattr(os, "sched_getaffinity"):
        raise TooSmall("The bench pins processes to cores, which needs Linux.")
    mine = sorted(os.sched_getaffinity(0))
    if len(mine) == 1:
        raise TooSmall("The bench needs two cores: one for the apps, another one for the load.")
    return Cores(apps=mine[0], load=mine[-1])


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Have every process that is started meanwhile run on one core only, with all of its threads."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far: all threads, user and system."""
    return time.clock_gettime((~pid << 3) | _OF_A_PROCESS)


def peak_memory(pid: int) -> int:
    """Return the most bytes that a process ever had in memory (VmHWM)."""
    found = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(found[1]) * 1024 if found else 0


def busy_seconds(core: int) -> float:
    """Return how long a core was busy so far, whoever used it."""
    found = re.search(rf"^cpu{core} (.*)$", Path("/proc/stat").read_text(encoding="ascii"), re.MULTILINE)
    user, nice, system, _idle, _waiting, hard, soft, stolen, *_ = map(
        int, found[1].split() if found else [0] * 8
    )
    return (user + nice + system + hard + soft + stolen) / os.sysconf("SC_CLK_TCK")


def processor() -> str:
    """Return the processor's name."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return found[1] if found else "unknown"
