"""Nobody waits longer than this; the other tests give the app more time, so that they fit a busy machine."""

import pytest

from csat.slack_api.web_client import CALL_TIMEOUT_SECONDS as SLACK_CALL_SECONDS
from csat.web.limited_http_protocol import (
    BODY_TIMEOUT_SECONDS,
    HEAD_TIMEOUT_SECONDS,
    KEEP_ALIVE_SECONDS,
    MAX_CONNECTIONS,
)
from csat.x_api.client import CALL_TIMEOUT_SECONDS as X_CALL_SECONDS


# the values are those at the import, before the tests have more time
@pytest.mark.parametrize(
    ("value", "limit"),
    [
        pytest.param(SLACK_CALL_SECONDS, 5, id="seconds for a call to Slack"),
        pytest.param(X_CALL_SECONDS, 8, id="seconds for a call to X"),
        pytest.param(HEAD_TIMEOUT_SECONDS, 10, id="seconds for the head of a request"),
        pytest.param(BODY_TIMEOUT_SECONDS, 30, id="seconds for the body of a request"),
        pytest.param(KEEP_ALIVE_SECONDS, 15, id="seconds for an idle connection"),
        pytest.param(MAX_CONNECTIONS, 256, id="connections at once"),
    ],
)
def test_a_limit_is_no_higher_than_promised(value: float, limit: float) -> None:
    assert 0 < value <= limit
