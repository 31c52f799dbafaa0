"""The page of texts is complete: every sentence in the code of messages and views is on it."""

import re
from pathlib import Path

import pytest

from csat.surveys.transports import FACTS, TransportName
from csat.x_api.refusals import PROBLEMS
from tests.sentences import INSERTION, find_sentences
from tests.texts import ROOT, build_page

READ_IN_THE_TERMINAL = {
    FACTS[TransportName.X_LINK].price,
    "this is the wrong kind of token",
    "the token lacks a scope",
    "the token lacks the scope …",
    "the token gives no access to this workspace",
    "the token gives no access here",
    "the token's user may not do this",
    "there is no such channel, or it is private and without the app",
}
"""The output of `python app.py check`."""

NOT_READ_IN_SLACK = {
    "\u200b… at …",
    "%s did not acknowledge in time",
    "reading a request from Slack",
    "checking who sees results",
    "posting the weekly digest",
    "announcing what waits for other accounts",
    ": invite the app to CSAT_RESULTS_CHANNEL",
    "notifying of survey …: …",
    "polling the outbox",
    "The outbox can't be polled: %s",
    "The outbox can't be polled, as Slack does not say which workspace this is: %s",
    "Slack refuses posts in CSAT_RESULTS_CHANNEL (%s): invite the app, or set another channel",
    "Slack takes no messages; they are retried until it does: %s",
    "alerting operator …: …",
    "in the thread:",
    FACTS[TransportName.SLACK].label,
    "the survey's recipient is checked against its transport",
    (
        "i home explore search hashtag intent share compose messages notifications settings account login "
        "logout signup download oauth about jobs tos privacy"
    ),
    *(pattern.pattern for pattern in PROBLEMS),
    *READ_IN_THE_TERMINAL,
}
"""Names of background tasks, parts of log messages and of details, patterns, X's pages, and a format.

Slack's label is not read either: it is the only transport for people in Slack.
"""

MODULES = [
    *sorted(
        path for folder in ("blocks", "handlers", "notifications") for path in (ROOT / folder).glob("*.py")
    ),
    *sorted((ROOT / "csat/transports").glob("*.py")),
    *(
        ROOT / "csat" / module
        for module in (
            "slack_api/error_explanations.py",
            "slack_api/names_for_exports.py",
            "surveys/limits.py",
            "surveys/recipients.py",
            "surveys/survey.py",
            "surveys/transport_errors.py",
            "surveys/transports.py",
            "x_api/errors.py",
            "x_api/refusals.py",
        )
    ),
]


@pytest.fixture(name="page", scope="module")
def _page() -> str:
    return _normalize(build_page())


@pytest.mark.parametrize("module", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_sentence_is_on_the_page(module: Path, page: str) -> None:
    sentences = [text for text in find_sentences(module) if text not in NOT_READ_IN_SLACK]
    missing = [text for text in sentences for part in text.split(INSERTION) if _normalize(part) not in page]

    assert missing == []


def test_no_text_calls_a_form_a_window(page: str) -> None:
    assert "window" not in page.lower()


def _normalize(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
