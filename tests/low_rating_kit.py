"""Low ratings by customers on X, and the alerts about them in the results channel."""

import contextlib

from csat.db import incoming_updates
from csat.db.database import Database
from csat.db.recipient_keys import load_secret, make_recipient_key
from csat.surveys.questions import Metric
from csat.surveys.receipt import Receipt
from csat.surveys.responses import Comment, Rating, Response, Update
from csat.surveys.transports import TransportName
from sandbox.slack import Message, fixtures
from sandbox.x import Feedback
from tests.timeouts import GENEROUS
from tests.world import LOW_RATING_ALERT, World, visible_text

COMMENT = "SENTINEL <!channel> Nobody helped me.\nTwice! \u202e*b* <https://evil.example|x>"


async def answer(world: World, feedback: Feedback, score: int, comment: str | None = COMMENT) -> None:
    """Answer a survey and store the response as if X had pushed it."""
    answered = world.x.respond(feedback.id, score, comment)
    assert answered.score
    receipt = Receipt(
        transport=TransportName.X_CARD,
        id=answered.id,
        dm_id=answered.dm_id,
        to_user_id=answered.to_user_id,
        external_id=answered.external_id or "",
        question_variant_id=int(answered.question_variant_id),
        created_at=answered.created_at,
        updated_at=answered.updated_at,
    )
    update = Update(
        receipt=receipt,
        account=answered.from_user_id,
        metric=Metric(answered.type),
        response=Response(
            rating=Rating(value=answered.score.value, given_at=answered.score.at),
            comment=Comment(text=answered.text.value, given_at=answered.text.at) if answered.text else None,
        ),
    )
    with contextlib.closing(Database(world.database_url, GENEROUS)) as database:
        key = make_recipient_key(await database.read(load_secret, ""), answered.to_user_id)
        assert (
            await database.run(incoming_updates.apply_update, update, key, world.clock())
            is incoming_updates.UpdateOutcome.ANSWERED
        )


async def trigger_alert(world: World) -> Message:
    """Send a survey as Ada, have it rated low, and return the alert in the results channel."""
    world.workspace.invite_bot(fixtures.LEADS)
    await answer(world, await world.send_survey(external_id="ticket_5555"), 1)
    return await world.wait_for_message(LOW_RATING_ALERT, fixtures.LEADS, fixtures.CLEO)


def alert_text(world: World, message: Message) -> str:
    """Return the current text of the alert."""
    return visible_text(world.workspace.get_message(message.channel, message.ts))
