"""The modals in which a customer in Slack comments, or answers the invitation in their thread."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    InputBlock,
    Option,
    PlainTextInputElement,
    RadioButtonsElement,
    SectionBlock,
    StaticSelectElement,
)

from blocks.block_json import render_all
from blocks.elements import context, plain_text, rich_line, text
from blocks.slack_survey import STOPPED_BUT_OPEN, ask, explain_scale, privacy_link, stop_button
from csat.surveys.customer_survey import MAX_COMMENT_LENGTH, CustomerSurvey
from csat.surveys.frozen_model import FrozenModel
from csat.surveys.questions import RATING_WORDS, SCALES, Catalogue, Metric

COMMENT_CALLBACK_ID: Final = "commenting_on_rating"
FEEDBACK_CALLBACK_ID: Final = "giving_feedback"
RATING_ID: Final = "rating"
COMMENT_ID: Final = "comment"
"""The block id and the action id of each input."""
STOP_ACTION: Final = "stop_surveys_in_form"

MAX_RADIO_BUTTONS: Final = 10
"""Slack's limit."""

TITLE: Final = "Your feedback"
SAY_MORE: Final = "You can say more, if you like."
FINAL: Final = "Once you send a comment, neither it nor your answer can be changed."
ANSWER_IS_FINAL: Final = "Once you send your answer, it can't be changed."


class AnswerForm(FrozenModel):
    """A modal of a survey; without what was typed it is the private metadata."""

    key: str
    """Names the survey."""
    channel: str
    ts: str
    """Where the message is whose button has opened it."""
    rating: int | None = None
    comment: str = ""


def comment_modal(form: AnswerForm, asked: CustomerSurvey) -> dict[str, Any]:
    """Return the form for a comment on a rating that is stored already, which only its customer sees."""
    blocks = [rich_line(text(f"{name_answer(asked)} {SAY_MORE}")), _comment(), context(FINAL)]
    return {**_modal(blocks, "No, thanks"), **_submission(COMMENT_CALLBACK_ID, form)}


def feedback_modal(form: AnswerForm, asked: CustomerSurvey, catalogue: Catalogue) -> dict[str, Any]:
    """Return the form for a whole answer."""
    survey = asked.survey
    blocks = [
        SectionBlock(text=plain_text(survey.message)),
        _rating(survey.metric, ask(survey, catalogue)),
        *([] if _is_short(survey.metric) else [context(explain_scale(survey.metric))]),
        _comment(optional=True),
        context(ANSWER_IS_FINAL),
        context(STOPPED_BUT_OPEN)
        if asked.has_opted_out
        else ActionsBlock(elements=[stop_button(STOP_ACTION)]),
        *privacy_link(survey),
    ]
    return {**_modal(blocks, "Cancel"), **_submission(FEEDBACK_CALLBACK_ID, form)}


def sentence_modal(sentence: str) -> dict[str, Any]:
    """Return a modal that only says something."""
    return _modal([rich_line(text(sentence))], "Close")


def name_answer(asked: CustomerSurvey) -> str:
    """Return which answer is saved, so that a wrong button is noticed while it can be changed."""
    rating = asked.response.rating
    assert rating  # noqa: S101 - only who has rated is told
    word = RATING_WORDS[asked.survey.metric].get(rating.value)
    return f"Your answer is saved: {rating.value}{f' ({word})' if word else ''}."


def parse(view: Mapping[str, Any]) -> AnswerForm:
    """Return a submitted form."""
    values = view["state"]["values"]
    chosen = values.get(RATING_ID, {}).get(RATING_ID, {}).get("selected_option")
    return AnswerForm.model_validate_json(view["private_metadata"]).model_copy(
        update={
            "rating": int(chosen["value"]) if chosen else None,
            "comment": values[COMMENT_ID][COMMENT_ID]["value"] or "",
        }
    )


def _rating(metric: Metric, question: str) -> Block:
    words = RATING_WORDS[metric]
    options = [
        Option(value=str(rating), text=f"{rating}: {words[rating]}" if rating in words else str(rating))
        for rating in SCALES[metric]
    ]
    element_type = RadioButtonsElement if _is_short(metric) else StaticSelectElement
    element = element_type(action_id=RATING_ID, options=options)
    return InputBlock(block_id=RATING_ID, label=question, element=element)


def _is_short(metric: Metric) -> bool:
    """Return True if all ratings can be shown at once, each with its word."""
    return len(SCALES[metric]) <= MAX_RADIO_BUTTONS


def _comment(*, optional: bool = False) -> Block:
    element = PlainTextInputElement(action_id=COMMENT_ID, multiline=True, max_length=MAX_COMMENT_LENGTH)
    return InputBlock(block_id=COMMENT_ID, label="Your comment", element=element, optional=optional)


def _submission(callback_id: str, form: AnswerForm) -> dict[str, Any]:
    typed = {"rating", "comment"}
    return {
        "callback_id": callback_id,
        "submit": plain_text("Send"),
        "private_metadata": form.model_dump_json(exclude=typed),
    }


def _modal(blocks: Sequence[Block], close: str) -> dict[str, Any]:
    return {
        "type": "modal",
        "title": plain_text(TITLE),
        "close": plain_text(close),
        "blocks": render_all(blocks),
    }
