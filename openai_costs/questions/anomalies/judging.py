"""Asks the detector about every series, and makes incidents of what is unusual. Pure.

Series ids name their connection from here on, and dollars are exact.
"""

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.anomalies.detector import detect
from openai_costs.questions.anomalies.ledger_series import History, SeriesGroup
from openai_costs.questions.anomalies.series_ids import full_id
from openai_costs.questions.anomalies.thresholds import thresholds_in
from openai_costs.questions.series import ID
from openai_costs.settings import Anomalies

DOLLARS = ("expected", "lower", "upper")
LARGEST = 1e15


def judge(history: History, settings: Anomalies) -> pl.DataFrame:
    """Return the detector's verdicts on the judged days of every series.

    Args:
        history: What all connections spent; of at least one.
        settings: Thresholds for all, and for some scopes.
    """
    return pl.concat([_verdicts(group, settings) for group in history.groups])


def _verdicts(group: SeriesGroup, settings: Anomalies) -> pl.DataFrame:
    default, scopes = thresholds_in(settings, group.connection)
    hierarchy = None if group.hierarchy.is_empty() else group.hierarchy
    verdicts = detect(group.spend, default, scopes, hierarchy)
    verdicts = verdicts.filter(pl.col("day").is_in(list(group.judged)))
    return _exact(verdicts, group.spend).with_columns(full_id(group.connection).alias(ID))


def _exact(verdicts: pl.DataFrame, spend: pl.DataFrame) -> pl.DataFrame:
    """Return verdicts with exact dollars; floats end here, at millionths of a dollar."""
    cut = [
        pl.col(name).fill_nan(0).clip(0, LARGEST).round(6).cast(pl.Decimal(38, 6)).cast(MONEY)
        for name in DOLLARS
    ]
    exact = verdicts.drop("cost").with_columns(cut).join(spend, on=[ID, "day"], how="left")
    return exact.with_columns(pl.col("cost").fill_null(0).cast(MONEY))
