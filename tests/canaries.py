"""Scales whose ratings are numbers that occur nowhere else, so that tests can search for them."""

import sys
from typing import Final

import pytest
from sqlalchemy import func

from csat.reporting import report_queries, scores
from csat.surveys import questions, responses
from csat.surveys.questions import Metric
from sandbox.x.feedback_card import SCALES as SANDBOX_SCALES

# sorted; no two of their digits are a day, a year or a count in the app's texts
CSAT: Final = tuple(604_177_131 + step * 1_010_107 for step in range(9))
NPS: Final = tuple(830_469_257 + step * 1_010_107 for step in range(13))
LOW: Final = {Metric.CSAT: CSAT[:4], Metric.NPS: NPS[:8]}
HIGH: Final = {Metric.CSAT: CSAT[5:], Metric.NPS: NPS[10:]}
SCALES: Final = {Metric.CSAT: CSAT, Metric.NPS: NPS}
"""No test responds with the ends of a scale: supervisors see them beside other ratings, as in "4 of 5"."""

EXCLUDED_MODULES: Final = {"blocks.preview"}
"""Modules that show X's scale itself to everyone, without any response."""


def use_canaries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the scales in every module of the app and in the X sandbox."""
    columns = {
        metric: [func.count().filter(report_queries.c.rating == rating) for rating in scale]
        for metric, scale in SCALES.items()
    }
    for real, canary in (
        (questions.SCALES, SCALES),
        (questions.RATING_WORDS, {metric: {scale[0]: "Worst"} for metric, scale in SCALES.items()}),
        (responses.LOW_RATINGS, LOW),
        (scores.HIGH_RATINGS, HIGH),
        (report_queries.RATINGS, columns),
        (SANDBOX_SCALES, {kind: SCALES[Metric(kind)] for kind in SANDBOX_SCALES}),
    ):
        _replace(monkeypatch, real, canary)


def _replace(monkeypatch: pytest.MonkeyPatch, real: object, canary: object) -> None:
    for name, module in list(sys.modules.items()):
        if name in EXCLUDED_MODULES or name.startswith("tests"):
            continue
        for attribute, value in list(vars(module).items()):
            if value is real:
                monkeypatch.setattr(module, attribute, canary)
