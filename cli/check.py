"""`python app.py check`: does everything work that the app needs, and if not, what to do."""

import contextlib
from collections.abc import AsyncIterator
from typing import NamedTuple

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

from cli import manifest
from csat.data_files import load_catalogue
from csat.db.database import Database
from csat.db.errors import DatabaseError
from csat.resources import build_credentials
from csat.settings import Settings
from csat.slack_api.errors import INSTALLATION_ERRORS, SlackError, SlackUnavailable, as_slack_error
from csat.surveys.questions import CatalogueError
from csat.web import slack_events
from csat.x_api.client import XClient, open_http_client
from csat.x_api.errors import RecipientUnknown, Refused, XError

TIMEOUT = 10
GROUPS = "usergroups:read"
"""The scope that only user groups in CSAT_AGENTS and CSAT_SUPERVISORS need."""


class Finding(NamedTuple):
    """One line of the check-up."""

    fine: bool
    what: str
    advice: str = ""


async def checkup(settings: Settings) -> AsyncIterator[Finding]:
    """Yield one finding after the other; nothing is sent, and no secret is shown."""
    yield _questions(settings)
    yield await _database(settings)
    async with aiohttp.ClientSession() as session:
        web = AsyncWebClient(
            settings.slack_bot_token.get_secret_value(),
            base_url=f"{settings.slack_api_url}/",
            timeout=TIMEOUT,
            session=session,
        )
        async for finding in _slack(settings, web):
            yield finding
        if settings.csat_results_channel:
            yield await _results_channel(settings.csat_results_channel, web)
        yield await _entrance(settings, web)
    yield await _x(settings)


def _questions(settings: Settings) -> Finding:
    try:
        catalogue = load_catalogue(settings.csat_questions_file)
    except CatalogueError as error:
        return Finding(
            fine=False, what=f"Questions: {error}", advice="Mend the file, or unset CSAT_QUESTIONS_FILE."
        )
    return Finding(fine=True, what=f"Questions: {len(catalogue.csat)} for CSAT, {len(catalogue.nps)} for NPS")


async def _database(settings: Settings) -> Finding:
    try:
        with contextlib.closing(Database(settings.database_url.get_secret_value())) as database:
            await database.check()
    except DatabaseError as error:
        advice = "Check DATABASE_URL, its folder and its rights."
        return Finding(fine=False, what=f"Ledger: {error}", advice=advice)
    return Finding(fine=True, what="Ledger: can be read and written")


async def _slack(settings: Settings, web: AsyncWebClient) -> AsyncIterator[Finding]:
    try:
        with as_slack_error():
            answer = await web.auth_test()
    except SlackUnavailable as error:
        if str(error) not in INSTALLATION_ERRORS:
            advice = "Check SLACK_API_URL and the way to it, then try again."
            yield Finding(fine=False, what=f"Slack: {error}", advice=advice)
            return
        advice = "Copy SLACK_BOT_TOKEN from OAuth & Permissions; install the app to the workspace again."
        yield Finding(fine=False, what=f"Slack token: {error}", advice=advice)
        return
    yield Finding(fine=True, what=f"Slack token: {answer['user']} in {answer['team']}")
    granted = {scope.strip() for scope in answer.headers.get("x-oauth-scopes", "").split(",")}
    required, optional = manifest.scopes(manifest.load())
    if any(named.startswith("S") for named in settings.csat_agents | settings.csat_supervisors):
        required, optional = required | {GROUPS}, optional - {GROUPS}
    advice = "Paste the output of python app.py manifest at api.slack.com/apps, then install the app again."
    missing = ", ".join(sorted(required - granted))
    yield Finding(
        fine=not missing,
        what=f"Slack scopes: {f'missing {missing}' if missing else 'complete'}",
        advice=advice,
    )
    for scope in sorted(optional - granted):
        yield Finding(fine=True, what=f"Slack scope {scope}: not granted, and optional (see the README)")


async def _results_channel(channel: str, web: AsyncWebClient) -> Finding:
    what, advice = f"Results channel {channel}", "Invite the app there, or name another CSAT_RESULTS_CHANNEL."
    try:
        with as_slack_error():
            told = (await web.conversations_info(channel=channel))["channel"]
    except SlackUnavailable as error:
        return Finding(fine=True, what=f"{what}: Slack does not tell whether the app is in it ({error})")
    except SlackError as error:
        return Finding(fine=False, what=f"{what}: {error}", advice=advice)
    if told.get("is_archived"):
        return Finding(fine=False, what=f"{what}: is_archived", advice=advice)
    if not told.get("is_member"):
        return Finding(fine=False, what=f"{what}: not_in_channel", advice=advice)
    return Finding(fine=True, what=f"{what}: the app is in it")


async def _entrance(settings: Settings, web: AsyncWebClient) -> Finding:
    if settings.slack_app_token is None:
        where = f"http://{settings.host}:{settings.port}{slack_events.PATH}"
        return Finding(
            fine=True, what=f"Entrance: HTTP at {where}; Slack must reach it from outside, over HTTPS"
        )
    try:
        with as_slack_error():
            await web.apps_connections_open(app_token=settings.slack_app_token.get_secret_value())
    except SlackError as error:
        advice = "Make an app-level token with the scope connections:write, and turn Socket Mode on."
        return Finding(fine=False, what=f"Entrance: Socket Mode: {error}", advice=advice)
    return Finding(fine=True, what="Entrance: Socket Mode")


async def _x(settings: Settings) -> Finding:
    async with open_http_client(build_credentials(settings), settings.x_api_url) as http:
        try:
            account = await XClient(http).get_me()
        except RecipientUnknown as error:
            return Finding(fine=False, what=f"X: {error}", advice="Check X_API_URL: X is not there.")
        except Refused as error:
            return Finding(fine=False, what=f"X keys: {error}", advice=error.sentence())
        except XError as error:
            return Finding(
                fine=False, what=f"X: {error}", advice="Check X_API_URL and the way to it, then try again."
            )
    return Finding(fine=True, what=f"X keys: surveys come from @{account.handle}")
