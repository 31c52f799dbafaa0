"""The question variants of X, and the text of the card."""

import tomllib
from pathlib import Path

from sandbox.x.feedback import Kind

QUESTIONS: dict[Kind, dict[str, str]] = {
    Kind(kind): variants
    for kind, variants in tomllib.loads(Path(__file__).with_name("questions.toml").read_text("utf-8")).items()
}
"""By type and variant id; `<display_name>` stands where the brand is named."""


def asked(kind: Kind, variant_id: str, display_name: str) -> str:
    """What the card asks, in the brand's name."""
    return QUESTIONS[kind][variant_id].replace("<display_name>", display_name)
