"""The log with LOG_FORMAT=json."""

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any

from csat.json_log import JsonFormatter


def format_record(**fields: Any) -> dict[str, Any]:
    fields = {"name": "csat.delivery", "levelname": "WARNING", "msg": "Hello", **fields}
    line = JsonFormatter().format(logging.makeLogRecord(fields))
    assert "\n" not in line
    parsed: dict[str, Any] = json.loads(line)
    return parsed


def test_a_record_is_one_json_object_with_its_time_in_utc() -> None:
    created = datetime(2026, 11, 3, 9, 30, 0, 250_000, UTC).timestamp()

    assert format_record(created=created, msg="Survey %s:\n%s", args=("s1", 'a "Café"')) == {
        "time": "2026-11-03T09:30:00.250+00:00",
        "level": "warning",
        "logger": "csat.delivery",
        "message": 'Survey s1:\na "Café"',
    }


def test_an_exception_is_in_the_traceback() -> None:
    try:
        int("seven")
    except ValueError:
        record = format_record(exc_info=sys.exc_info())

    assert record["traceback"].startswith("Traceback (most recent call last)")
    assert record["traceback"].splitlines()[-1].startswith("ValueError: invalid literal")
