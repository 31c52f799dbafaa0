"""The preview of what the customer will read."""

from functools import lru_cache
from typing import Final

from slack_sdk.models.blocks import Block

from blocks.elements import context, one_line, quote, rich_line, text
from blocks.serialization import BlockDict, render, render_once
from csat.surveys.questions import SCALES, Catalogue, Metric
from csat.surveys.survey import Draft

MAX_MESSAGE_LENGTH: Final = 2_500
NPS_WARNING: Final = "X's newest chat may show NPS as just a number, unlike CSAT."


def preview(draft: Draft, catalogue: Catalogue) -> list[BlockDict]:
    """Return the message, the question and the scale, with placeholders for what is missing or invalid.

    It is short enough to be seen with the fields above it and the buttons below it, without scrolling.
    """
    metric = Metric(draft.metric) if draft.metric in list(Metric) else Metric.CSAT
    message = draft.message.strip()[:MAX_MESSAGE_LENGTH] or "(your message)"
    card = _card(message, _question(draft, metric, catalogue), metric)
    return [_heading(), card, _nps_warning()] if metric is Metric.NPS else [_heading(), card]


@render_once
def _heading() -> Block:
    return rich_line(text("What the customer will read", bold=True))


@lru_cache(16)  # most forms open with the same message
def _card(message: str, question: str, metric: Metric) -> BlockDict:
    scale = "   ".join(map(str, SCALES[metric]))
    return render(quote(text(f"{message}\n"), text(question, bold=True), text(f"\n{scale}")))


@render_once
def _nps_warning() -> Block:
    return context(NPS_WARNING)


def _question(draft: Draft, metric: Metric, catalogue: Catalogue) -> str:
    variants = {str(variant): variant for variant in catalogue.variants(metric)}
    variant = variants.get(draft.variant, next(iter(variants.values())))
    return catalogue.question(metric, variant, one_line(draft.display_name) or "(your name on X)")
