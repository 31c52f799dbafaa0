"""A baseline in Python, written as Bolt's documentation shows it: default settings, no database."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
from oauthlib.oauth1 import Client
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

FORM = json.loads(Path(os.environ["FORM_FILE"]).read_text(encoding="utf-8"))
CREATE = f"{os.environ['X_API_URL']}/1.1/feedback/create.json"
URLENCODED = "application/x-www-form-urlencoded"

x = httpx.AsyncClient()
oauth = Client(
    os.environ["X_API_KEY"],
    client_secret=os.environ["X_API_SECRET"],
    resource_owner_key=os.environ["X_ACCESS_TOKEN"],
    resource_owner_secret=os.environ["X_ACCESS_TOKEN_SECRET"],
)
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
        text=f"<@{user}> asked {fields['to_user_id']} for feedback on X.",
        blocks=confirmation(user, fields),
        unfurl_links=False,
        unfurl_media=False,
    )


def survey_form(body: dict[str, Any]) -> dict[str, Any]:
    """Return the form, with the recipient given in the command."""
    recipient, *others = FORM["blocks"]
    filled_in = {**recipient, "element": {**recipient["element"], "initial_value": body["text"]}}
    return {
        **FORM,
        "private_metadata": json.dumps({"channel": body["channel_id"]}),
        "blocks": [filled_in, *others],
    }


def survey_fields(values: dict[str, dict[str, Any]]) -> dict[str, str]:
    """Return the fields of POST feedback/create."""
    inputs = {action: element for block in values.values() for action, element in block.items()}
    return {
        "type": inputs["metric"]["selected_option"]["value"],
        "to_user_id": inputs["recipient"]["value"],
        "message": inputs["message"]["value"],
        "privacy_url": inputs["privacy_url"]["value"],
        "external_id": inputs["external_id"]["value"] or "",
        "question_variant_id": inputs["variant"]["selected_option"]["value"],
        "display_name": inputs["display_name"]["value"] or "",
        "test": "true" if inputs["test"]["selected_options"] else "false",
    }


async def send_survey(fields: dict[str, str]) -> None:
    """Send the survey to X."""
    url, headers, body = oauth.sign(CREATE, "POST", body=fields, headers={"Content-Type": URLENCODED})
    response = await x.post(url, headers=headers, data=body)
    response.raise_for_status()
    response.json()


def confirmation(user: str, fields: dict[str, str]) -> list[dict[str, Any]]:
    """Return the blocks of the confirmation."""
    recipient = {
        "type": "link",
        "url": f"https://x.com/i/user/{fields['to_user_id']}",
        "text": fields["to_user_id"],
    }
    sentence = [
        {"type": "user", "user_id": user},
        {"type": "text", "text": " asked "},
        recipient,
        {"type": "text", "text": " for feedback on X."},
    ]
    question = f"{fields['type'].upper()} · question {fields['question_variant_id']}"
    details = [question, f"External ID: {fields['external_id']}"]
    return [
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": sentence}]},
        {
            "type": "context",
            "elements": [{"type": "plain_text", "text": text, "emoji": False} for text in details],
        },
    ]


if __name__ == "__main__":
    app.start(port=int(os.environ["PORT"]), host="127.0.0.1")
