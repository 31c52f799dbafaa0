"""Save what a person has submitted in a modal while Slack waits, or say why the modal stays open."""

from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from csat.db.errors import CommitUnknown, DatabaseError
from handlers.services import Services

P = ParamSpec("P")
T = TypeVar("T")

NOT_SAVED = "Not saved. Try again in a moment. If it keeps happening, tell an admin of this app."
NOT_KNOWN = (
    "We can't tell whether this was saved. Send it again from this form: either way, it's saved only once."
)


async def save(
    services: Services,
    transaction: Callable[Concatenate[Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """Run an idempotent transaction within the time that is left; raises `DatabaseError`."""
    seconds = services.timeouts.modal_commit
    return await services.database.run_before_deadline(seconds, transaction, *args, **kwargs)


def explain(problem: Exception) -> str:
    """Return what is wrong with a field, or why its form was not saved."""
    if isinstance(problem, CommitUnknown):
        return NOT_KNOWN
    return NOT_SAVED if isinstance(problem, DatabaseError) else str(problem)
