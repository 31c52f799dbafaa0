"""The catalogue of questions: the text of each question variant that X offers for a metric."""

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from csat.surveys.frozen_model import FrozenModel

PLACEHOLDER = "<display_name>"
MAX_TEMPLATE_LENGTH = 74 + len(PLACEHOLDER)
"""With "…" in place of the name, a question fits into the 75 characters of an option in a Slack menu."""


class Metric(StrEnum):
    """The score a survey feeds; the values are X's own."""

    CSAT = "csat"
    NPS = "nps"


SCALES: Mapping[Metric, range] = MappingProxyType({Metric.CSAT: range(1, 6), Metric.NPS: range(11)})
"""The ratings that a customer can give."""


class CatalogueError(Exception):
    """The questions file is invalid; `str()` says where and why."""


def _check_variant_id(key: object) -> object:
    if not re.fullmatch("0|[1-9][0-9]{0,8}", str(key)):
        raise PydanticCustomError("variant_id", "a variant id is a whole number, like 0 or 12")
    return key


VariantId = Annotated[int, BeforeValidator(_check_variant_id)]


class Catalogue(FrozenModel):
    """Every question variant, by metric and X's variant id."""

    model_config = ConfigDict(extra="forbid")

    csat: dict[VariantId, str] = Field(min_length=1, max_length=100)
    nps: dict[VariantId, str] = Field(min_length=1, max_length=100)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the catalogue in a TOML document; raises `CatalogueError`."""
        try:
            catalogue = cls.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise CatalogueError(f"invalid TOML: {error}") from error
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"] if part != "[key]")
            raise CatalogueError(f"{key}: {first['msg']}") from error
        for metric in Metric:
            for variant, template in catalogue.variants(metric).items():
                _check_template(f"{metric}.{variant}", template)
        return catalogue

    def variants(self, metric: Metric) -> Mapping[int, str]:
        """Return the question templates of a metric by variant id, in the file's order."""
        return self.csat if metric is Metric.CSAT else self.nps

    def question(self, metric: Metric, variant: int, display_name: str) -> str:
        """Return a question as the customer reads it; raises `KeyError` for an unknown variant."""
        return self.variants(metric)[variant].replace(PLACEHOLDER, display_name)


def _check_template(key: str, template: str) -> None:
    if template.count(PLACEHOLDER) != 1:
        raise CatalogueError(f"{key}: write {PLACEHOLDER} once, where the brand's name goes")
    if len(template) > MAX_TEMPLATE_LENGTH:
        limit = MAX_TEMPLATE_LENGTH - len(PLACEHOLDER)
        raise CatalogueError(f"{key}: shorten the question to {limit} characters, not counting the name")
