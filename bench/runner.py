"""The runs: the same work for each app in turn, one after the other, round after round."""

import asyncio
import contextlib
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench import checks
from bench.apps import APPS, OURS, App, Running, started
from bench.fixtures import FIRST_KEY
from bench.linux import Cores, busy_seconds, cpu_seconds, peak_memory
from bench.load import Load, LoadError
from bench.slack_requests import Requests, commands, submissions
from bench.stats import Cell, Figures, Footprint, Results, of_run
from bench.stub import POST_MESSAGE, VIEWS_OPEN
from bench.stub_process import StubProcess, stub_process

SETTLING = 0.15
"""Seconds after the last call until everything that belongs to a run is done."""

SLASH, SUBMIT = "slash", "submit"
ENDS_WITH = {SLASH: VIEWS_OPEN, SUBMIT: POST_MESSAGE}

Say = Callable[[str], None]
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """How much is measured."""

    rounds: int
    starts: int
    operations: dict[int, int]
    """How many a run does, by concurrency."""
    warm_up: int
    """Operations of each workload that are not counted, for each app."""
    idle: float
    """Seconds."""
    latencies: Sequence[int] = (0, 20)

    @property
    def cells(self) -> list[Cell]:
        """Every kind of run."""
        kinds = itertools.product(ENDS_WITH, self.latencies, self.operations)
        return [Cell(*kind) for kind in kinds]


FULL = Plan(rounds=5, starts=5, operations={1: 100, 8: 300, 64: 640}, warm_up=1000, idle=15)
QUICK = Plan(rounds=1, starts=1, operations={1: 30, 8: 120, 64: 320}, warm_up=200, idle=4)


@dataclass
class Bench:
    """One run of the bench."""

    plan: Plan
    cores: Cores
    folder: Path
    stub: StubProcess
    stub_port: int
    load: Load
    say: Say
    results: Results = field(default_factory=Results)
    look: str = ""
    """How the form looks, in each of the apps."""

    async def run(self) -> Results:
        """Measure everything; raises `LoadError` where an app does not do what it should."""
        await self._learn_the_form()
        starts = await self._starts()
        async with contextlib.AsyncExitStack() as stack:
            up = [await stack.enter_async_context(self._up(app, "main")) for app in APPS]
            work = {running.app.name: await self._requests(running) for running in up}
            await self._warm_up(up, work)
            idle = await self._idle(up)
            for cell in self.plan.cells:
                await self._cell(cell, up, work)
            for running in up:
                name = running.app.name
                self.results.footprints[name] = Footprint(
                    median(starts[name]), peak_memory(running.pid) / 2**20, idle[name]
                )
        return self.results

    async def _learn_the_form(self) -> None:
        """Let our app open its form, which the plain apps then show too, and Slack's answer repeats."""
        self._form.write_text("{}", encoding="utf-8")
        async with self._up(OURS, "form") as ours:
            view = await self._opened(ours, str(FIRST_KEY))
        self.look = checks.look_of(view, str(FIRST_KEY))
        self._form.write_text(json.dumps(checks.plain_form(view)), encoding="utf-8")
        self.stub.order(view=view)

    async def _starts(self) -> dict[str, list[float]]:
        """Start each app in turn, again and again, each time with nothing there yet."""
        seconds: dict[str, list[float]] = {app.name: [] for app in APPS}
        for number in range(self.plan.starts):
            for app in _turned(APPS, number):
                async with self._up(app, f"start-{number}") as running:
                    seconds[app.name].append(running.to_first_ack)
        return seconds

    async def _requests(self, running: Running) -> dict[str, Requests]:
        """Return what Slack sends to an app, by workload; a submission is of the form that the app opened."""
        operations, _ = await self.load.run(running.port, commands(running.app.path), VIEWS_OPEN, 1, 1)
        key = operations[0].key
        view = await self._opened(running, key)
        if checks.look_of(view, key) != self.look:
            raise LoadError(f"{running.app.label} shows another form")
        return {
            SLASH: commands(running.app.path),
            SUBMIT: submissions(running.app.path, view, key),
        }

    async def _opened(self, running: Running, key: str) -> dict[str, object]:
        """Return the form that was opened for a key."""
        for _ in range(100):
            for call in await self.stub.collect():
                if call.path == VIEWS_OPEN and call.key == key:
                    return checks.opened(call)
            await asyncio.sleep(0.02)
        raise LoadError(f"{running.app.label} opened no form:\n{running.last_words}")

    async def _warm_up(self, up: Sequence[Running], work: dict[str, dict[str, Requests]]) -> None:
        for running in up:
            for workload in ENDS_WITH:
                cell = Cell(workload, 0, 8)
                await self._measured(cell, running, work[running.app.name][workload], self.plan.warm_up)

    async def _idle(self, up: Sequence[Running]) -> dict[str, float]:
        """Return the share of a core that each app takes while nobody does anything."""
        await asyncio.sleep(2)
        before = {running.app.name: cpu_seconds(running.pid) for running in up}
        await asyncio.sleep(self.plan.idle)
        return {
            running.app.name: (cpu_seconds(running.pid) - before[running.app.name]) / self.plan.idle
            for running in up
        }

    async def _cell(self, cell: Cell, up: Sequence[Running], work: dict[str, dict[str, Requests]]) -> None:
        self.stub.order(latency=cell.latency / 1000)
        runs = self.results.runs[cell] = {app.name: [] for app in APPS}
        for number in range(self.plan.rounds):
            for running in _turned(up, number):
                requests = work[running.app.name][cell.workload]
                count = self.plan.operations[cell.concurrency]
                figures, disturbance, load_cpu = await self._measured(cell, running, requests, count)
                runs[running.app.name].append(figures)
                self.results.disturbance.append(disturbance)
                self.results.load_cpu.append(load_cpu)
        self.say(f"{cell.workload}, {cell.latency} ms, {cell.concurrency} at a time: measured")

    async def _measured(
        self, cell: Cell, running: Running, requests: Requests, count: int
    ) -> tuple[Figures, float, float]:
        """Do one run and check it; return its figures, what others took of the core, what the load cost."""
        await self.stub.collect()
        loaders = (os.getpid(), self.stub.pid)
        load_before = sum(map(cpu_seconds, loaders))
        began, busy, cpu = time.perf_counter(), busy_seconds(self.cores.apps), cpu_seconds(running.pid)
        try:
            operations, seconds = await self.load.run(
                running.port, requests, ENDS_WITH[cell.workload], count, cell.concurrency
            )
            load_cpu = sum(map(cpu_seconds, loaders)) - load_before
            await asyncio.sleep(SETTLING + cell.latency / 1000)
            cpu = cpu_seconds(running.pid) - cpu
            busy = busy_seconds(self.cores.apps) - busy
            disturbance = max(0.0, busy - cpu) / (time.perf_counter() - began)
            await self._check(cell, [operation.key for operation in operations])
        except LoadError as error:
            raise LoadError(f"{running.app.label}, {cell}: {error}\n{running.last_words}") from error
        return of_run(operations, seconds, cpu), disturbance, load_cpu * 1000 / count

    async def _check(self, cell: Cell, keys: Sequence[str]) -> None:
        calls = await self.stub.collect()
        if cell.workload == SLASH:
            checks.check_slash(calls, keys, self.look)
        else:
            checks.check_submit(calls, keys, f"http://127.0.0.1:{self.stub_port}")

    def _up(self, app: App, what: str) -> contextlib.AbstractAsyncContextManager[Running]:
        return started(app, self.folder / f"{app.name}-{what}", self._form, self.stub_port, self.cores.apps)

    @property
    def _form(self) -> Path:
        return self.folder / "form.json"


async def measure(plan: Plan, cores: Cores, folder: Path, say: Say) -> Results:
    """Run the bench in a folder of its own; raises `LoadError`."""
    os.sched_setaffinity(0, {cores.load})
    load = Load(keys=itertools.count(FIRST_KEY + 1))
    async with stub_process(cores.load, load.called) as stub:
        return await Bench(plan, cores, folder, stub, await stub.port(), load, say).run()


def _turned(things: Sequence[T], by: int) -> Iterator[T]:
    """Yield things in their order, beginning with another one each time."""
    start = by % len(things)
    yield from (*things[start:], *things[:start])
