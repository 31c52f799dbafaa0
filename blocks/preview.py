"""What the customer will read, as far as a draft says."""

from functools import lru_cache
from typing import Final

from slack_sdk.models.blocks import Block, DividerBlock

from blocks.elements import context, one_line, quote, rich_line, text
from blocks.form_fields import BlockDict, render_once
from csat.surveys.questions import SCALES, Catalogue, Metric
from csat.surveys.survey import Draft

MAX_MESSAGE_LENGTH: Final = 2_500
"""How many characters of the message are shown."""
NPS_WARNING: Final = "X's newest chat may show NPS as a bare number. CSAT shows in all of X's mobile apps."


def preview(draft: Draft, catalogue: Catalogue) -> list[BlockDict]:
    """Return the message, the whole question and the scale; what is wrong or missing is filled in."""
    metric = Metric(draft.metric) if draft.metric in list(Metric) else Metric.CSAT
    message = draft.message.strip()[:MAX_MESSAGE_LENGTH] or "(your message)"
    return [
        _rule(),
        _heading(),
        _card(message, _question(draft, metric, catalogue), metric),
        _scale(metric),
    ]


@render_once
def _rule() -> Block:
    return DividerBlock()


@render_once
def _heading() -> Block:
    return rich_line(text("What the customer will read", bold=True))


@lru_cache(16)  # most forms open with the same message
def _card(message: str, question: str, metric: Metric) -> BlockDict:
    scale = "   ".join(map(str, SCALES[metric]))
    card: BlockDict = quote(text(f"{message}\n\n"), text(question, bold=True), text(f"\n{scale}")).to_dict()
    return card


@render_once
def _scale(metric: Metric) -> Block:
    scale = SCALES[metric]
    return context(
        f"They choose from {scale[0]} (lowest) to {scale[-1]} (highest), and can add a comment.",
        NPS_WARNING if metric is Metric.NPS else "",
    )


def _question(draft: Draft, metric: Metric, catalogue: Catalogue) -> str:
    variants = {str(variant): variant for variant in catalogue.variants(metric)}
    variant = variants.get(draft.variant, next(iter(variants.values())))
    return catalogue.question(metric, variant, one_line(draft.display_name) or "(your name on X)")
