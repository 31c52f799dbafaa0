"""Where something goes wrong, nobody is told an answer along with what went wrong."""

import json
import traceback

import pytest
from sqlalchemy import Connection, insert, text

from ledger.engine import Ledger
from ledger.errors import LedgerError
from ledger.tables import surveys
from tests.asked import answered
from x.errors import Impossible
from x.updates import read_event

WORDS = "between you and me"
DATE = "Sat Dec 15 17:58:20 +0000 2015"


def forbid_comments(connection: Connection) -> None:
    """Let the database refuse each survey with a comment."""
    if connection.dialect.name == "sqlite":
        refuse = "begin select raise(abort, 'quiet'); end"
        statement = f"create trigger quiet before insert on surveys when new.comment <> '' {refuse}"
    else:
        statement = "alter table surveys add constraint quiet check (comment is null)"
    connection.execute(text(statement))


async def test_an_error_of_the_ledger_tells_nothing_of_what_it_was_to_keep(ledger: Ledger) -> None:
    await ledger.run(forbid_comments)

    with pytest.raises(LedgerError) as refused:
        await ledger.run(lambda connection: connection.execute(insert(surveys), [answered(1, comment=WORDS)]))

    told = "".join(traceback.format_exception(refused.value))
    assert "quiet" in told
    assert "test_blindness_in_trouble" in told
    assert WORDS not in told


@pytest.mark.parametrize(
    "changes",
    [
        {"response": {"score": {"created_at": WORDS, "value": 1}}},
        {"response": {"score": {"created_at": DATE, "value": WORDS}}},
        {"response": {"score": WORDS}},
        {"response": {"text": {"created_at": DATE, "value": [WORDS]}}},
        {"response": {"text": {"created_at": WORDS, "value": WORDS}}},
        {"response": {"text": WORDS}},
        {"response": WORDS},
        *[{name: WORDS} for name in ("type", "id", "from_user_id", "created_at", "question_variant_id")],
        {"external_id": [WORDS]},
    ],
    ids=str,
)
def test_what_x_tells_and_can_not_be_is_not_repeated(changes: dict[str, object]) -> None:
    told = {"type": "csat", "id": "7", "from_user_id": "1", "dm_id": "2", "to_user_id": "3"}
    dated = {"created_at": DATE, "updated_at": DATE, "question_variant_id": 0}
    event = {"event_type": "feedback.updated", "feedback": {**told, **dated, **changes}}

    with pytest.raises(Impossible) as refused:
        read_event(json.dumps(event).encode())

    assert WORDS not in str(refused.value)
