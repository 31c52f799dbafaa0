"""The operators' message about a paused X account, and what becomes of it once the account is resumed."""

from datetime import datetime
from typing import Final

from slack_sdk.models.blocks import ActionsBlock, Block, ButtonElement, RichTextElement

from blocks.elements import Message, build_message, rich_line, text, timestamp, user_mention
from csat.english_dates import format_moment

RESUME_ACTION: Final = "resume_account"
"""The value of the button is the id of the account on X."""

ALREADY_RESUMED: Final = "Already resumed: the surveys that waited have been sent, or are tried now."
RESUMED: Final = (
    "The surveys that waited for this are tried again. If X still refuses them, you are told here."
)
ACCEPTED: Final = "The surveys that waited for this were tried from then on."


def alert(account: str, reason: str, fix: str) -> Message:
    """Tell an operator why the account is paused, and what to do."""
    explanation = _explanation(reason, fix)
    return build_message(explanation, [rich_line(text(explanation)), _resume_button(account)])


def still_paused(account: str, reason: str, fix: str, operator: str, at: datetime) -> Message:
    """Tell an operator the same again, and who has tried to resume the account since."""
    explanation = _explanation(reason, fix)
    tried = (text(" tried to resume "), timestamp(at), text(", but X still isn't accepting surveys."))
    return build_message(
        explanation,
        [rich_line(text(explanation)), rich_line(user_mention(operator), *tried), _resume_button(account)],
    )


def resumed(operator: str, at: datetime) -> Message:
    """Say who has resumed the account."""
    line: tuple[RichTextElement, ...] = (
        user_mention(operator),
        text(" resumed sending "),
        timestamp(at),
        text(f". {RESUMED}"),
    )
    return build_message(f"<@{operator}> resumed sending. {RESUMED}", [rich_line(*line)])


def outage_over(reason: str, since: datetime, *, is_certain: bool) -> Message:
    """Say when X accepted surveys again, or that they were tried, and why the account was paused.

    It stays true if the outage returns soon, which has an alert of its own within the hour.
    """
    what = "X accepted surveys again " if is_certain else "Sending resumed "
    rest = f". {ACCEPTED if is_certain else RESUMED} The reason was: {reason}."
    line = rich_line(text(what), timestamp(since), text(rest))
    return build_message(f"{what}{format_moment(since)}{rest}", [line])


def _explanation(reason: str, fix: str) -> str:
    return (
        f"X isn't accepting surveys: {reason}. {fix} "
        "Surveys stay queued for up to a day, and go out automatically once X accepts them: "
        "within five minutes, or at once if you press “Resume now”."
    )


def _resume_button(account: str) -> Block:
    resume = ButtonElement(action_id=RESUME_ACTION, text="Resume now", value=account, style="primary")
    return ActionsBlock(elements=[resume])
