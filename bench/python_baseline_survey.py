"""The survey as the baselines in Python build, send and confirm it."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
from oauthlib.oauth1 import Client

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
        {"type": "text", "text": " sent a survey to "},
        recipient,
        {"type": "text", "text": " on X."},
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
