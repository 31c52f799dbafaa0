"""Render the page: HTML with one inline stylesheet, and nothing that a browser would have to fetch."""

import base64
import hashlib
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from csat.rating_page.languages import Language, Languages
from csat.rating_page.steps import Step
from csat.surveys.customer_survey import MAX_COMMENT_LENGTH, CustomerSurvey
from csat.surveys.questions import PLACEHOLDER, RATING_WORDS, SCALES, Catalogue

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"


class PageRenderer:
    """Renders each step of the page in each language.

    Args:
        catalogue: the questions.
        brand: the name of the brand where a survey has none.
    """

    def __init__(self, catalogue: Catalogue, languages: Languages, brand: str) -> None:
        self._catalogue = catalogue
        self._brand = brand
        style = (HERE / "page.css").read_text("utf-8")
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self.content_security_policy = (
            f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; form-action 'self'; "
            "base-uri 'none'; frame-ancestors 'none'"
        )
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals |= {
            "style": Markup(style),  # noqa: S704 - a file of the app
            "languages": languages.all,
            "brand": brand,
            "max_comment_length": MAX_COMMENT_LENGTH,
        }

    def render(self, step: Step, language: Language, page: CustomerSurvey | None, **values: object) -> str:
        """Return the HTML of a step; `page` is the survey, where there is one."""
        values |= self._survey_values(page, language) if page else {"name": self._brand}
        template = self._templates.get_template(f"{step}.html")
        return template.render(step=step, language=language, page=page, _=language.translate, **values)

    def _survey_values(self, page: CustomerSurvey, language: Language) -> dict[str, Any]:
        question = self._catalogue.template(page.survey.metric, page.survey.variant)
        before, _, after = language.translate(question).partition(PLACEHOLDER)
        words = RATING_WORDS[page.survey.metric]
        return {
            "name": page.survey.display_name or self._brand,
            "question": (before, after),
            "is_translated": language.has(question),
            "ratings": {
                value: language.translate(words.get(value, "")) for value in SCALES[page.survey.metric]
            },
        }
