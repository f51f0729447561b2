"""Why a flagged day was unusual: who and what cost more or less than before. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import polars as pl

from openai_costs.questions.anomalies.cause_texts import causes_as_json
from openai_costs.questions.anomalies.causes import Change
from openai_costs.questions.anomalies.contributors import changes_of, costs_of, rows_of
from openai_costs.questions.anomalies.ledger_series import History
from openai_costs.questions.anomalies.series_ids import SeriesId, parsed
from openai_costs.questions.series import ID
from openai_costs.tables.candidate import EVERY_CONNECTION

HALF = 2


class Spender(NamedTuple):
    """Whose more than half of the dollars of a flagged day are; null where no one's are."""

    team: str | None
    user: str | None


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
        team: The team of more than half of the day's dollars.
        owner: Who spent more than half of them: a name or an id, never an address.
        causes: The causes as JSON.
    """

    flag: Mapping[str, Any]
    series: SeriesId
    provider: str
    name: str | None
    team: str | None
    owner: str | None
    causes: str


COMPARED_AT_ONCE = 100
"""Flagged days whose leaf rows are added up together: bounds the memory of it."""
SIDES = {
    "number": pl.Int64,
    "is_before": pl.Boolean,
    "level": pl.String,
    "name": pl.String,
    "connection": pl.String,
    "days": pl.Int64,
    "day": pl.Date,
}


def comparisons(flagged: pl.DataFrame, history: History) -> list[Comparison]:
    """Return every flagged day with the days that it is compared with.

    Args:
        flagged: What `incident_days` returns.
        history: What all connections spent.
    """
    return [_comparison(flag, history) for flag in flagged.iter_rows(named=True)]


def explain(
    compared: Sequence[Comparison], history: History, leaf_rows: pl.DataFrame
) -> list[Explained]:
    """Return every flagged day with its causes, and the name, team and owner of its series.

    Args:
        compared: What `comparisons` returns.
        history: What all connections spent.
        leaf_rows: The leaf rows of the days of comparisons.
    """
    found: list[Explained] = []
    for first in range(0, len(compared), COMPARED_AT_ONCE):
        some = compared[first : first + COMPARED_AT_ONCE]
        rows = [row for number, one in enumerate(some) for row in _sides(number, one)]
        of_both_sides = rows_of(pl.DataFrame(rows, schema=SIDES, orient="row"), leaf_rows)
        costs = costs_of(of_both_sides)
        who = _spenders(of_both_sides, len(some))
        for number, one in enumerate(some):
            now, before = (costs.get((number, side), {}) for side in (False, True))
            changes = changes_of(now, before, one.flag["expected"])
            found.append(_explained(one, history, changes, who[number]))
    return found


def _sides(number: int, compared: Comparison) -> Iterator[tuple[object, ...]]:
    """Yield the day and the days before it, as rows of `SIDES`."""
    flag, (level, _, series), before = compared
    for connection, days in before.items():
        yield number, False, level, series, connection, 1, flag["day"]
        for day in days:
            yield number, True, level, series, connection, len(days), day


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
    changes: Sequence[Change],
    spender: Spender,
) -> Explained:
    flag, series, before = compared
    names = {key: value for name in before for key, value in history.names[name].items()}
    first = next(iter(before))
    return Explained(
        flag,
        series,
        history.providers[first],
        history.names[first].get(series.within_connection),
        spender.team,
        _person(spender.user, names),
        causes_as_json(changes, series.level, names),
    )


def _person(user: str | None, names: Mapping[str, str]) -> str | None:
    """Return a user's name, or the id where the name is an address."""
    name = names.get(f"user:{user}", "@")
    return user if "@" in name else name


def _spenders(rows: pl.DataFrame, flagged: int) -> list[Spender]:
    """Return the spender of each flagged day.

    Of a day without dollars, the spender of the days that it is compared with.

    Args:
        rows: What `rows_of` returns.
        flagged: How many flagged days there are: they are numbered.
    """
    teams, users = _of_most_dollars(rows, "team"), _of_most_dollars(rows, "user")
    return [Spender(teams.get(number), users.get(number)) for number in range(flagged)]


def _of_most_dollars(rows: pl.DataFrame, name: str) -> Mapping[int, str]:
    """Return whose more than half of a day's dollars are; those of no one count as such."""
    spent = rows.filter(pl.col("usd") > 0)
    sides = spent.group_by("number", "is_before").agg(whole=pl.col("usd").sum())
    side = sides.sort("is_before").unique("number", keep="first", maintain_order=True)
    of_side = spent.join(side, on=["number", "is_before"])
    summed = of_side.group_by("number", name).agg(pl.col("usd").sum(), pl.col("whole").first())
    most = summed.filter(pl.col("usd") * HALF > pl.col("whole")).drop_nulls(name)
    return dict(most.select("number", name).iter_rows())
