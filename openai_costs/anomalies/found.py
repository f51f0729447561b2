"""Asks the detector about every connection and provider, and makes rows of what is unusual. Pure.

Not here: reading (history.py), what a finding says (findings.py).
"""

from collections.abc import Mapping

import polars as pl

from openai_costs.anomalies.calendar import calendar
from openai_costs.anomalies.detect import detect
from openai_costs.anomalies.past import History
from openai_costs.anomalies.scopes import knobs_by_scope, knobs_for_all
from openai_costs.anomalies.series import ID
from openai_costs.anomalies.spend_series import WHOLE, filled
from openai_costs.anomalies.told import PROVIDER, full_id, in_dollars, provider_id
from openai_costs.money import MONEY
from openai_costs.sections import Anomalies
from openai_costs.tables.finding import EVERY_CONNECTION

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
