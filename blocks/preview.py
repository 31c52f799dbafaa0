"""The preview of what the customer will read."""

from functools import lru_cache
from typing import Final

from slack_sdk.models.blocks import Block

from blocks.elements import context, one_line, quote, rich_line, text
from blocks.serialization import BlockDict, render, render_once
from csat.surveys.link_message import compose
from csat.surveys.questions import SCALES, Catalogue, Metric
from csat.surveys.survey import Draft
from csat.surveys.transports import FACTS, TransportName

MAX_MESSAGE_LENGTH: Final = 2_500
NPS_WARNING: Final = "X's newest chat may show NPS as just a number, unlike CSAT."


def preview(draft: Draft, catalogue: Catalogue, rating_page: str = "") -> list[BlockDict]:
    """Return the message, the question and the scale, with placeholders for what is missing or invalid.

    It is short enough to be seen with the fields above it and the buttons below it, without scrolling.
    """
    metric = Metric(draft.metric) if draft.metric in list(Metric) else Metric.CSAT
    transport = TransportName(draft.transport)
    message = draft.message.strip()[:MAX_MESSAGE_LENGTH] or "(your message)"
    question = _question(draft, transport, metric, catalogue)
    if FACTS[transport].asks_on_page:
        return [_heading(), _card(compose(message, rating_page), question, metric, intro="The page asks: ")]
    card = _card(message, question, metric)
    return [_heading(), card, _nps_warning()] if metric is Metric.NPS else [_heading(), card]


@render_once
def _heading() -> Block:
    return rich_line(text("What the customer will read", bold=True))


@lru_cache(16)  # most forms open with the same message
def _card(message: str, question: str, metric: Metric, intro: str = "") -> BlockDict:
    scale = "   ".join(map(str, SCALES[metric]))
    asked = [text(intro), text(question, bold=True)] if intro else [text(question, bold=True)]
    return render(quote(text(f"{message}\n"), *asked, text(f"\n{scale}")))


@render_once
def _nps_warning() -> Block:
    return context(NPS_WARNING)


def _question(draft: Draft, transport: TransportName, metric: Metric, catalogue: Catalogue) -> str:
    variants = {str(variant): variant for variant in catalogue.variants_for(transport, metric)}
    variant = variants.get(draft.variant, next(iter(variants.values())))
    return catalogue.question(metric, variant, one_line(draft.display_name) or "(your name on X)")
