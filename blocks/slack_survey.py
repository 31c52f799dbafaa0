"""The survey as a customer in Slack reads it: a direct message, or an invitation in their thread."""

from typing import Final

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, SectionBlock

from blocks.elements import Message, build_message, escape_mrkdwn, plain_text, rich_line, text
from csat.surveys.questions import SCALES, Catalogue
from csat.surveys.slack_survey import ratings_block_id
from csat.surveys.survey import Survey

RATE_ACTION: Final = "rate"
"""The prefix of the action ids of the ratings; the value of each button is the survey's id."""
GIVE_FEEDBACK_ACTION: Final = "give_feedback"
STOP_ACTION: Final = "stop_surveys"


def survey_message(survey_id: int, survey: Survey, catalogue: Catalogue) -> Message:
    """Return the direct message that asks a customer."""
    question = catalogue.question(survey.metric, survey.variant, survey.display_name)
    ratings = [
        ButtonElement(action_id=f"{RATE_ACTION}:{rating}", text=str(rating), value=str(survey_id))
        for rating in SCALES[survey.metric]
    ]
    stop = ButtonElement(action_id=STOP_ACTION, text="Don't ask me again", value=str(survey_id))
    blocks: list[Block] = [
        SectionBlock(text=plain_text(survey.message)),
        rich_line(text(question, bold=True)),
        ActionsBlock(block_id=ratings_block_id(survey_id), elements=ratings),
        ActionsBlock(elements=[stop]),
    ]
    return build_message(f"{escape_mrkdwn(survey.message)} {escape_mrkdwn(question)}", blocks)


def invitation(survey_id: int, survey: Survey) -> Message:
    """Return the message in a thread that lets its recipient alone answer; everybody there reads it."""
    customer = survey.recipient.label
    give = ButtonElement(action_id=GIVE_FEEDBACK_ACTION, text="Give feedback", value=str(survey_id))
    return build_message(
        f"{customer} How did we do?",
        [ActionsBlock(block_id=ratings_block_id(survey_id), elements=[give])],
    )
