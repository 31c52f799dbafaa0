import pytest
from slack_bolt.async_app import AsyncApp

from sandbox.slack import SlackError, Workspace
from sandbox.slack.fixtures import (
    ADA,
    BEN,
    LOUNGE,
    OLD_SUPPORT,
    SUPPORT,
)
from tests.sandbox.slack_kit import (
    Clock,
    Json,
    manifest,
    run_http_app,
    workspace,
)


async def test_subscribed_events_are_delivered() -> None:
    received: list[Json] = []

    async def handle(event: Json) -> None:
        received.append(event)

    subscribed = ("reaction_added", "message.channels", "app_mention", "app_home_opened", "tokens_revoked")
    slack = Workspace(manifest(events=subscribed), Clock())

    def register(app: AsyncApp) -> None:
        for name in ("reaction_added", "message", "app_mention", "app_home_opened", "tokens_revoked"):
            app.event(name)(handle)

    async with run_http_app(slack, register):
        message = await slack.post_message(ADA, SUPPORT, f"hello <@{slack.bot.id}>")
        await slack.add_reaction(BEN, SUPPORT, message.ts, "star")
        await slack.add_reaction(BEN, LOUNGE, slack.messages(LOUNGE, BEN)[0].ts, "star")
        await slack.open_home(ADA)
        await slack.send_event({"type": "tokens_revoked", "tokens": {"bot": [slack.bot.id]}})
        await slack.wait_until(lambda: len(slack.deliveries) == 5)

    types = [delivery.payload["event"]["type"] for delivery in slack.deliveries]
    assert types == ["message", "app_mention", "reaction_added", "app_home_opened", "tokens_revoked"]
    assert slack.deliveries[2].payload["event"]["item"] == {
        "type": "message",
        "channel": SUPPORT,
        "ts": message.ts,
    }


async def test_other_events_are_not_delivered() -> None:
    slack = workspace()
    message = await slack.post_message(ADA, SUPPORT, "hello")
    await slack.add_reaction(BEN, SUPPORT, message.ts, "star")

    with pytest.raises(SlackError, match="already_reacted"):
        await slack.add_reaction(BEN, SUPPORT, message.ts, "star")
    with pytest.raises(SlackError, match="not_subscribed"):
        await slack.send_event({"type": "app_uninstalled"})
    with pytest.raises(SlackError, match="is_archived"):
        await slack.post_message(ADA, OLD_SUPPORT, "hello")
    assert await slack.open_home(ADA) is None
    assert slack.deliveries == []
