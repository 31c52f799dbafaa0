"""Run all scenarios: the apps take turns, one run after the other, round after round."""

import asyncio
import contextlib
import itertools
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import TypeVar

from bench import correctness_checks
from bench.compared_apps import APPS, OURS, App, RunningApp, run_app
from bench.errors import BenchError
from bench.kills import KilledApp, count_kills
from bench.linux import Cores, core_busy_seconds, cpu_seconds, peak_memory_bytes
from bench.load_generator import LoadGenerator
from bench.made_up_values import FIRST_KEY
from bench.measurement_plan import FINAL_CALLS, OPEN_FORM, SEND_SURVEY, Plan
from bench.result_statistics import Footprint, Results, Scenario, Stats, compute_stats
from bench.slack_and_x_stub import VIEWS_OPEN
from bench.slack_requests import RequestBuilder, command_builder, submission_builder
from bench.stub_process import StubProcess, run_stub
from tests.databases import Databases

SETTLE_SECONDS = 0.15
"""Time from the final call of a run until the apps have finished all of its work."""
WARM_UP_CONCURRENCY = 8
KILL_LATENCY_SECONDS = 0.05
"""Response time of Slack and X while the apps are killed."""

Echo = Callable[[str], None]
T = TypeVar("T")


@dataclass
class Runner:
    """Measure all scenarios once."""

    plan: Plan
    cores: Cores
    folder: Path
    stub: StubProcess
    stub_port: int
    databases: Databases
    load: LoadGenerator
    echo: Echo
    results: Results = field(default_factory=Results)
    expected_form: str = ""
    """The form that each app must open, normalized."""

    async def run(self) -> Results:
        """Measure everything; raise BenchError if an app does something wrong."""
        await self._copy_our_form()
        start_seconds = await self._measure_starts()
        async with contextlib.AsyncExitStack() as stack:
            apps = [await stack.enter_async_context(self._run_app(app, "main")) for app in APPS]
            builders = {running.app.name: await self._request_builders(running) for running in apps}
            await self._warm_up(apps, builders)
            idle_cpu = await self._measure_idle_cpu(apps)
            for scenario in self.plan.scenarios:
                await self._measure_scenario(scenario, apps, builders)
            for running in apps:
                name = running.app.name
                memory = peak_memory_bytes(running.pid) / 2**20
                self.results.footprints[name] = Footprint(median(start_seconds[name]), memory, idle_cpu[name])
        if self.plan.kills:
            await self._kill_apps(builders)
        return self.results

    async def _copy_our_form(self) -> None:
        """Let our app open its form, for the baseline apps to open, and for views.open to return."""
        self._form_file.write_text("{}", encoding="utf-8")
        async with self._run_app(OURS, "form") as ours:
            view = await self._find_opened_view(ours, str(FIRST_KEY))
        self.expected_form = correctness_checks.normalize_view(view, str(FIRST_KEY))
        self._form_file.write_text(json.dumps(correctness_checks.baseline_form(view)), encoding="utf-8")
        self.stub.send_command(view=view)

    async def _measure_starts(self) -> dict[str, list[float]]:
        """Start each app in turn, several times, each time without a database."""
        seconds: dict[str, list[float]] = {app.name: [] for app in APPS}
        for number in range(self.plan.starts):
            for app in _rotate(APPS, number):
                async with self._run_app(app, f"start-{number}") as running:
                    seconds[app.name].append(running.start_seconds)
        return seconds

    async def _request_builders(self, running: RunningApp) -> dict[str, RequestBuilder]:
        """Return the app's request builders by workload; its own form is the one to submit."""
        build_command = command_builder(running.app.path)
        (operation,), _ = await self.load.run(running.port, build_command, VIEWS_OPEN, 1, 1)
        view = await self._find_opened_view(running, operation.key)
        if correctness_checks.normalize_view(view, operation.key) != self.expected_form:
            raise BenchError(f"{running.app.label} opens a different form")
        return {
            OPEN_FORM: build_command,
            SEND_SURVEY: submission_builder(running.app.path, view, operation.key),
        }

    async def _find_opened_view(self, running: RunningApp, key: str) -> dict[str, object]:
        """Wait for the call of views.open with this key, and return its view."""
        for _ in range(100):
            for call in await self.stub.collect_calls():
                if call.path == VIEWS_OPEN and call.key == key:
                    return correctness_checks.parse_view(call)
            await asyncio.sleep(0.02)
        raise BenchError(f"{running.app.label} opened no form:\n{running.log_tail}")

    async def _warm_up(
        self, apps: Sequence[RunningApp], builders: dict[str, dict[str, RequestBuilder]]
    ) -> None:
        for running in apps:
            for workload in FINAL_CALLS:
                scenario = Scenario(workload, 0, WARM_UP_CONCURRENCY)
                build_request = builders[running.app.name][workload]
                await self._measure(scenario, running, build_request, self.plan.warm_up_operations)

    async def _measure_idle_cpu(self, apps: Sequence[RunningApp]) -> dict[str, float]:
        """Return the share of a core that each app uses while there are no requests."""
        await asyncio.sleep(2)
        before = {running.app.name: cpu_seconds(running.pid) for running in apps}
        await asyncio.sleep(self.plan.idle_seconds)
        return {
            running.app.name: (cpu_seconds(running.pid) - before[running.app.name]) / self.plan.idle_seconds
            for running in apps
        }

    async def _measure_scenario(
        self,
        scenario: Scenario,
        apps: Sequence[RunningApp],
        builders: dict[str, dict[str, RequestBuilder]],
    ) -> None:
        self.stub.send_command(latency_seconds=scenario.latency_ms / 1000)
        runs = self.results.runs[scenario] = {app.name: [] for app in APPS}
        for number in range(self.plan.rounds):
            for running in _rotate(apps, number):
                build_request = builders[running.app.name][scenario.workload]
                count = self.plan.operations[scenario.concurrency]
                stats, other_cpu, load_cpu = await self._measure(scenario, running, build_request, count)
                runs[running.app.name].append(stats)
                self.results.other_cpu.append(other_cpu)
                self.results.load_cpu.append(load_cpu)
        users, latency = scenario.concurrency, scenario.latency_ms
        self.echo(f"measured {scenario.workload}, concurrency {users}, latency {latency} ms")

    async def _measure(
        self, scenario: Scenario, running: RunningApp, build_request: RequestBuilder, count: int
    ) -> tuple[Stats, float, float]:
        """Do and check one run; return its statistics, `Results.other_cpu` and `Results.load_cpu`."""
        await self.stub.collect_calls()
        load_pids = (os.getpid(), self.stub.pid)
        load_before = sum(map(cpu_seconds, load_pids))
        started_at, busy_before = time.perf_counter(), core_busy_seconds(self.cores.apps)
        cpu_before = cpu_seconds(running.pid)
        try:
            operations, seconds = await self.load.run(
                running.port, build_request, FINAL_CALLS[scenario.workload], count, scenario.concurrency
            )
            load_cpu = sum(map(cpu_seconds, load_pids)) - load_before
            await asyncio.sleep(SETTLE_SECONDS + scenario.latency_ms / 1000)
            app_cpu = cpu_seconds(running.pid) - cpu_before
            busy = core_busy_seconds(self.cores.apps) - busy_before
            other_cpu = max(0.0, busy - app_cpu) / (time.perf_counter() - started_at)
            await self._check(scenario, [operation.key for operation in operations])
        except BenchError as error:
            raise BenchError(f"{running.app.label}, {scenario}: {error}\n{running.log_tail}") from error
        return compute_stats(operations, seconds, app_cpu), other_cpu, load_cpu * 1000 / count

    async def _kill_apps(self, builders: dict[str, dict[str, RequestBuilder]]) -> None:
        """Kill all apps side by side, and count what became of their surveys."""
        self.stub.send_command(latency_seconds=KILL_LATENCY_SECONDS)
        killed = {app.name: self._killed_app(app, builders[app.name][SEND_SURVEY]) for app in APPS}
        await self.stub.collect_calls()
        async with asyncio.TaskGroup() as group:
            for app in killed.values():
                group.create_task(app.run(self.plan.kills))
        calls = await self.stub.collect_calls()
        self.results.kills = {name: count_kills(app.acknowledged, calls) for name, app in killed.items()}
        self.echo(f"killed each app {self.plan.kills} times")

    def _killed_app(self, app: App, build_request: RequestBuilder) -> KilledApp:
        path = self._make_folder(app, "killed")
        url = app.database_url(self.databases, path)
        start = partial(run_app, app, path, url, self._form_file, self.stub_port, self.cores.apps)
        return KilledApp(start, build_request, self.load.keys)

    async def _check(self, scenario: Scenario, keys: Sequence[str]) -> None:
        calls = await self.stub.collect_calls()
        if scenario.workload == OPEN_FORM:
            correctness_checks.check_opened_forms(calls, keys, self.expected_form)
        else:
            correctness_checks.check_sent_surveys(calls, keys, f"http://127.0.0.1:{self.stub_port}")

    def _run_app(self, app: App, folder: str) -> contextlib.AbstractAsyncContextManager[RunningApp]:
        path = self._make_folder(app, folder)
        url = app.database_url(self.databases, path)
        return run_app(app, path, url, self._form_file, self.stub_port, self.cores.apps)

    def _make_folder(self, app: App, name: str) -> Path:
        path = self.folder / f"{app.name}-{name}"
        path.mkdir()
        return path

    @property
    def _form_file(self) -> Path:
        return self.folder / "form.json"


async def run_bench(plan: Plan, cores: Cores, folder: Path, echo: Echo) -> Results:
    """Run the bench in an empty folder; raise BenchError if an app does something wrong."""
    os.sched_setaffinity(0, {cores.load})
    load, databases = LoadGenerator(keys=itertools.count(FIRST_KEY + 1)), Databases(folder / "postgresql")
    try:
        async with run_stub(cores.load, load.record_call) as stub:
            port = await stub.wait_for_port()
            return await Runner(plan, cores, folder, stub, port, databases, load, echo).run()
    finally:
        databases.stop()


def _rotate(items: Sequence[T], number: int) -> Iterator[T]:
    """Yield all items, starting with another one for each number."""
    start = number % len(items)
    yield from (*items[start:], *items[:start])
