"""X's question variants, and the text of a feedback card."""

import tomllib
from pathlib import Path

from sandbox.x.feedback_card import FeedbackType

QUESTIONS: dict[FeedbackType, dict[str, str]] = {
    FeedbackType(feedback_type): variants
    for feedback_type, variants in tomllib.loads(
        Path(__file__).with_name("questions.toml").read_text("utf-8")
    ).items()
}
"""Question texts by type and variant id; `<display_name>` is a placeholder for the brand's name."""


def render_question(feedback_type: FeedbackType, variant_id: str, display_name: str) -> str:
    """Return the question of a card with the brand's name filled in."""
    return QUESTIONS[feedback_type][variant_id].replace("<display_name>", display_name)
