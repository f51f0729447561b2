"""Asks the detector about every connection and provider, and makes rows of what is unusual.

Not here: reading (history.py), what a finding says (findings.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.anomalies.detector import detect
from openai_costs.questions.anomalies.history import History, histories, leaves_of
from openai_costs.questions.anomalies.ledger_series import WHOLE, facts_about, filled
from openai_costs.questions.anomalies.rows import (
    PROVIDER,
    Known,
    days_needed,
    full_id,
    in_dollars,
    provider_id,
    rows,
    series_of,
    with_incidents,
)
from openai_costs.questions.anomalies.thresholds import knobs_by_scope, knobs_for_all
from openai_costs.questions.series import ID, calendar
from openai_costs.settings import Anomalies
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import EVERY_CONNECTION
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies

PAIR = {"child": pl.String, "parent": pl.String}


def verdicts(past: Mapping[str, History], said: Anomalies) -> pl.DataFrame:
    """Return what the detector says of the judged days of every series, with full ids.

    Args:
        past: The history by connection.
        said: The settings.
    """
    told = [_of_connection(name, one, said) for name, one in past.items()]
    providers = sorted({one.provider for one in past.values()})
    told += [_of_provider(provider, past, said) for provider in providers]
    return pl.concat(told)


def belongs(past: Mapping[str, History]) -> pl.DataFrame:
    """Return which series are part of which, with full ids: child, parent."""
    pairs = [pl.DataFrame(schema=PAIR)]
    for name, one in past.items():
        met = one.seen.belongs
        ids = [met.select(pl.col(end).alias(ID)).select(full_id(name).alias(end)) for end in PAIR]
        whole = provider_id(one.provider)
        children = one.seen.spend.select(pl.col(ID).unique()).select(
            child=full_id(name), parent=pl.lit(whole)
        )
        pairs += [pl.concat(ids, how="horizontal"), children]
    return pl.concat(pairs)


def _of_connection(name: str, past: History, said: Anomalies) -> pl.DataFrame:
    spend = filled(past.seen.spend, past.calendar)
    found = detect(
        spend, knobs_for_all(said), knobs_by_scope(said, name), past.seen.belongs
    ).filter(pl.col("day").is_in(list(past.judged)))
    return _exact(found, spend).with_columns(full_id(name).alias(ID))


def _of_provider(provider: str, past: Mapping[str, History], said: Anomalies) -> pl.DataFrame:
    """All connections of a provider as one series, on the days that all of them have."""
    mine = [one for one in past.values() if one.provider == provider]
    known = set.intersection(*(one.days for one in mine))
    wholes = pl.concat([one.seen.spend.filter(pl.col(ID) == WHOLE) for one in mine])
    series = pl.lit(f"{PROVIDER}:{provider}")
    summed = (
        wholes.filter(pl.col("day").is_in(list(known)))
        .group_by("day")
        .agg(cost=pl.col("cost").sum().cast(MONEY))
    )
    spend = filled(summed.select(series.alias(ID), "day", "cost"), calendar(known))
    judged = set.intersection(*(one.judged for one in mine))
    found = detect(spend, knobs_for_all(said), knobs_by_scope(said, EVERY_CONNECTION))
    found = found.filter(pl.col("day").is_in(list(judged)))
    return _exact(found, spend).with_columns(full_id(EVERY_CONNECTION).alias(ID))


def _exact(found: pl.DataFrame, spend: pl.DataFrame) -> pl.DataFrame:
    """Return verdicts with exact dollars; what nobody billed cost nothing."""
    told = in_dollars(found).drop("cost").join(spend, on=[ID, "day"], how="left")
    return told.with_columns(pl.col("cost").fill_null(0).cast(MONEY))


# One look at the newest settled days: reads, judges, and explains what is unusual.


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
