"""Why a flagged day was unusual: who and what cost more or less than before. Pure."""

from collections.abc import Mapping
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from openai_costs.questions.anomalies.cause_texts import causes_as_json
from openai_costs.questions.anomalies.contributors import changes
from openai_costs.questions.anomalies.ledger_series import History
from openai_costs.questions.anomalies.series_ids import SeriesId, parsed
from openai_costs.questions.series import ID
from openai_costs.tables.candidate import EVERY_CONNECTION


class Comparison(NamedTuple):
    """A flagged day, and the days that it is compared with.

    Args:
        flag: A row of `incident_days`.
        series: The series it is of.
        before: The days before the incident that it is compared with, by connection.
    """

    flag: Mapping[str, Any]
    series: SeriesId
    before: dict[str, list[date]]


class Explained(NamedTuple):
    """A flagged day with its explanation.

    Args:
        flag: A row of `incident_days`.
        series: The series it is of.
        provider: Who bills it.
        name: What the series was last called.
        team: The team of most of its dollars.
        owner: Who spends by it.
        causes: The causes as JSON.
    """

    flag: Mapping[str, Any]
    series: SeriesId
    provider: str
    name: str | None
    team: str | None
    owner: str | None
    causes: str


LeafRows = Mapping[str, Mapping[date, pl.DataFrame]]
Attributes = Mapping[str, tuple[str | None, str | None, str | None]]
NO_ATTRIBUTES = (None, None, None)


def comparisons(flagged: pl.DataFrame, history: History) -> list[Comparison]:
    """Return every flagged day with the days that it is compared with.

    Args:
        flagged: What `incident_days` returns.
        history: What all connections spent.
    """
    return [_comparison(flag, history) for flag in flagged.iter_rows(named=True)]


def explain(compared: list[Comparison], history: History, leaf_rows: LeafRows) -> list[Explained]:
    """Return every flagged day with its causes, and the name, team and owner of its series.

    Args:
        compared: What `comparisons` returns.
        history: What all connections spent.
        leaf_rows: The leaf rows of the days of comparisons, by connection and day.
    """
    attributes = {
        name: {row[0]: row[1:] for row in one.iter_rows()}
        for name, one in history.attributes.items()
    }
    return [_explained(one, history, leaf_rows, attributes) for one in compared]


def _comparison(flag: Mapping[str, Any], history: History) -> Comparison:
    series = parsed(flag[ID])
    before = {
        name: _days_before(flag["day"], flag["since_day"], days)
        for name, days in history.days.items()
        if _is_of(series, name, history)
    }
    return Comparison(flag, series, before)


def _is_of(series: SeriesId, connection: str, history: History) -> bool:
    if series.connection == EVERY_CONNECTION:
        return history.providers[connection] == series.name
    return series.connection == connection


def _days_before(day: date, since: date, known: set[date]) -> list[date]:
    """The same weekday of the four newest known weeks before the incident began.

    Without one, the newest seven known days before.
    """
    earlier = sorted((one for one in known if one < since), reverse=True)
    same = [one for one in earlier if one.weekday() == day.weekday()]
    return same[:4] or earlier[:7]


def _explained(
    compared: Comparison,
    history: History,
    leaf_rows: LeafRows,
    attributes: Mapping[str, Attributes],
) -> Explained:
    flag, series, before = compared
    actual = pl.concat([leaf_rows[name][flag["day"]] for name in before])
    usual = [leaf_rows[name][day] for name, days in before.items() for day in days]
    found = changes(actual, pl.concat([actual.clear(), *usual]), series, flag["expected"])
    names = {
        series_id: known[0]
        for name in before
        for series_id, known in attributes[name].items()
        if known[0]
    }
    first = next(iter(before))
    name, team, owner = attributes[first].get(series.within_connection, NO_ATTRIBUTES)
    causes = causes_as_json(found, series.level, names)
    return Explained(flag, series, history.providers[first], name, team, owner, causes)
