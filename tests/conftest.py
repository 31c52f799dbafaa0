import asyncio
import functools
import gc
import os
import signal
import ssl
import tempfile
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import settings
from slack_bolt.listener.async_listener import AsyncCustomListener
from slack_sdk.models.blocks import Block
from sqlalchemy import Connection, Engine

import app
from blocks import block_json
from csat.db.database import Database
from csat.db.engines import open_engine
from csat.settings import SettingsWithoutXKeys
from csat.settings_from_environment import load_settings, load_settings_without_x_keys
from csat.timeouts import Timeouts
from tests.canaries import use_canaries
from tests.databases import KINDS, SLOW_KINDS, Databases, SharedStatements, fastest_place
from tests.leak_env import LeakEnv, run_leak_env
from tests.silent_proxy import SilentProxy
from tests.timeouts import GENEROUS, WAIT_SECONDS
from tests.world import World, running_world

UNMEASURED = ("slow", "unmeasured")

# a shell starts what runs in the background with SIGINT ignored, which commands that are tested inherit
signal.signal(signal.SIGINT, signal.default_int_handler)

# every commit to a SQLite file waits for the disk it is on
if FASTEST_FOLDER := fastest_place():
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(FASTEST_FOLDER))

# the same examples in every run, so that failures are reproducible
settings.register_profile("fast", deadline=None, max_examples=40, derandomize=True, database=None)
settings.register_profile("thorough", settings.get_profile("fast"), max_examples=60)
settings.load_profile("fast")


def pytest_xdist_auto_num_workers() -> int:
    """Run two workers on each core, as tests spend half of their time waiting."""
    return 2 * (os.cpu_count() or 1)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, bool | None, bool | None]:
    """Measure no coverage in tests that repeat what others show: they take half as long without it.

    Neither are their fixtures measured, nor the processes that they start.
    """
    measuring = item.config.pluginmanager.getplugin("_cov")
    if not measuring or not any(map(item.get_closest_marker, UNMEASURED)):
        return (yield)
    measuring.cov_controller.pause()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
            return (yield)
    finally:
        measuring.cov_controller.resume()


def pytest_collection_finish() -> None:
    """Let the garbage collector look less often, and not at what was imported and collected."""
    gc.set_threshold(10_000)
    gc.collect()
    gc.freeze()


@pytest.fixture(name="databases", scope="session")
def _databases() -> Iterator[Databases]:
    # not in pytest's own folder: if root runs pytest, the next run locks the server's user out
    with tempfile.TemporaryDirectory(prefix="postgresql-", dir=FASTEST_FOLDER) as folder:
        databases = Databases(Path(folder), durable=False)
        yield databases
        databases.stop()


@pytest.fixture(name="database_url", params=KINDS)
def _database_url(databases: Databases, tmp_path: Path, request: pytest.FixtureRequest) -> str:
    """The URL of an empty database of each kind."""
    return databases.make(request.param, tmp_path)


@pytest.fixture(name="database")
def _database(database_url: str) -> Iterator[Database]:
    database = Database(database_url, GENEROUS)
    yield database
    database.close()


@pytest.fixture(name="engine", params=KINDS, scope="module")
def _engine(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Engine]:
    """The engine of a database of each kind, which the tests of a module share."""
    engine = open_engine(databases.make(request.param, tmp_path_factory.mktemp("engine")), GENEROUS)
    yield engine
    engine.dispose()


@pytest.fixture(name="connection")
def _connection(engine: Engine) -> Iterator[Connection]:
    """A transaction that is rolled back."""
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()


@pytest.fixture(name="proxy")
def _proxy(databases: Databases, tmp_path: Path) -> Iterator[SilentProxy]:
    """A proxy before an empty PostgreSQL database."""
    proxy = SilentProxy(databases.make("postgresql", tmp_path))
    with proxy.listening():
        yield proxy


@pytest.fixture(name="timeouts")
def _timeouts() -> Timeouts:
    """How long the app waits; tests parametrize it to let something take too long."""
    return GENEROUS


@pytest.fixture(name="any_world", params=SLOW_KINDS)
async def _any_world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest, timeouts: Timeouts
) -> AsyncIterator[World]:
    """The app in Socket Mode, on each kind of database."""
    url = databases.make(request.param, tmp_path)
    async with running_world(tmp_path, database_url=url, timeouts=timeouts) as world:
        yield world


@pytest.fixture(name="world")
async def _world(tmp_path: Path, timeouts: Timeouts) -> AsyncIterator[World]:
    """The app in Socket Mode."""
    async with running_world(tmp_path, timeouts=timeouts) as world:
        yield world


@pytest.fixture(name="either_world", params=["socket mode", "http"])
async def _either_world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app in Socket Mode on SQLite, and over HTTP on PostgreSQL."""
    socket = request.param == "socket mode"
    url = databases.make("sqlite" if socket else "postgresql", tmp_path)
    async with running_world(tmp_path, socket=socket, database_url=url) as world:
        yield world


@pytest.fixture(
    name="leak_env", params=[pytest.param("socket mode, pushed", marks=pytest.mark.slow), "http, pushed"]
)
async def _leak_env(
    databases: Databases,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> AsyncIterator[LeakEnv]:
    """The environment of the leak tests: Socket Mode on SQLite, and HTTP on PostgreSQL."""
    use_canaries(monkeypatch)
    slack, _, source = request.param.partition(", ")
    socket = slack == "socket mode"
    url = databases.make("sqlite" if socket else "postgresql", tmp_path)
    async with run_leak_env(tmp_path, url, capfd, source, socket=socket) as env:
        yield env


@pytest.fixture(name="certificates", scope="session", autouse=True)
def _certificates() -> Iterator[None]:
    """Load the trusted certificates once; that takes a third of the app's startup time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ssl.create_default_context", functools.cache(ssl.create_default_context))
        yield


@pytest.fixture(name="shared_statements", scope="session", autouse=True)
def _shared_statements() -> Iterator[None]:
    """Compile a statement once, and not for the database of each test."""
    statements = SharedStatements()
    with pytest.MonkeyPatch.context() as patch:
        compiled_cache = property(lambda _: statements, lambda *_: None)
        patch.setattr(Engine, "_compiled_cache", compiled_cache, raising=False)
        yield


@pytest.fixture(name="patient_bolt", scope="session", autouse=True)
def _patient_bolt() -> Iterator[None]:
    """Let Bolt's listeners acknowledge late, on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        ack_timeout = property(lambda _: WAIT_SECONDS, lambda *_: None)
        patch.setattr(AsyncCustomListener, "ack_timeout", ack_timeout, raising=False)
        yield


@pytest.fixture(name="patient_commands", scope="session", autouse=True)
def _patient_commands() -> Iterator[None]:
    """Give the commands that run in this process the timeouts of the tests."""

    def load(load_settings: Callable[[], SettingsWithoutXKeys]) -> SettingsWithoutXKeys:
        return load_settings().with_timeouts(GENEROUS)

    with pytest.MonkeyPatch.context() as patch:
        for each in (load_settings, load_settings_without_x_keys):
            patch.setattr(app, each.__name__, functools.partial(load, each))
        yield


@pytest.fixture(name="fast_uvicorn", scope="session", autouse=True)
def _fast_uvicorn() -> Iterator[None]:
    """Make uvicorn check every 5 ms instead of 100 ms whether to exit."""
    fast_asyncio = SimpleNamespace(**vars(asyncio))
    fast_asyncio.sleep = lambda seconds: asyncio.sleep(seconds / 20)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("uvicorn.server.asyncio", fast_asyncio)
        yield


@pytest.fixture(name="valid_blocks", scope="session", autouse=True)
def _valid_blocks() -> Iterator[None]:
    """Validate every block with its slack_sdk model and compare the rendering, once for each that differs."""
    render = block_json._render  # noqa: SLF001 - the function that all rendering goes through

    is_inside_block = False
    known: set[tuple[type, str]] = set()

    def validate_and_render(part: Any) -> Any:
        nonlocal is_inside_block
        if is_inside_block or not isinstance(part, Block):
            return render(part)
        is_inside_block = True
        try:
            rendered = render(part)
        finally:
            is_inside_block = False
        if (kind := (type(part), repr(rendered))) not in known:
            assert rendered == part.to_dict()
            known.add(kind)
        return rendered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("blocks.block_json._render", validate_and_render)
        yield
