"""The page of texts is complete: every sentence in the code of messages and views is on it."""

import re
from pathlib import Path

import pytest

from tests.sentences import INSERTION, find_sentences
from tests.texts import ROOT, build_page

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
}
"""Names of background tasks, parts of log messages, and a format."""

MODULES = [
    *sorted(
        path for folder in ("blocks", "handlers", "notifications") for path in (ROOT / folder).glob("*.py")
    ),
    ROOT / "csat/surveys/transport_errors.py",
    ROOT / "csat/x_api/errors.py",
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
