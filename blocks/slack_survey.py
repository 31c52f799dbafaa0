"""The survey as a customer in Slack reads it: a direct message, or an invitation in their thread.

No message shows a rating that was given. A `key` names the survey, and is the value of its buttons.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ButtonElement,
    ConfirmObject,
    RichTextElementParts,
    SectionBlock,
)

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
from csat.surveys.slack_survey_ids import make_block_id
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
STOP_EXPLAINED: Final = "We will then never send you a survey again. This one stays as it is."
STOPPED: Final = "Noted: you won't be asked again."
STOPPED_BUT_OPEN: Final = f"{STOPPED} You can still answer this question."
CLOSED: Final = "It's too late to answer this question. Thank you all the same."
THANKS_IN_THREAD: Final = "Thank you for letting us know."
INVITATION: Final = ", how did we do? Only you can answer, and your answer isn't shown here."


def survey_message(
    key: str,
    survey: Survey,
    catalogue: Catalogue,
    *,
    is_answered: bool = False,
    has_opted_out: bool = False,
) -> Message:
    """Return the direct message that asks a customer, or asks again one who wants to change their answer."""
    question = ask(survey, catalogue)
    ratings = [_rating_button(key, survey.metric, rating) for rating in SCALES[survey.metric]]
    blocks: list[Block] = [
        SectionBlock(text=plain_text(survey.message)),
        rich_line(text(question, bold=True)),
        ActionsBlock(block_id=make_block_id(key), elements=ratings),
        context(explain_scale(survey.metric)),
        *([context(ANSWER_HOLDS)] if is_answered else []),
        context(STOPPED_BUT_OPEN)
        if has_opted_out
        else ActionsBlock(elements=[stop_button(STOP_ACTION, key)]),
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


def direct_message(
    key: str, asked: CustomerSurvey, catalogue: Catalogue, now: datetime, *, asks_again: bool = False
) -> Message:
    """Return what the direct message becomes: what was done, and what can still be done.

    With `asks_again` it is the question, if another rating can be given.
    """
    is_answered = asked.response.rating is not None
    if asked.takes_rating(now) and (asks_again or not is_answered):
        return survey_message(
            key, asked.survey, catalogue, is_answered=is_answered, has_opted_out=asked.has_opted_out
        )
    status = describe(asked, now)
    buttons = list(_buttons(key, asked, now))
    return build_message(
        status, [rich_line(text(status)), *([ActionsBlock(elements=buttons)] if buttons else [])]
    )


def thread_message(key: str, asked: CustomerSurvey, now: datetime) -> Message:
    """Return what the invitation becomes; it tells neither an answer nor an opt-out."""
    if asked.response.rating:
        return plain_message(THANKS_IN_THREAD)
    return plain_message(CLOSED) if asked.is_closed(now) else invitation(key, asked.survey)


def describe(asked: CustomerSurvey, now: datetime) -> str:
    """Return what was done, or why nothing can be done any more."""
    return " ".join(_sentences(asked, now))


def ask(survey: Survey, catalogue: Catalogue) -> str:
    """Return the question as the customer reads it."""
    return catalogue.template(survey.metric, survey.variant).replace(PLACEHOLDER, survey.display_name)


def explain_scale(metric: Metric) -> str:
    """Return what the ends of a scale mean."""
    scale, words = SCALES[metric], RATING_WORDS[metric]
    return " · ".join(f"{end}: {words[end]}" for end in (scale[0], scale[-1]) if end in words)


def stop_button(action_id: str, key: str | None = None) -> ButtonElement:
    """Return the button to opt out, which asks back."""
    confirm = ConfirmObject(title=f"{STOP}?", text=plain_text(STOP_EXPLAINED), confirm=STOP, deny="Cancel")
    return ButtonElement(action_id=action_id, text=STOP, value=key, confirm=confirm)


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
    if asked.response.comment:
        return
    if asked.takes_comment(now):
        yield _button(COMMENT_ACTION, "Add a comment", key)
    if asked.response.rating and asked.takes_rating(now):
        yield _button(CHANGE_ACTION, "Change my answer", key)
    if not asked.has_opted_out:
        yield stop_button(STOP_ACTION, key)
