"""CPU time, memory and core affinity of processes, as Linux reports them."""

import contextlib
import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from bench.errors import BenchError

_CPUCLOCK_SCHED = 2
"""The clock that counts the CPU time of all threads of a process; see clock_getcpuclockid(3)."""


class Cores(NamedTuple):
    """The cores that the bench uses."""

    apps: int
    load: int
    """For the load generator and the stub."""


def pick_cores() -> Cores:
    """Return a core for the apps and one for the load; raise BenchError if there are no two."""
    if not hasattr(os, "sched_getaffinity"):
        raise BenchError("The bench pins processes to cores, which needs Linux.")
    available = sorted(os.sched_getaffinity(0))
    if len(available) == 1:
        raise BenchError("The bench needs two cores: one for the apps, one for the load.")
    return Cores(apps=available[0], load=available[-1])


@contextlib.contextmanager
def children_pinned_to(core: int) -> Iterator[None]:
    """Pin all processes started within the block to one core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process so far: all threads, user and system."""
    return time.clock_gettime((~pid << 3) | _CPUCLOCK_SCHED)


def peak_memory_bytes(pid: int) -> int:
    """Return the peak resident memory of a process (VmHWM)."""
    match = re.search(r"VmHWM:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="ascii"))
    return int(match[1]) * 1024 if match else 0


def core_busy_seconds(core: int) -> float:
    """Return how long a core has been busy so far, with any process."""
    match = re.search(rf"^cpu{core} (.*)$", Path("/proc/stat").read_text(encoding="ascii"), re.MULTILINE)
    user, nice, system, _idle, _iowait, irq, softirq, steal, *_ = map(
        int, match[1].split() if match else [0] * 8
    )
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def processor_name() -> str:
    """Return the processor's name."""
    match = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    return match[1] if match else "unknown"
