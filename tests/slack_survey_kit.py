"""Surveys to people in Slack, as they see and answer them."""

from typing import Any

import sqlalchemy

from csat.db import tables
from csat.surveys.recipients import SlackPerson
from csat.surveys.states import State
from sandbox.slack import Message, fixtures
from sandbox.slack.interactive_elements import interactive_elements
from tests.factories import make_row
from tests.world import World

QUESTION = "What is your overall satisfaction with Northwind?"
INVITED = "how did we do?"


def insert_survey(world: World, user: str = fixtures.SAM, **columns: Any) -> int:
    """Insert a survey to a person in Slack that is due, and return its number."""
    now = world.clock()
    values = {
        "state": State.ACCEPTED,
        "account": fixtures.TEAM,
        "team": fixtures.TEAM,
        "channel": fixtures.PARTNERS,
        "thread": "",
        "requester": fixtures.ADA,
        "transport": "slack",
        "recipient_handle": None,
        "recipient_id": SlackPerson(team=fixtures.TEAM, user=user).id,
        "recipient_key": f"the key of {user}",
        "sent_at": None,
        "attempts": 0,
        **dict.fromkeys(("accepted_at", "due_at", "received_at", "quota_until"), now),
    }
    statement = sqlalchemy.insert(tables.surveys).returning(tables.surveys.c.id)
    with world.engine.begin() as connection:
        return int(connection.execute(statement, make_row(**{**values, **columns})).scalar_one())


async def ask(world: World, user: str = fixtures.SAM, **columns: Any) -> Message:
    """Ask a person in Slack, and return the direct message that they get."""
    known = world.find_dm(QUESTION, user)
    insert_survey(world, user, **columns)

    def find_new() -> Message | None:
        found = world.find_dm(QUESTION, user)
        return found if found and (known is None or found.ts != known.ts) else None

    message = await world.wait_until(find_new)
    await world.wait_until(lambda: "accepted" not in world.states() and "sending" not in world.states())
    return message


async def invite(world: World, user: str = fixtures.NOOR, **columns: Any) -> Message:
    """Ask a person whom the app may not message, and return the invitation in their thread."""
    start = next(
        message
        for message in world.workspace.messages(fixtures.PARTNERS, fixtures.ADA)
        if not message.is_reply
    )
    insert_survey(world, user, thread=start.ts, in_thread=True, **columns)
    return await world.wait_for_message(INVITED, fixtures.PARTNERS, user)


def buttons(message: Message) -> list[str]:
    """Return the action ids of a message's buttons."""
    return [element["action_id"] for block in message.blocks for element in interactive_elements(block)]


async def press(world: World, message: Message, action_id: str, user: str = fixtures.SAM) -> None:
    """Press a button that the message has."""
    await world.workspace.click(user, action_id, channel=message.channel, ts=message.ts)


def stored(world: World) -> list[tuple[Any, ...]]:
    """Return the state, the rating and the comment of each survey."""
    columns = tables.surveys.c
    return world.rows(columns.state, columns.rating, columns.comment)
