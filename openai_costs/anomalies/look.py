"""One look at the newest settled days: reads, judges, and explains what is unusual."""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from openai_costs.anomalies.found import belongs, verdicts
from openai_costs.anomalies.history import histories, leaves_of
from openai_costs.anomalies.past import History
from openai_costs.anomalies.series import ID
from openai_costs.anomalies.spend_series import WHOLE, facts_about
from openai_costs.anomalies.told import Known, days_needed, rows, series_of, with_incidents
from openai_costs.lake import Lake
from openai_costs.sections import Anomalies
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies


@dataclass(frozen=True)
class Looked:
    """What a look saw.

    Args:
        anomalies: mart.spend_anomalies.
        wholes: connection, day, cost, expected, lower, upper of each organisation.
        judged_days: How many days were judged.
        judged_series: How many series.
    """

    anomalies: pl.DataFrame
    wholes: pl.DataFrame
    judged_days: int
    judged_series: int

    @property
    def incidents(self) -> int:
        """How many incidents these days hold."""
        return self.anomalies.filter("is_told")["incident_id"].n_unique()


def look(lake: Lake, said: Anomalies) -> Looked:
    """Judge the newest settled days of every series of every connection."""
    past = histories(lake)
    if not past:
        return Looked(SpendAnomalies.no_rows(), _wholes(None), 0, 0)
    judged = verdicts(past, said)
    flags = with_incidents(judged, belongs(past))
    wanted = days_needed(flags, {name: one.days for name, one in past.items()})
    parts = leaves_of(lake, wanted)
    known = {
        name: Known(one.provider, one.days, parts[name], _about(one)) for name, one in past.items()
    }
    return Looked(
        rows(flags, known), _wholes(judged), judged["day"].n_unique(), judged[ID].n_unique()
    )


def _about(past: History) -> Mapping[str, tuple[str | None, str | None, str | None]]:
    return {row[0]: row[1:] for row in facts_about(past.seen.about).iter_rows()}


def _wholes(judged: pl.DataFrame | None) -> pl.DataFrame:
    """Each organisation's days."""
    names = ("day", "cost", "expected", "lower", "upper")
    if judged is None:
        return pl.DataFrame(schema=dict.fromkeys(("connection", *names), pl.String))
    mine = judged.filter(pl.col(ID).str.starts_with(f"{WHOLE}:"))
    called = pl.col(ID).map_elements(lambda one: series_of(one).connection, pl.String)
    return mine.select(called.alias("connection"), *names)
