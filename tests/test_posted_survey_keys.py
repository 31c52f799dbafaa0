"""A message about a survey names that one, also once another has its id."""

from datetime import timedelta

import pytest
from sqlalchemy import Connection, update

from csat.db.survey_records import find_survey
from csat.db.tables import surveys
from tests.factories import insert_sent


def test_a_survey_is_found_by_its_key(connection: Connection) -> None:
    record = insert_sent(connection)
    found = find_survey(connection, record.key)

    assert found is not None
    assert found.id == record.id


def test_another_survey_with_the_same_id_is_not(connection: Connection) -> None:
    record = insert_sent(connection)
    later = record.accepted_at + timedelta(seconds=1)
    connection.execute(update(surveys).where(surveys.c.id == record.id).values(accepted_at=later))

    assert find_survey(connection, record.key) is None


def test_the_buttons_of_earlier_versions_have_the_id_alone(connection: Connection) -> None:
    record = insert_sent(connection)
    found = find_survey(connection, str(record.id))

    assert found is not None
    assert found.id == record.id


@pytest.mark.parametrize("key", ["", "x", "1:", ":1", "-1", "1:2:3", "9" * 19, "²"])
def test_another_text_names_no_survey(connection: Connection, key: str) -> None:
    insert_sent(connection)

    assert find_survey(connection, key) is None
