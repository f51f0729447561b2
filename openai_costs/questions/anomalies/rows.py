"""From verdicts on the series of each connection to rows about incidents. Pure.

A series_id says which connection it is of: `key:acme/key_1`, `org:acme/`, `provider:*/openai`.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import polars as pl

from openai_costs.questions.anomalies.cause_texts import explained
from openai_costs.questions.anomalies.contributors import compared_with, expected_parts, parts_of
from openai_costs.questions.anomalies.incidents import incidents, members
from openai_costs.questions.anomalies.ledger_series import WHOLE, kind_of
from openai_costs.questions.anomalies.monthly_jobs import came_back
from openai_costs.questions.causes import as_json
from openai_costs.questions.series import ID, LEVELS_APART
from openai_costs.tables.candidate import EVERY_CONNECTION
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies

PROVIDER = "provider"
SIX = Decimal("1E-6")
"""Where floats end: expected dollars are millionths, then exact."""
DOLLARS = ("expected", "lower", "upper")
LARGEST = 1e15


class Series(NamedTuple):
    """What a series is of."""

    level: str
    connection: str
    name: str


def full_id(connection: str) -> pl.Expr:
    """Return the series_id with its connection in it."""
    parts = pl.col(ID).str.splitn(LEVELS_APART, 2).struct
    rest = parts.field("field_1").fill_null("")
    return pl.concat_str(parts.field("field_0"), pl.lit(f":{connection}/"), rest)


def series_of(series_id: str) -> Series:
    """Return what a series_id with a connection says."""
    level, _, rest = series_id.partition(LEVELS_APART)
    connection, _, name = rest.partition("/")
    return Series(level, connection, name)


def provider_id(provider: str) -> str:
    """Return the series_id of all connections of a provider."""
    return f"{PROVIDER}{LEVELS_APART}{EVERY_CONNECTION}/{provider}"


def with_incidents(verdicts: pl.DataFrame, belongs: pl.DataFrame) -> pl.DataFrame:
    """Return the unusual days with incident_id, is_told, told_kind and since_day.

    Args:
        verdicts: What `detect` returns, of all connections, with full ids; cost as Decimal.
        belongs: child, parent, likewise.
    """
    flags = verdicts.filter(pl.col("is_anomaly") & (pl.col("cost") != pl.col("expected")))
    found = incidents(flags, belongs).select(
        "incident_id", since_day="start", told_kind="kind", told_by=ID
    )
    told = flags.join(members(flags, belongs), on=[ID, "day", "direction"], how="inner")
    told = told.join(found, on="incident_id", how="left")
    is_first = pl.col("told_by") == pl.col(ID)
    monthly = pl.col("incident_id").is_in(came_back(told.filter(is_first), verdicts))
    return told.with_columns(is_told=is_first & ~monthly)


def in_dollars(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Return verdicts whose expected, lower and upper are exact millionths of a dollar."""
    cut = [
        pl.col(name).fill_nan(0).clip(0, LARGEST).round(6).cast(pl.Decimal(38, 6))
        for name in DOLLARS
    ]
    return verdicts.with_columns(one.cast(pl.Decimal(38, 18)) for one in cut)


class Known(NamedTuple):
    """What is known of a connection.

    Args:
        provider: Who bills it.
        days: The days that can be believed.
        leaves: The parts of unusual days, and of those they are compared with, by day.
        about: Name, team and owner by series_id, without the connection.
    """

    provider: str
    days: set[date]
    leaves: Mapping[date, pl.DataFrame]
    about: Mapping[str, tuple[str | None, str | None, str | None]]


def rows(flags: pl.DataFrame, known: Mapping[str, Known]) -> pl.DataFrame:
    """Return mart.spend_anomalies.

    Args:
        flags: What `with_incidents` returns.
        known: What is known, by connection.
    """
    told = [_row(flag, known) for flag in flags.iter_rows(named=True)]
    found = pl.DataFrame(told, schema=SpendAnomalies.types(), orient="row")
    return found.sort("day", "connection", "series_kind", "series_id")


def _row(flag: Mapping[str, Any], known: Mapping[str, Known]) -> dict[str, Any]:
    of = series_of(flag[ID])
    mine = [one for name, one in known.items() if of.connection in (name, EVERY_CONNECTION)]
    name, team, owner = mine[0].about.get(f"{of.level}:{of.name}", (None, None, None))
    if of.level == PROVIDER:
        mine = [one for one in mine if one.provider == of.name]
    return {
        "day": flag["day"],
        "connection": of.connection,
        "provider": mine[0].provider,
        "series_kind": "organization" if of.level == WHOLE else kind_of(of.level),
        "series_id": of.name or of.connection,
        "series_name": name,
        "kind": flag["told_kind"],
        **{one: flag[one] for one in ("incident_id", "is_told", "since_day", "direction")},
        "actual_usd": flag["cost"],
        **{f"{one}_usd": flag[one] for one in DOLLARS},
        "impact_usd": flag["cost"] - flag["expected"],
        "score": Decimal(str(flag["score"])).quantize(Decimal("0.001")),
        "causes": _causes(flag, of, mine),
        "team": team,
        "owner": owner,
    }


def _causes(flag: Mapping[str, Any], of: Series, mine: Sequence[Known]) -> str:
    """Return who and what explains a day, compared with days before the incident."""
    actual, before = [], []
    for one in mine:
        earlier = compared_with(flag["day"], flag["since_day"], one.days)
        actual.append(parts_of(one.leaves[flag["day"]], of.level, of.name))
        before += [parts_of(one.leaves[day], of.level, of.name) for day in earlier]
    empty = actual[0].clear()
    parts = expected_parts(
        pl.concat([empty, *actual]), pl.concat([empty, *before]), flag["expected"]
    )
    names = {series_id: said[0] for one in mine for series_id, said in one.about.items() if said[0]}
    return as_json(explained(parts, of.level, names))


def days_needed(flags: pl.DataFrame, known: Mapping[str, set[date]]) -> dict[str, set[date]]:
    """Return the days whose parts are asked for, by connection."""
    wanted: dict[str, set[date]] = {name: set() for name in known}
    for series_id, day, since in flags.select(ID, "day", "since_day").iter_rows():
        of = series_of(series_id)
        for name, days in known.items():
            if of.connection in (name, EVERY_CONNECTION):
                wanted[name] |= {day, *compared_with(day, since, days)}
    return wanted
