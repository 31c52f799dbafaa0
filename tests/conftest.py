import asyncio
import functools
import gc
import os
import signal
import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from hypothesis import settings
from slack_bolt.listener.async_listener import AsyncCustomListener
from slack_sdk.models.blocks import Block
from sqlalchemy import Connection, Engine

from blocks import block_json
from csat.db.database import Database
from csat.db.engines import PRAGMAS, open_engine
from tests.canaries import use_canaries
from tests.databases import KINDS, SLOW_KINDS, Databases, SharedStatements, fastest_place
from tests.leak_env import LeakEnv, run_leak_env
from tests.silent_proxy import SilentProxy
from tests.world import WAIT_SECONDS, World, running_world


def pragmas_with_busy_timeout(milliseconds: int) -> tuple[str, ...]:
    """Return the app's SQLite pragmas with a different busy timeout."""
    others = [pragma for pragma in PRAGMAS if not pragma.startswith("busy_timeout")]
    return (*others, f"busy_timeout={milliseconds}")


GENEROUS_TIMEOUTS = {
    "bootstrap.lifespan.SHUTDOWN_SECONDS": WAIT_SECONDS,
    "csat.db.engines.PRAGMAS": pragmas_with_busy_timeout(WAIT_SECONDS * 1000),
    "csat.db.database.WRITE_SECONDS": WAIT_SECONDS,
    "csat.db.database.READ_SECONDS": WAIT_SECONDS,
    "csat.db.database.CHECK_SECONDS": WAIT_SECONDS,
    "csat.db.transaction_deadlines.COMMIT_SECONDS": WAIT_SECONDS,
    "csat.db.postgresql_connections.CONNECT_ARGS": {"connect_timeout": WAIT_SECONDS},
    "csat.slack_api.client.PERMALINK_TIMEOUT_SECONDS": WAIT_SECONDS,
    "csat.slack_api.client.OPEN_VIEW_TIMEOUT_SECONDS": WAIT_SECONDS,
    "csat.slack_api.user_groups.TIMEOUT_SECONDS": WAIT_SECONDS,
    "csat.slack_api.user_permissions.TIMEOUT_SECONDS": WAIT_SECONDS,
    "csat.slack_api.socket_mode.SHUTDOWN_TIMEOUT_SECONDS": WAIT_SECONDS,
    "csat.slack_api.socket_mode.HANDSHAKE_TIMEOUT_SECONDS": WAIT_SECONDS,
    "csat.slack_api.web_client.CALL_TIMEOUT_SECONDS": WAIT_SECONDS,
    "csat.x_api.client.CALL_TIMEOUT_SECONDS": WAIT_SECONDS,
    "csat.x_api.client.HTTP_TIMEOUT": WAIT_SECONDS,
    "handlers.form_submission.DATABASE_DEADLINE_SECONDS": WAIT_SECONDS,
    "handlers.form_submission.DENIAL_SECONDS": WAIT_SECONDS,
    "handlers.modal_submission.DATABASE_TIMEOUT_SECONDS": WAIT_SECONDS,
    "handlers.services.FORM_CONTEXT_SECONDS": WAIT_SECONDS,
    "handlers.services.LOOKUP_TIMEOUT_SECONDS": WAIT_SECONDS,
    "handlers.slack_customers.LOOKUP_TIMEOUT_SECONDS": WAIT_SECONDS,
    "sandbox.slack.trigger_ids.TRIGGER_LIFETIME": timedelta(seconds=WAIT_SECONDS),
    "sandbox.x.webhook.TIMEOUT": aiohttp.ClientTimeout(total=WAIT_SECONDS),
}

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


def pytest_itemcollected(item: pytest.Item) -> None:
    """Measure no coverage in slow tests: they repeat what others show, and take twice as long with it."""
    if item.get_closest_marker("slow"):
        item.add_marker("no_cover")


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
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture(name="engine", params=KINDS, scope="module")
def _engine(
    databases: Databases, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Engine]:
    """The engine of a database of each kind, which the tests of a module share."""
    engine = open_engine(databases.make(request.param, tmp_path_factory.mktemp("engine")))
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


@pytest.fixture(name="any_world", params=SLOW_KINDS)
async def _any_world(
    databases: Databases, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[World]:
    """The app in Socket Mode, on each kind of database."""
    async with running_world(tmp_path, database_url=databases.make(request.param, tmp_path)) as world:
        yield world


@pytest.fixture(name="world")
async def _world(tmp_path: Path) -> AsyncIterator[World]:
    """The app in Socket Mode."""
    async with running_world(tmp_path) as world:
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


@pytest.fixture(name="short_busy_timeout")
def _short_busy_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the busy timeout of SQLite."""
    monkeypatch.setattr("csat.db.engines.PRAGMAS", pragmas_with_busy_timeout(50))


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


@pytest.fixture(name="generous_timeouts", scope="session", autouse=True)
def _generous_timeouts() -> Iterator[None]:
    """No timeout of the app or the sandbox expires because the machine is busy."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in GENEROUS_TIMEOUTS.items():
            patch.setattr(name, value)
        ack_timeout = property(lambda _: WAIT_SECONDS, lambda *_: None)
        patch.setattr(AsyncCustomListener, "ack_timeout", ack_timeout, raising=False)
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
