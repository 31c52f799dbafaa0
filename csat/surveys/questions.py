"""The catalogue of questions: which variants X knows for each metric, and how each one reads."""

import re
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from csat.surveys.frozen_model import FrozenModel

PLACEHOLDER = "<display_name>"
SHIPPED = Path(__file__).with_name("questions.toml")
LONGEST_OPTION = 75
"""Slack's limit for the text of an option in a select menu."""


class Metric(StrEnum):
    """Which score a survey feeds; the values are X's own."""

    CSAT = "csat"
    NPS = "nps"


SCALES: Mapping[Metric, range] = MappingProxyType({Metric.CSAT: range(1, 6), Metric.NPS: range(11)})
"""The ratings that a customer can give."""


class CatalogueError(Exception):
    """The questions file can't be used; the text says where and why."""


def _digits(key: object) -> object:
    if not re.fullmatch("0|[1-9][0-9]{0,8}", str(key)):
        raise PydanticCustomError("variant_id", "a variant id is a whole number, like 0 or 12")
    return key


VariantId = Annotated[int, BeforeValidator(_digits)]


class Catalogue(FrozenModel):
    """Every question variant, by metric and X's variant id."""

    model_config = ConfigDict(extra="forbid")

    csat: dict[VariantId, str] = Field(min_length=1, max_length=100)
    nps: dict[VariantId, str] = Field(min_length=1, max_length=100)

    def variants(self, metric: Metric) -> Mapping[int, str]:
        """Return the templates of a metric by variant id, in the file's order."""
        return self.csat if metric is Metric.CSAT else self.nps

    def question(self, metric: Metric, variant: int, display_name: str) -> str:
        """Return the whole question as the customer will read it; `KeyError` for an unknown variant."""
        return self.variants(metric)[variant].replace(PLACEHOLDER, display_name)


def load_catalogue(path: Path = SHIPPED) -> Catalogue:
    """Read a questions file; raises `CatalogueError` with a sentence that says what to mend."""
    try:
        catalogue = Catalogue.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CatalogueError(f"{path} can't be read: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"] if part != "[key]")
        raise CatalogueError(f"{path}, at {place or 'the top'}: {first['msg']}") from error
    for metric in Metric:
        for variant, text in catalogue.variants(metric).items():
            _check_template(f"{path}, at {metric}.{variant}", text)
    return catalogue


def option_text(template: str) -> str:
    """Return how a question reads in a menu, with "…" where the name will stand."""
    return template.replace(PLACEHOLDER, "…")


def _check_template(place: str, text: str) -> None:
    if text.count(PLACEHOLDER) != 1:
        raise CatalogueError(f"{place}: write {PLACEHOLDER} once, where the brand's name goes")
    if len(option_text(text)) > LONGEST_OPTION:
        raise CatalogueError(f"{place}: without the name, a question has at most {LONGEST_OPTION} characters")
