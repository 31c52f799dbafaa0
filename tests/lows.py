"""Low ratings to look after: a survey that was sent, and what the customer answered."""

import contextlib
from typing import Any

from blocks.form_fields import TEST
from csat.db import responses
from csat.db.database import Database
from csat.db.limits import recipient_key
from csat.surveys.questions import Metric
from csat.surveys.responses import Comment, Rating, Response, Update
from csat.surveys.survey import Receipt
from sandbox.slack import Message, fixtures
from sandbox.x import Feedback
from tests.world import World

COMMENT = "SENTINEL <!channel> Nobody helped me.\nTwice! \u202e*b* <https://evil.example|x>"
ALERT = "gave a low rating"
SUPERVISED: dict[str, Any] = {"csat_supervisors": {fixtures.CLEO}, "csat_results_channel": fixtures.LEADS}
"""Settings: Cleo supervises, and her results channel is one that Ada reads, too."""


async def ask(
    world: World,
    words: str = "/csat @mira_k",
    user: str = fixtures.ADA,
    *,
    is_test: bool = False,
    **fields: str,
) -> Feedback:
    """Send a survey from a thread of #support, and return it as X has it."""
    number = len(world.x.feedbacks)
    await world.opened(words, user)
    await world.type_in(user, **fields)
    if is_test:
        await world.workspace.select(user, TEST, [TEST])
    await world.workspace.submit_view(user)
    feedback = await world.sent(number + 1)
    told = "select count(*) from outbox where kind = 'sent' and sent_at is not null"
    await world.until(lambda: world.database(told) == [(number + 1,)])
    return feedback


async def answer(world: World, feedback: Feedback, score: int, comment: str | None = COMMENT) -> None:
    """Let the customer answer, and X tell of it."""
    given = world.x.respond(feedback.id, score, comment)
    assert given.score
    receipt = Receipt(
        id=given.id,
        dm_id=given.dm_id,
        to_user_id=given.to_user_id,
        external_id=given.external_id or "",
        question_variant_id=int(given.question_variant_id),
        created_at=given.created_at,
        updated_at=given.updated_at,
    )
    told = Update(
        receipt=receipt,
        account=given.from_user_id,
        metric=Metric(given.type),
        response=Response(
            rating=Rating(value=given.score.value, given_at=given.score.at),
            comment=Comment(text=given.text.value, given_at=given.text.at) if given.text else None,
        ),
    )
    key = recipient_key(world.settings.x_api_secret.get_secret_value().encode(), given.to_user_id)
    with contextlib.closing(Database(world.database_url)) as database:
        assert await database.run(responses.take, told, key, world.clock()) is responses.Taken.JOINED


async def alert(world: World) -> Message:
    """Send a survey that Ada asks for, have it rated low, and return what the results channel is told."""
    world.workspace.invite_bot(fixtures.LEADS)
    await answer(world, await ask(world, external_id="ticket_5555"), 1)
    return await world.message(ALERT, fixtures.LEADS, fixtures.CLEO)
