"""Reads the history of the ledger that anomalies are found in: some days at a time.

Not here: what is unusual (detector.py), and why (rows.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from openai_costs.questions.anomalies.contributors import leaves
from openai_costs.questions.anomalies.ledger_series import Seen, seen, together
from openai_costs.questions.series import calendar, known_days
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution

# What a connection spent, and which of its days are judged. Pure.

CONTEXT_DAYS = 200
"""What the newest day is judged by."""

JUDGED_DAYS = 100
"""The newest settled days, which are judged whenever the table is made."""


@dataclass(frozen=True)
class History:
    """What a connection spent.

    Args:
        provider: Who bills it.
        days: The known days of the history, those that are judged and those before.
        calendar: Every day from the first to the last, and what stands in for unknown ones.
        seen: Its series.
    """

    provider: str
    days: set[date]
    calendar: pl.DataFrame
    seen: Seen

    @property
    def judged(self) -> set[date]:
        """The known days that are judged."""
        first = max(self.days) - timedelta(days=JUDGED_DAYS - 1)
        return {day for day in self.days if day >= first}


DAYS_AT_ONCE = 10


def histories(lake: Lake) -> dict[str, History]:
    """Return what every connection with settled days spent, by name."""
    coverage = lake.read(Coverage)
    days = {name: _newest(known_days(coverage, name)) for name in lake.connections(Spend)}
    parts: dict[str, list[Seen]] = {}
    providers: dict[str, str] = {}
    for name, spend, attribution in _stretches(lake, sorted(set().union(*days.values()))):
        mine = pl.col("day").is_in(list(days[name]))
        parts.setdefault(name, []).append(seen(spend.filter(mine), attribution.filter(mine)))
        providers[name] = str(spend["provider"][0])
    return {
        name: History(providers[name], days[name], calendar(days[name]), together(said))
        for name, said in parts.items()
        if days[name]
    }


def leaves_of(
    lake: Lake, wanted: Mapping[str, Iterable[date]]
) -> dict[str, dict[date, pl.DataFrame]]:
    """Return the parts of some days, by connection and day; of a day without any no rows."""
    found: dict[str, dict[date, pl.DataFrame]] = {name: {} for name in wanted}
    nothing = leaves(Spend.no_rows(), SpendAttribution.no_rows(), Ledger.no_rows())
    for name, days in wanted.items():
        found[name] = dict.fromkeys(days, nothing)
    for name, spend, attribution in _stretches(lake, sorted(set().union(*wanted.values()))):
        ledger = lake.read(Ledger, spend["day"].unique().to_list()).filter(connection=name)
        parts = leaves(spend, attribution, ledger).partition_by("day", as_dict=True)
        asked = set(wanted.get(name, ()))
        found.setdefault(name, {}).update(
            {day: some for (day,), some in parts.items() if day in asked}
        )
    return found


def _newest(days: set[date]) -> set[date]:
    if not days:
        return days
    first = max(days) - timedelta(days=CONTEXT_DAYS + JUDGED_DAYS - 1)
    return {day for day in days if day >= first}


def _stretches(lake: Lake, days: list[date]) -> Iterator[tuple[str, pl.DataFrame, pl.DataFrame]]:
    """Yield (connection, mart.spend, mart.spend_attribution) of some days at a time."""
    for start in range(0, len(days), DAYS_AT_ONCE):
        some = days[start : start + DAYS_AT_ONCE]
        spend = lake.read(Spend, some).partition_by("connection", as_dict=True)
        people = lake.read(SpendAttribution, some)
        for (name,), rows in spend.items():
            yield str(name), rows, people.filter(connection=str(name))
