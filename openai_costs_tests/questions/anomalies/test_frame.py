from __future__ import annotations

import polars as pl

from openai_costs.questions.anomalies.detector import one_by_one
from openai_costs.questions.anomalies.frame import ACROSS_SERIES, STEPS, VERDICT
from openai_costs.questions.anomalies.thresholds import (
    Thresholds,
    organisation_context,
    thresholds_of,
)
from openai_costs.questions.series import ID, every_day, level_of
from openai_costs_tests.questions.anomalies.series import detect, flat, frame, on


def test_the_frame_has_the_columns_that_are_declared_and_no_other() -> None:
    days = every_day(frame(org=flat(40), key_k=flat(40)))
    dense = days.with_columns(group=0, beginning=on(0), series_level=level_of(pl.col(ID)))
    thresholds = thresholds_of(dense, Thresholds(), {})
    days = one_by_one(dense, organisation_context(dense), thresholds)
    declared = {name for step in STEPS.values() for name in step}
    assert set(days.columns) == declared
    assert set(ACROSS_SERIES) <= declared


def test_a_column_is_declared_once() -> None:
    declared = [name for step in STEPS.values() for name in step]
    assert len(declared) == len(set(declared))


def test_verdicts_have_their_declared_columns() -> None:
    assert detect(frame(key_k=flat(10))).columns == list(VERDICT)
