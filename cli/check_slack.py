"""The checks of the token, the people, the results channel and the connection in Slack."""

from collections.abc import AsyncIterator, Iterator, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Final, NamedTuple

from bootstrap.values_from_settings import open_slack
from cli import manifest
from cli.finding import Finding, warning
from csat.settings import Settings
from csat.slack_api.error_explanations import explain, is_busy
from csat.slack_api.errors import SlackError, SlackUnavailable, is_rejection
from csat.slack_api.member_existence import ListedMembers, Problem
from csat.slack_api.responses import AuthTest, ChannelInfo, SocketUrl, parse_response
from csat.slack_api.web_client import WebClient
from csat.web import paths

TRY_AGAIN = "Check SLACK_API_URL and your network, then try again."
WAIT = "Wait some minutes, then try again. If it stays like this, check SLACK_API_URL."
EVERYBODY = "it is public, so agents can read about low ratings there, and the weekly figures"
OTHER_COMPANY = (
    "another company reads it, or is invited to: low ratings and the weekly figures are shown there"
)
PRIVATE_CHANNEL = (
    "Set CSAT_RESULTS_CHANNEL to a private channel of your own company without agents, and restart the app."
)
GROUPS_SCOPE = "usergroups:read"
"""Needed only if CSAT_AGENTS or CSAT_SUPERVISORS names user groups."""

FINDING_AGAIN: Final = (
    "if Slack doesn't confirm a survey to a person in Slack, its requester has to look whether it arrived"
)
WITHOUT_SCOPE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "channels:read": "exports and links to earlier surveys leave out public channels",
        "chat:write.public": "in public channels without the app, only the requester sees confirmations",
        "files:write": "there is no /csat export",
        "groups:read": "exports and links to earlier surveys leave out private channels",
        "im:history": FINDING_AGAIN,
        "im:write": FINDING_AGAIN,
        GROUPS_SCOPE: "CSAT_AGENTS and CSAT_SUPERVISORS can't name user groups",
    }
)
"""The features that do not work without each optional scope."""


class SlackFindings(NamedTuple):
    """Slack's answers about the tokens, the people and the channel."""

    team: str
    """The id of the app's workspace, or "" if Slack does not tell."""
    findings: list[Finding]


async def check_slack(settings: Settings) -> SlackFindings:
    """Ask Slack about the settings; nothing is posted."""
    async with open_slack(settings) as web:
        team, findings = await _token(settings, web)
        if settings.csat_results_channel:
            findings += [each async for each in _results_channel(settings.csat_results_channel, web)]
        return SlackFindings(team, [*findings, await _connection(settings, web)])


async def _token(settings: Settings, web: WebClient) -> SlackFindings:
    try:
        response = await web.auth_test()
        bot = parse_response(AuthTest, response)
    except SlackError as error:
        return SlackFindings("", [_rejected(error)])
    granted = {scope.strip() for scope in response.headers.get("x-oauth-scopes", "").split(",")}
    members = _members(settings, ListedMembers(web, bot.team_id))
    return SlackFindings(
        bot.team_id,
        [
            Finding(ok=True, message=f"Slack token: {bot.user} in {bot.team}"),
            *_scopes(settings, granted),
            *[finding async for finding in members],
        ],
    )


def _rejected(error: SlackError) -> Finding:
    if not is_rejection(error):
        return Finding(
            ok=False, message=f"Slack token: not checked, {explain(error)}", advice=_advise_retry(error)
        )
    advice = (
        "Copy SLACK_BOT_TOKEN from OAuth & Permissions, or reinstall the app to the workspace; then restart."
    )
    return Finding(ok=False, message=f"Slack token: {explain(error)}", advice=advice)


def _scopes(settings: Settings, granted: AbstractSet[str]) -> Iterator[Finding]:
    required, optional = manifest.scopes(manifest.load())
    if any(named.startswith("S") for named in settings.csat_agents | settings.csat_supervisors):
        required, optional = required | {GROUPS_SCOPE}, optional - {GROUPS_SCOPE}
    over_http = "" if settings.slack_app_token else f" --url {manifest.EXAMPLE_URL} (with your own address)"
    advice = (
        f"Paste the output of python app.py manifest{over_http} at api.slack.com/apps, "
        "then reinstall the app."
    )
    missing = ", ".join(sorted(required - granted))
    yield Finding(
        ok=not missing,
        message=f"Slack scopes: {f'missing {missing}' if missing else 'complete'}",
        advice=advice,
    )
    for scope in sorted(optional - granted):
        message = f"Slack scope {scope}: not granted (optional); without it, {WITHOUT_SCOPE[scope]}"
        yield Finding(ok=True, message=message)


async def _members(settings: Settings, members: ListedMembers) -> AsyncIterator[Finding]:
    """Yield, by setting, whether Slack knows the listed users and user groups."""
    listed = {
        "CSAT_AGENTS": settings.csat_agents,
        "CSAT_SUPERVISORS": settings.csat_supervisors,
        "CSAT_OPERATORS": settings.csat_operators,
    }
    results = await members.look_up(frozenset().union(*listed.values()))
    for name, ids in listed.items():
        of_setting = {each: results[each] for each in sorted(ids)}
        if name == "CSAT_OPERATORS":  # those of another company in a channel with the app can be told too
            of_setting = {
                each: None if result is Problem.OTHER_TEAM else result for each, result in of_setting.items()
            }
        for finding in _setting_of_members(name, of_setting):
            yield finding


def _setting_of_members(name: str, results: Mapping[str, Problem | SlackError | None]) -> Iterator[Finding]:
    known = sum(result is None for result in results.values())
    errors = [result for result in results.values() if isinstance(result, SlackError)]
    wrong = {problem: [each for each in results if results[each] is problem] for problem in Problem}
    problems = "; ".join(f"{problem}: {', '.join(ids)}" for problem, ids in wrong.items() if ids)
    if problems:
        advice = f"Correct these ids in {name}, or remove them, and restart the app."
        yield Finding(ok=False, message=f"{name}: {problems}", advice=advice)
    if errors:
        yield warning(f"{name}: {len(errors)} not checked, {explain(errors[0])}")
    if known:
        yield Finding(ok=True, message=f"{name}: {known} known to Slack")


async def _results_channel(channel: str, web: WebClient) -> AsyncIterator[Finding]:
    """Yield whether the app is in the channel, and who can read it who should not."""
    name, advice = f"Results channel {channel}", "Invite the app there, or change CSAT_RESULTS_CHANNEL."
    try:
        info = parse_response(ChannelInfo, await web.conversations_info(channel=channel)).channel
    except SlackUnavailable as error:
        yield warning(f"{name}: not checked, {explain(error)}")
        return
    except SlackError as error:
        yield Finding(ok=False, message=f"{name}: {explain(error)}", advice=advice)
        return
    if info.is_archived:
        yield Finding(ok=False, message=f"{name}: it is archived", advice=advice)
    elif not info.is_member:
        yield Finding(ok=False, message=f"{name}: the app isn't a member", advice=advice)
    else:
        yield Finding(ok=True, message=f"{name}: the app is a member")
    if info.has_strangers:
        yield Finding(ok=False, message=f"{name}: {OTHER_COMPANY}", advice=PRIVATE_CHANNEL)
    elif not info.is_private:
        yield Finding(ok=False, message=f"{name}: {EVERYBODY}", advice=PRIVATE_CHANNEL)


async def _connection(settings: Settings, web: WebClient) -> Finding:
    if settings.slack_app_token is None:
        where = f"http://{settings.host}:{settings.port}{paths.SLACK_EVENTS}"
        return Finding(
            ok=True,
            message=f"Connection: HTTP at {where}; Slack must reach it over HTTPS. SLACK_SIGNING_SECRET "
            "can't be checked from here; if it is wrong, the log says so at the first request",
        )
    try:
        token = settings.slack_app_token.get_secret_value()
        parse_response(SocketUrl, await web.apps_connections_open(app_token=token))
    except SlackError as error:
        advice = (
            "Create an app-level token with the scope connections:write, set SLACK_APP_TOKEN to it, and turn "
            "on Socket Mode; then restart."
        )
        if not is_rejection(error):
            advice = _advise_retry(error)
        return Finding(ok=False, message=f"Connection: Socket Mode: {explain(error)}", advice=advice)
    return Finding(ok=True, message="Connection: Socket Mode")


def _advise_retry(error: SlackError) -> str:
    return WAIT if is_busy(error) else TRY_AGAIN
