"""The catalogue of questions: the text of each question variant that X offers for a metric."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from csat.surveys.frozen_model import FrozenModel
from csat.surveys.transports import FACTS, TransportName

PLACEHOLDER = "<display_name>"
MAX_TEMPLATE_LENGTH = 74 + len(PLACEHOLDER)
"""With "…" in place of the name, a question fits into the 75 characters of an option in a Slack menu."""


class Metric(StrEnum):
    """The score a survey feeds; the values are X's own."""

    CSAT = "csat"
    NPS = "nps"


SCALES: Mapping[Metric, range] = MappingProxyType({Metric.CSAT: range(1, 6), Metric.NPS: range(11)})
"""The ratings that a customer can give."""

RATING_WORDS: Mapping[Metric, Mapping[int, str]] = MappingProxyType(
    {
        Metric.CSAT: {1: "Very poor", 2: "Poor", 3: "Okay", 4: "Good", 5: "Very good"},
        Metric.NPS: {0: "Very poor", 10: "Very good"},
    }
)
"""The words for ratings; those without a word lie between the others."""

DEFAULT_QUESTION = f"How would you rate your overall experience with {PLACEHOLDER}?"
"""The question of a survey whose own has left the catalogue since."""


class CatalogueError(Exception):
    """The questions file is invalid; `str()` says where and why."""


def _check_variant_id(key: object) -> object:
    if not re.fullmatch("0|[1-9][0-9]{0,8}", str(key)):
        raise PydanticCustomError("variant_id", "a variant id is a whole number, like 0 or 12")
    return key


VariantId = Annotated[int, BeforeValidator(_check_variant_id)]


class _QuestionsFile(FrozenModel):
    model_config = ConfigDict(extra="forbid")

    csat: dict[VariantId, str] = Field(min_length=1, max_length=100)
    nps: dict[VariantId, str] = Field(min_length=1, max_length=100)


class Catalogue(FrozenModel):
    """The questions that X offers, and those of them that the team uses."""

    questions: Mapping[Metric, Mapping[int, str]]
    """Every question template by metric and X's variant id, in the file's order."""
    selection: Mapping[Metric, tuple[int, ...]] = {}
    """The variants that the team uses, in its order; a metric that is missing uses them all."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the catalogue in a TOML document; raises `CatalogueError`."""
        try:
            file = _QuestionsFile.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise CatalogueError(f"invalid TOML: {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"] if part != "[key]")
            raise CatalogueError(f"{key}: {first['msg']}") from error
        questions = {Metric.CSAT: file.csat, Metric.NPS: file.nps}
        for metric, variants in questions.items():
            for variant, template in variants.items():
                _check_template(f"{metric}.{variant}", template)
        return cls(questions=questions)

    def select(self, selection: Mapping[Metric, tuple[int, ...]]) -> Self:
        """Return the catalogue with the variants that the team uses; raises `CatalogueError`."""
        for metric, variants in selection.items():
            if unknown := [variant for variant in variants if variant not in self.questions[metric]]:
                raise CatalogueError(f"there is no question {unknown[0]} for {metric.upper()}")
        return self.model_copy(update={"selection": selection})

    def variants(self, metric: Metric) -> Mapping[int, str]:
        """Return the question templates that the team uses for a metric by variant id, in its order."""
        questions = self.questions[metric]
        return {variant: questions[variant] for variant in self.selection.get(metric, questions)}

    def variants_for(self, transport: TransportName, metric: Metric) -> Mapping[int, str]:
        """Return those of the team's question templates that can be asked by a transport."""
        fits = FACTS[transport].fits
        return {variant: template for variant, template in self.variants(metric).items() if fits(template)}

    def require_questions_for(self, transports: Iterable[TransportName]) -> None:
        """Raise `CatalogueError` if a transport can ask none of the team's questions for a metric."""
        for transport in transports:
            for metric in Metric:
                if not self.variants_for(transport, metric):
                    words = " or ".join(f'"{word}"' for word in FACTS[transport].unfit_words)
                    raise CatalogueError(
                        f"{transport} can ask none of the questions for {metric.upper()}, as all have the "
                        f"word {words}. Add another one, or leave {transport} out of CSAT_TRANSPORTS"
                    )

    def template(self, metric: Metric, variant: int) -> str:
        """Return the question template of a survey that was accepted, perhaps with an older catalogue."""
        return self.questions[metric].get(variant, DEFAULT_QUESTION)

    def question(self, metric: Metric, variant: int, display_name: str) -> str:
        """Return a question as the customer reads it; raises `KeyError` for an unknown variant."""
        return self.questions[metric][variant].replace(PLACEHOLDER, display_name)


def _check_template(key: str, template: str) -> None:
    if template.count(PLACEHOLDER) != 1:
        raise CatalogueError(f"{key}: write {PLACEHOLDER} once, where the brand's name goes")
    if len(template) > MAX_TEMPLATE_LENGTH:
        limit = MAX_TEMPLATE_LENGTH - len(PLACEHOLDER)
        raise CatalogueError(f"{key}: shorten the question to {limit} characters, not counting the name")
