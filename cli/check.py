"""`python app.py check`: checks the settings, Slack and X, and says what to fix."""

import stat
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

from cli.check_queue import check_queue, read_queue
from cli.check_slack import check_slack
from cli.check_transports import check_rating_page, describe_transports
from cli.check_x import check_x
from cli.errors import CommandError
from cli.existing_database import find_file, open_existing
from cli.finding import Finding, warning
from csat.db.engines import describe
from csat.db.errors import DatabaseError, Locked, NotOurs, SchemaTooNew
from csat.db.inspection import Schema, SecretProblem, find_secret_problem, inspect_database
from csat.db.rating_link_secrets import load_rating_link_secrets
from csat.question_and_ticket_files import load_catalogue
from csat.settings import Settings
from csat.settings_from_environment import ENV_FILE
from csat.surveys.questions import CatalogueError, Metric
from csat.surveys.rating_link_secret import RatingLinkSecret

NO_SUPERVISORS = "CSAT_SUPERVISORS is empty, so nobody sees an answer, a report or an export in Slack"
NO_OPERATORS = (
    "CSAT_OPERATORS is empty, so nobody is told if X stops accepting surveys, save by the log and /readyz"
)
WITHOUT_X = "X: no keys, so surveys go to people in Slack alone"
DATABASE_ADVICE = (
    "Check DATABASE_URL, and that the app may write there: no disk is full, and nothing is read-only."
)
LOCKED_ADVICE = (
    "Another program keeps it locked, like a shell with an open transaction, or a copy that is being made: "
    "end that, or wait for it."
)
POSTGRESQL_ADVICE = (
    "Check DATABASE_URL, that PostgreSQL runs and lets the app in, and that it takes writes: no disk is "
    "full, and nothing is read-only."
)
NOT_OURS_ADVICE = "This app needs a file of its own, which it creates."
TOO_NEW_ADVICE = "Use the version that upgraded the database, or a newer one; or change DATABASE_URL."
SECRET_FINDINGS = {
    SecretProblem.MISSING: Finding(
        ok=False,
        message="Database: it knows customers by an X_API_SECRET that is missing",
        advice="Set CSAT_SECRET_KEY to the X_API_SECRET that the app had before.",
    ),
    SecretProblem.OTHER: Finding(
        ok=False,
        message="Database: it knows who opted out by another secret than this one",
        advice="Set CSAT_SECRET_KEY to the one that the app had before, or remove it if there was none. "
        "If it is lost, see Opt-outs in docs/service.md.",
    ),
}
QUESTION_SETTINGS = ("CSAT_QUESTIONS_FILE", "CSAT_QUESTIONS")
DAMAGED = ("file is not a database", "database disk image is malformed")
"""SQLite's error for such a file."""
READABLE_BY_OTHERS = stat.S_IRGRP | stat.S_IROTH


DATABASE_STATES = {
    Schema.CURRENT: "ready",
    Schema.OUTDATED: "will be upgraded at the next start",
    Schema.MISSING: "will be set up at the first start",
}


async def check(settings: Settings) -> AsyncIterator[Finding]:
    """Yield the findings; nothing is posted, and no secret is shown."""
    yield _questions(settings)
    database = _database(settings)
    yield database
    for finding in (*_files(settings), *_absent_people(settings)):
        yield finding
    slack = await check_slack(settings)
    for finding in slack.findings:
        yield finding
    queue = await read_queue(settings, slack.team) if database.ok else None
    x = await check_x(settings, queue.on_x.pause_cause if queue else "")
    if x and x.clock:
        yield x.clock
    yield x.account if x else Finding(ok=True, message=WITHOUT_X)
    for finding in describe_transports(settings):
        yield finding
    if database.ok and settings.csat_public_url:
        yield await check_rating_page(settings, await _load_rating_link_secrets(settings))
    if queue:
        async for finding in check_queue(settings, queue, x, slack.team):
            yield finding


def _files(settings: Settings) -> Iterator[Finding]:
    """Yield the files with secrets or customers' data that others on this machine can read."""
    advice = "others can read it; run chmod 600"
    if _others_can_read(env_file := Path(ENV_FILE).absolute()):
        yield warning(f"Settings file: {advice} {env_file}")
    if (file := find_file(settings)) and not file.is_dir() and _others_can_read(file):
        yield warning(f"Database file: {advice} {file.absolute()}*")


def _absent_people(settings: Settings) -> Iterator[Finding]:
    """Yield the settings that leave answers or alerts to nobody."""
    if not settings.csat_supervisors:
        yield warning(NO_SUPERVISORS)
    if settings.x_account_id and not settings.csat_operators:
        yield warning(NO_OPERATORS)


def _others_can_read(file: Path) -> bool:
    return file.exists() and bool(file.stat().st_mode & READABLE_BY_OTHERS)


def _questions(settings: Settings) -> Finding:
    try:
        catalogue = load_catalogue(
            settings.csat_questions_file, settings.csat_questions, settings.csat_transports
        )
    except CatalogueError as error:
        given = [name for name in QUESTION_SETTINGS if name.lower() in settings.model_fields_set]
        advice = f"Fix it, or unset {' and '.join(given)}." if given else "Install the app anew."
        return Finding(ok=False, message=f"Questions: {error}", advice=advice)
    numbers = [f"{len(catalogue.variants(metric))} for {metric.upper()}" for metric in Metric]
    return Finding(ok=True, message=f"Questions: {', '.join(numbers)}")


def _database(settings: Settings) -> Finding:
    url = settings.database_url.get_secret_value()
    name = describe(url)
    secrets = (settings.x_api_secret, settings.csat_secret_key)
    former, own = (secret.get_secret_value() if secret else None for secret in secrets)
    try:
        schema = inspect_database(url, settings.timeouts)
        if schema is not Schema.MISSING and (
            problem := find_secret_problem(url, settings.timeouts, former, own)
        ):
            return SECRET_FINDINGS[problem]
    except SchemaTooNew as error:
        return Finding(ok=False, message=f"Database ({name}): {error}", advice=TOO_NEW_ADVICE)
    except NotOurs as error:
        return Finding(ok=False, message=f"Database ({name}): {error}", advice=NOT_OURS_ADVICE)
    except Locked as error:
        return Finding(ok=False, message=f"Database ({name}): {error}", advice=LOCKED_ADVICE)
    except DatabaseError as error:
        advice = _advise_on_database(find_file(settings), str(error))
        return Finding(ok=False, message=f"Database ({name}): {error}", advice=advice)
    return Finding(ok=True, message=f"Database: {DATABASE_STATES[schema]} ({name})")


def _advise_on_database(file: Path | None, error: str) -> str:
    if not file:
        return POSTGRESQL_ADVICE
    if not file.parent.exists():
        return f"There is no folder {file.absolute().parent}. Create it, or check DATABASE_URL."
    if file.is_dir():
        return f"{file} is a folder. Add the name of a file to DATABASE_URL."
    if error in DAMAGED:
        return f"{file} is damaged, or no database. Check DATABASE_URL, or restore a backup of it."
    return DATABASE_ADVICE


async def _load_rating_link_secrets(settings: Settings) -> Sequence[RatingLinkSecret] | None:
    try:
        with open_existing(settings) as database:
            return await database.read(load_rating_link_secrets)
    except (CommandError, DatabaseError):
        return None  # it has no tables yet, or older ones
