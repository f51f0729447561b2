"""Series of the ledger: what an organization and everything in it cost, day by day. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.anomalies.ledger_sums import LedgerSeries
from openai_costs.questions.anomalies.series_ids import WHOLE, full_id, provider_id
from openai_costs.questions.series import ID, calendar
from openai_costs.tables.candidate import EVERY_CONNECTION

PAIR = {"child": pl.String, "parent": pl.String}

JUDGED_DAYS = 100
"""The newest settled days, which are judged whenever the table is made."""


@dataclass(frozen=True)
class SeriesGroup:
    """Series that are judged together: those of a connection, or the one of a provider.

    Args:
        connection: The connection; `*` for all connections of a provider together.
        judged: The days to judge.
        spend: series_id, day, cost on every day, substitutes for unknown days included.
        hierarchy: child, parent: which of its series are part of which; empty for a provider.
            Series ids name their connection.
    """

    connection: str
    judged: set[date]
    spend: pl.DataFrame
    hierarchy: pl.DataFrame


@dataclass(frozen=True)
class History:
    """What all connections spent.

    Args:
        groups: The series to judge, of every connection and provider.
        days: The known days by connection.
        providers: Who bills each connection.
        names: What its series were last called, by connection and series_id.
    """

    groups: list[SeriesGroup]
    days: dict[str, set[date]]
    providers: dict[str, str]
    names: dict[str, dict[str, str]]

    @property
    def hierarchy(self) -> pl.DataFrame:
        """child, parent: which series is part of which, across connections."""
        pairs = []
        for group in self.groups:
            if group.connection in self.providers:
                whole = pl.lit(provider_id(self.providers[group.connection]))
                series = group.spend.select(pl.col(ID).unique())
                pairs.append(group.hierarchy)
                pairs.append(series.select(child=ID, parent=whole))
        return pl.concat(pairs)


def history_of(
    series: Mapping[str, LedgerSeries],
    days: Mapping[str, set[date]],
    providers: Mapping[str, str],
) -> History:
    """Return the history of all connections.

    Args:
        series: What each connection spent on its known days.
        days: The known days of each.
        providers: Who bills each.
    """
    known = {name: days[name] for name in series if days[name]}
    groups = [_connection(name, series[name], mine) for name, mine in known.items()]
    for provider in sorted({providers[name] for name in known}):
        mine = [name for name in known if providers[name] == provider]
        groups.append(
            _provider(provider, [series[one].spend for one in mine], [known[one] for one in mine])
        )
    return History(
        groups,
        known,
        {name: providers[name] for name in known},
        {name: _newest_names(series[name].names) for name in known},
    )


def _newest(days: set[date]) -> set[date]:
    first = max(days) - timedelta(days=JUDGED_DAYS - 1)
    return {day for day in days if day >= first}


def _connection(name: str, series: LedgerSeries, known: set[date]) -> SeriesGroup:
    """All series of a connection."""
    spend = _on_calendar(series.spend, known).with_columns(full_id(name).alias(ID))
    ends = [full_id(name, end).alias(end) for end in PAIR]
    return SeriesGroup(name, _newest(known), spend, series.hierarchy.select(ends))


def _provider(
    provider: str, spend: Iterable[pl.DataFrame], known: Sequence[set[date]]
) -> SeriesGroup:
    """All connections of a provider as one series, on the days that all of them have."""
    wholes = pl.concat([one.filter(pl.col(ID) == WHOLE) for one in spend])
    shared = set.intersection(*known)
    daily = wholes.filter(pl.col("day").is_in(list(shared))).group_by("day")
    summed = daily.agg(cost=pl.col("cost").sum().cast(MONEY))
    series_id = pl.lit(provider_id(provider))
    days = _on_calendar(summed.select(series_id.alias(ID), "day", "cost"), shared)
    judged = set.intersection(*(_newest(one) for one in known))
    return SeriesGroup(EVERY_CONNECTION, judged, days, pl.DataFrame(schema=PAIR))


def _newest_names(names: pl.DataFrame) -> dict[str, str]:
    """Return the newest name of each series that has one."""
    return dict(names.sort("day", "name").select(ID, "name").iter_rows())


def _on_calendar(spend: pl.DataFrame, known: set[date]) -> pl.DataFrame:
    """The series on every day of the calendar, substitutes for unknown days included."""
    days = spend.rename({"day": "as_of"}).join(calendar(known), on="as_of", how="inner")
    return days.select(ID, "day", "cost")
