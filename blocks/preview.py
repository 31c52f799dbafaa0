"""The preview of what the customer will read."""

from functools import lru_cache
from typing import Final

from slack_sdk.models.blocks import Block, RichTextBlock, RichTextQuoteElement, RichTextSectionElement

from blocks.elements import context, one_line, text
from blocks.serialization import BlockDict, render, render_once
from csat.surveys.link_message import OPT_OUT
from csat.surveys.questions import SCALES, Catalogue, Metric
from csat.surveys.survey import Draft
from csat.surveys.transports import FACTS, TransportName

MAX_MESSAGE_LENGTH: Final = 2_500
NPS_WARNING: Final = "X's newest chat may show NPS as just a number, unlike CSAT."


def preview(
    draft: Draft, catalogue: Catalogue, rating_page: str = "", *, names_transport: bool = False
) -> list[BlockDict]:
    """Return the message, the question and the scale, with placeholders for what is missing or invalid.

    It is short enough to be seen with the fields above it and the buttons below it, without scrolling.
    """
    metric = Metric(draft.metric) if draft.metric in list(Metric) else Metric.CSAT
    transport = TransportName(draft.transport)
    facts = FACTS[transport]
    message = draft.message.strip()[:MAX_MESSAGE_LENGTH] or "(your message)"
    if facts.asks_on_page:
        message = f"{message}\n{rating_page}\n{OPT_OUT}"
    question = _question(draft, transport, metric, catalogue)
    card = _card(facts.label if names_transport else "", message, question, metric)
    is_nps_card = metric is Metric.NPS and not facts.asks_on_page
    return [card, _nps_warning()] if is_nps_card else [card]


@lru_cache(16)  # most forms open with the same message
def _card(transport: str, message: str, question: str, metric: Metric) -> BlockDict:
    heading = [text("What the customer will read", bold=True)]
    if transport:
        heading.append(text(f" · {transport}"))
    scale = "   ".join(map(str, SCALES[metric]))
    quoted = [text(f"{message}\n"), text(question, bold=True), text(f"\n{scale}")]
    elements = [RichTextSectionElement(elements=heading), RichTextQuoteElement(elements=quoted)]
    return render(RichTextBlock(elements=elements))


@render_once
def _nps_warning() -> Block:
    return context(NPS_WARNING)


def _question(draft: Draft, transport: TransportName, metric: Metric, catalogue: Catalogue) -> str:
    variants = {str(variant): variant for variant in catalogue.variants_for(transport, metric)}
    variant = variants.get(draft.variant, next(iter(variants.values())))
    return catalogue.question(metric, variant, one_line(draft.display_name) or "(your name on X)")
