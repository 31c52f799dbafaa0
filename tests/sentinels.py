"""Scales on which each rating is a number that occurs nowhere else, so that it can be searched for."""

import sys
from typing import Final

import pytest
from sqlalchemy import func

from csat.reporting import queries, scores
from csat.surveys import questions, responses
from csat.surveys.questions import Metric
from sandbox.x.feedback import SCALES as PRETENDED

# sorted; no two of their digits are a day, a year or a count of anything that the app says
CSAT: Final = tuple(604_177_131 + step * 1_010_107 for step in range(9))
NPS: Final = tuple(830_469_257 + step * 1_010_107 for step in range(13))
LOW: Final = {Metric.CSAT: CSAT[:4], Metric.NPS: NPS[:8]}
HIGH: Final = {Metric.CSAT: CSAT[5:], Metric.NPS: NPS[10:]}
SCALES: Final = {Metric.CSAT: CSAT, Metric.NPS: NPS}
"""Both ends are given by nobody: supervisors read them beside other ratings, as "4 of 5"."""

HARMLESS: Final = {"blocks.preview"}
"""Where the scale is shown to whoever asks: as X has it, without any answer."""


def use_sentinels(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every module of the app, and the pretend X, take these scales for the real ones."""
    columns = {
        metric: [func.count().filter(queries.c.rating == one) for one in scale]
        for metric, scale in SCALES.items()
    }
    for real, sentinel in (
        (questions.SCALES, SCALES),
        (responses.LOW_RATINGS, LOW),
        (scores.HIGH_RATINGS, HIGH),
        (queries.RATINGS, columns),
        (PRETENDED, {kind: SCALES[Metric(kind)] for kind in PRETENDED}),
    ):
        _replace(monkeypatch, real, sentinel)


def _replace(monkeypatch: pytest.MonkeyPatch, real: object, sentinel: object) -> None:
    for name, module in list(sys.modules.items()):
        if name in HARMLESS or name.startswith("tests"):
            continue
        for attribute, value in list(vars(module).items()):
            if value is real:
                monkeypatch.setattr(module, attribute, sentinel)
