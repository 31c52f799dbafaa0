"""Nobody waits longer than this; the other tests give the app more time, so that they fit a busy machine."""

import pytest

from csat.timeouts import Timeouts
from csat.web.limited_http_protocol import MAX_CONNECTIONS

TIMEOUTS = Timeouts()


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        pytest.param(TIMEOUTS.slack_call, 5, id="seconds for a call to Slack"),
        pytest.param(TIMEOUTS.x_call, 8, id="seconds for a call to X"),
        pytest.param(TIMEOUTS.http_head, 10, id="seconds for the head of a request"),
        pytest.param(TIMEOUTS.http_body, 30, id="seconds for the body of a request"),
        pytest.param(TIMEOUTS.http_keep_alive, 15, id="seconds for an idle connection"),
        pytest.param(TIMEOUTS.form_commit + TIMEOUTS.form_denial, 2.9, id="seconds for a submitted form"),
        pytest.param(TIMEOUTS.form_commit + TIMEOUTS.database_commit, 2.9, id="seconds to save a form"),
        pytest.param(TIMEOUTS.slack_open_view, 2.9, id="seconds for a form to open"),
        pytest.param(MAX_CONNECTIONS, 256, id="connections at once"),
    ],
)
def test_a_limit_is_no_higher_than_promised(value: float, limit: float) -> None:
    assert 0 < value <= limit
