"""One evaluation of the newest settled days: read, judge, explain, make rows.

Each step is called once and calls none before it. Not here: how a step works. history.py reads,
judging.py and incidents.py decide what is unusual, explanation.py says why.
"""

from dataclasses import dataclass
from decimal import Decimal

import polars as pl

from openai_costs.questions.anomalies.explanation import Explained, comparisons, explain
from openai_costs.questions.anomalies.frame import NO_VERDICTS
from openai_costs.questions.anomalies.history import read_history, read_leaf_rows
from openai_costs.questions.anomalies.incidents import incident_days
from openai_costs.questions.anomalies.judging import judge
from openai_costs.questions.anomalies.kinds import by_name
from openai_costs.questions.anomalies.series_ids import kind_of
from openai_costs.settings import Anomalies
from openai_costs.storage.lake import Lake
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Args:
        anomalies: mart.spend_anomalies.
        verdicts: The verdicts on all judged days, of all series.
    """

    anomalies: pl.DataFrame
    verdicts: pl.DataFrame

    @property
    def judged_days(self) -> int:
        """How many days were judged."""
        return self.verdicts["day"].n_unique()

    @property
    def judged_series(self) -> int:
        """How many series were judged."""
        return self.verdicts["series_id"].n_unique()

    @property
    def incidents(self) -> int:
        """How many incidents these days hold."""
        return self.anomalies.filter("is_told")["incident_id"].n_unique()


def evaluate(lake: Lake, settings: Anomalies) -> Evaluation:
    """Judge the newest settled days of every series of every connection."""
    history = read_history(lake)
    if not history.groups:
        return Evaluation(SpendAnomalies.no_rows(), NO_VERDICTS)
    verdicts = judge(history, settings)
    compared = comparisons(incident_days(verdicts, history.hierarchy), history)
    leaf_rows = read_leaf_rows(lake, compared)
    return Evaluation(_rows(explain(compared, history, leaf_rows)), verdicts)


def _rows(explained: list[Explained]) -> pl.DataFrame:
    """Return mart.spend_anomalies.

    Args:
        explained: What `explain` returns, a flagged day each.
    """
    anomalies = pl.DataFrame(
        [_row(one) for one in explained], schema=SpendAnomalies.types(), orient="row"
    )
    return anomalies.sort("day", "connection", "series_kind", "series_id")


def _row(one: Explained) -> dict[str, object]:
    flag, series = one.flag, one.series
    return {
        "day": flag["day"],
        "connection": series.connection,
        "provider": one.provider,
        "series_kind": kind_of(series.level),
        "series_id": series.name or series.connection,
        "series_name": one.name,
        "kind": by_name(flag["incident_kind"]).published_as,
        "is_told": flag["is_reported"],
        **{name: flag[name] for name in ("incident_id", "since_day", "direction")},
        "actual_usd": flag["cost"],
        **{f"{name}_usd": flag[name] for name in ("expected", "lower", "upper")},
        "impact_usd": flag["cost"] - flag["expected"],
        "score": Decimal(str(flag["score"])).quantize(Decimal("0.001")),
        "causes": one.causes,
        "team": one.team,
        "owner": one.owner,
    }
