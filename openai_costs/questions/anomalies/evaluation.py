"""One evaluation of the newest settled days: read, judge, explain, make rows.

Each step is called once and calls none before it. Not here: how a step works. history.py reads,
judging.py and incidents.py decide what is unusual, explanation.py says why, rows.py makes the
table.
"""

from dataclasses import dataclass

import polars as pl

from openai_costs.questions.anomalies.explanation import comparisons, explain
from openai_costs.questions.anomalies.frame import NO_VERDICTS
from openai_costs.questions.anomalies.history import read_history, read_leaf_rows
from openai_costs.questions.anomalies.incidents import incident_days
from openai_costs.questions.anomalies.judging import judge
from openai_costs.questions.anomalies.rows import rows
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
    return Evaluation(rows(explain(compared, history, leaf_rows)), verdicts)
