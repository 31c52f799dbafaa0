"""A baseline in Python, written as Bolt's documentation shows it: default settings, no database."""

import json
import os
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bench.python_baseline_survey import confirmation, send_survey, survey_fields, survey_form

app = AsyncApp(
    client=AsyncWebClient(os.environ["SLACK_BOT_TOKEN"], base_url=f"{os.environ['SLACK_API_URL']}/"),
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
)


@app.command("/csat")
async def open_form(ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
    """Open the form."""
    await ack()
    await client.views_open(trigger_id=body["trigger_id"], view=survey_form(body))


@app.view("survey_form")
async def submit(ack: AsyncAck, body: dict[str, Any], view: dict[str, Any], client: AsyncWebClient) -> None:
    """Send the survey, and confirm it in the channel."""
    await ack()
    fields = survey_fields(view["state"]["values"])
    await send_survey(fields)
    user = body["user"]["id"]
    await client.chat_postMessage(
        channel=json.loads(view["private_metadata"])["channel"],
        text=f"<@{user}> sent a survey to {fields['to_user_id']} on X.",
        blocks=confirmation(user, fields),
        unfurl_links=False,
        unfurl_media=False,
    )


if __name__ == "__main__":
    app.start(port=int(os.environ["PORT"]), host="127.0.0.1")
