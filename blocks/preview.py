"""The preview of what the customer will read."""

from functools import lru_cache
from typing import Final

from slack_sdk.models.blocks import Block, RichTextBlock, RichTextQuoteElement, RichTextSectionElement

from blocks.block_json import BlockDict, render, render_once
from blocks.elements import context, one_line, text
from blocks.slack_survey import STOP
from csat.surveys.link_message import OPT_OUT
from csat.surveys.networks import Network
from csat.surveys.questions import PLACEHOLDER, SCALES, Metric
from csat.surveys.survey import Draft
from csat.surveys.transports import FACTS, TransportName

MAX_MESSAGE_LENGTH: Final = 2_500
NPS_WARNING: Final = "X's newest chat may show NPS as just a number, unlike CSAT."


def preview(
    draft: Draft, metric: Metric, template: str, rating_page: str = "", *, names_transport: bool = False
) -> list[BlockDict]:
    """Return the message, the question and the scale, with placeholders for what is missing.

    It is short enough to be seen with the fields above it and the buttons below it, without scrolling.

    Args:
        draft: the survey as it was typed so far.
        metric: the selected type.
        template: the selected question.
        rating_page: the address of the rating page, as the preview shows it.
        names_transport: whether there are several to choose from.
    """
    facts = FACTS[TransportName(draft.transport)]
    message = draft.message.strip()[:MAX_MESSAGE_LENGTH] or "(your message)"
    if facts.asks_on_page:
        message = f"{message}\n{rating_page}\n{OPT_OUT}"
    usual_name = "(your name on X)" if facts.fills_in_display_name else "(your brand's name)"
    question = template.replace(PLACEHOLDER, one_line(draft.display_name) or usual_name)
    stop = STOP if facts.network is Network.SLACK else ""
    card = _card(facts.label if names_transport else "", message, question, metric, stop)
    return [card, _nps_warning()] if metric is Metric.NPS and facts.may_show_bare_nps else [card]


@lru_cache(16)  # most forms open with the same message
def _card(transport: str, message: str, question: str, metric: Metric, stop: str) -> BlockDict:
    heading = [text("What the customer will read", bold=True)]
    if transport:
        heading.append(text(f" · {transport}"))
    scale = "   ".join(map(str, SCALES[metric]))
    quoted = [
        text(f"{message}\n"),
        text(question, bold=True),
        text(f"\n{scale}{f'   ·   {stop}' if stop else ''}"),
    ]
    elements = [RichTextSectionElement(elements=heading), RichTextQuoteElement(elements=quoted)]
    return render(RichTextBlock(elements=elements))


@render_once
def _nps_warning() -> Block:
    return context(NPS_WARNING)
