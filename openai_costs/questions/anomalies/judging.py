"""Asks the detector about every series. Pure. Dollars are exact from here on."""

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.anomalies.detector import Group, detect_in_groups
from openai_costs.questions.anomalies.frame import OF_A_DAY
from openai_costs.questions.anomalies.ledger_series import History, SeriesGroup
from openai_costs.questions.anomalies.thresholds import thresholds_in
from openai_costs.questions.series import ID
from openai_costs.settings import Anomalies

DOLLARS = ("expected", "lower", "upper")
LARGEST = 1e15
ROWS_AT_ONCE = 500_000
"""Groups are judged together up to so many days of their series: bounds the memory of it."""


def judge(history: History, settings: Anomalies) -> pl.DataFrame:
    """Return the detector's verdicts on the judged days of every series.

    Args:
        history: What all connections spent; of at least one.
        settings: Thresholds for all, and for some scopes.
    """
    return pl.concat([_verdicts(some, settings) for some in _parts(history.groups)])


def _parts(groups: Iterable[SeriesGroup]) -> Iterator[list[SeriesGroup]]:
    some, rows = list[SeriesGroup](), 0
    for group in groups:
        rows += group.spend.height
        if some and rows > ROWS_AT_ONCE:
            yield some
            some, rows = [], group.spend.height
        some.append(group)
    if some:
        yield some


def _verdicts(groups: Sequence[SeriesGroup], settings: Anomalies) -> pl.DataFrame:
    asked = [Group(one.spend, *thresholds_in(settings, one.connection)) for one in groups]
    verdicts = detect_in_groups(asked, pl.concat([one.hierarchy for one in groups]))
    of_group = [(number, day) for number, one in enumerate(groups) for day in one.judged]
    judged = pl.DataFrame(of_group, {"group": pl.Int32, "day": pl.Date}, orient="row")
    settled = verdicts.join(judged, on=OF_A_DAY, how="semi", maintain_order="left").drop("group")
    spend = (one.spend.filter(pl.col("day").is_in(list(one.judged))) for one in groups)
    return _exact(settled, pl.concat(spend))


def _exact(verdicts: pl.DataFrame, spend: pl.DataFrame) -> pl.DataFrame:
    """Return verdicts with exact dollars; floats end here, at millionths of a dollar."""
    cut = [
        pl.col(name).fill_nan(0).clip(0, LARGEST).round(6).cast(pl.Decimal(38, 6)).cast(MONEY)
        for name in DOLLARS
    ]
    exact = verdicts.drop("cost").with_columns(cut).join(spend, on=[ID, "day"], how="left")
    return exact.with_columns(pl.col("cost").fill_null(0).cast(MONEY))
