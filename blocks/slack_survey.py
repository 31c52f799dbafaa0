"""The survey as a customer in Slack reads it: a direct message, or an invitation in their thread.

No message shows a rating that was given. A `key` names the survey, and is the value of its buttons.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, RichTextElementParts, SectionBlock

from blocks.elements import (
    Message,
    build_message,
    context,
    escape_mrkdwn,
    plain_message,
    plain_text,
    rich_line,
    text,
    truncate_line,
    user_mention,
)
from csat.surveys.customer_survey import CustomerSurvey
from csat.surveys.questions import PLACEHOLDER, RATING_WORDS, SCALES, Catalogue, Metric
from csat.surveys.recipients import SlackPerson
from csat.surveys.slack_survey import make_block_id
from csat.surveys.survey import Survey

RATE_ACTION: Final = "rate"
"""Begins the action ids of the ratings; see `parse_rating`."""
COMMENT_ACTION: Final = "comment_on_rating"
CHANGE_ACTION: Final = "change_rating"
GIVE_FEEDBACK_ACTION: Final = "give_feedback"
STOP_ACTION: Final = "stop_surveys"

MAX_FALLBACK_LENGTH: Final = 300
"""Of the agent's message in a notification."""

STOP: Final = "Don't ask me again"
ANSWER_HOLDS: Final = "Your answer holds until you choose another one."
THANKS: Final = "Thank you for your feedback."
STOPPED: Final = "Noted: you won't be asked again."
CLOSED: Final = "It's too late to answer this question. Thank you all the same."
THANKS_IN_THREAD: Final = "Thank you for letting us know."
INVITATION: Final = ", how did we do? Only you can answer, and your answer isn't shown here."


def survey_message(key: str, survey: Survey, catalogue: Catalogue, *, is_answered: bool = False) -> Message:
    """Return the direct message that asks a customer, or asks again one who wants to change their answer."""
    question = ask(survey, catalogue)
    ratings = [_rating_button(key, survey.metric, rating) for rating in SCALES[survey.metric]]
    blocks: list[Block] = [
        SectionBlock(text=plain_text(survey.message)),
        rich_line(text(question, bold=True)),
        ActionsBlock(block_id=make_block_id(key), elements=ratings),
        context(explain_scale(survey.metric)),
        *([context(ANSWER_HOLDS)] if is_answered else []),
        ActionsBlock(elements=[_button(STOP_ACTION, STOP, key)]),
        *privacy_link(survey),
    ]
    message = truncate_line(survey.message, MAX_FALLBACK_LENGTH)
    return build_message(f"{escape_mrkdwn(message)} {escape_mrkdwn(question)}", blocks)


def invitation(key: str, survey: Survey) -> Message:
    """Return the message in a thread that lets its recipient alone answer; everybody there reads it."""
    assert isinstance(survey.recipient, SlackPerson)  # noqa: S101 - checked against the transport
    give = _button(GIVE_FEEDBACK_ACTION, "Give feedback", key)
    return build_message(
        f"{survey.recipient.label}{INVITATION}",
        [
            rich_line(user_mention(survey.recipient.user), text(INVITATION)),
            ActionsBlock(block_id=make_block_id(key), elements=[give]),
        ],
    )


def direct_message(key: str, asked: CustomerSurvey, catalogue: Catalogue, now: datetime) -> Message:
    """Return what the direct message becomes: what was done, and what can still be done."""
    status = describe(asked, now)
    if not status:
        return survey_message(key, asked.survey, catalogue)
    buttons = list(_buttons(key, asked, now))
    return build_message(
        status, [rich_line(text(status)), *([ActionsBlock(elements=buttons)] if buttons else [])]
    )


def thread_message(asked: CustomerSurvey) -> Message:
    """Return what the invitation becomes; it tells neither an answer nor an opt-out."""
    is_done = asked.response.rating or asked.has_opted_out
    return plain_message(THANKS_IN_THREAD if is_done else CLOSED)


def describe(asked: CustomerSurvey, now: datetime) -> str:
    """Return what was done, or why nothing can be done any more; "" for a survey to be answered."""
    return " ".join(_sentences(asked, now))


def ask(survey: Survey, catalogue: Catalogue) -> str:
    """Return the question as the customer reads it."""
    return catalogue.template(survey.metric, survey.variant).replace(PLACEHOLDER, survey.display_name)


def explain_scale(metric: Metric) -> str:
    """Return what the ends of a scale mean."""
    scale, words = SCALES[metric], RATING_WORDS[metric]
    return " · ".join(f"{end}: {words[end]}" for end in (scale[0], scale[-1]) if end in words)


def privacy_link(survey: Survey) -> list[Block]:
    """Return the line with the link to the privacy policy, if there is one."""
    if not survey.privacy_url:
        return []
    return [rich_line(RichTextElementParts.Link(url=survey.privacy_url, text="Privacy policy"))]


def parse_rating(action_id: str) -> int | None:
    """Return the rating of a button, by its action id."""
    rating = action_id.removeprefix(f"{RATE_ACTION}:")
    return int(rating) if rating.isdecimal() else None


def _rating_button(key: str, metric: Metric, rating: int) -> ButtonElement:
    word = RATING_WORDS[metric].get(rating)
    return ButtonElement(
        action_id=f"{RATE_ACTION}:{rating}",
        text=str(rating),
        value=key,
        accessibility_label=f"{rating}: {word}" if word else None,
    )


def _button(action_id: str, words: str, key: str) -> ButtonElement:
    return ButtonElement(action_id=action_id, text=words, value=key)


def _sentences(asked: CustomerSurvey, now: datetime) -> Iterator[str]:
    if asked.response.rating:
        yield THANKS
    elif asked.is_closed(now):
        yield CLOSED
    if asked.has_opted_out:
        yield STOPPED


def _buttons(key: str, asked: CustomerSurvey, now: datetime) -> Iterator[ButtonElement]:
    if asked.response.comment or asked.has_opted_out:
        return
    if asked.takes_comment(now):
        yield _button(COMMENT_ACTION, "Add a comment", key)
    if asked.response.rating and asked.takes_rating(now):
        yield _button(CHANGE_ACTION, "Change my answer", key)
    yield _button(STOP_ACTION, STOP, key)
