"""Which days a rule has judged: settled, read and computed. No other day opens or closes. Pure."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from openai_costs.questions.coverage import of_costs, settled_in_all
from openai_costs.questions.rules import Question, Rule
from openai_costs.tables.candidate import EVERY_CONNECTION


@dataclass(frozen=True)
class JudgedDays:
    """The days that an evaluation has judged.

    Args:
        rules: The rules by id.
        days: The days by rule and connection; `*` stands for connections that are not named.
    """

    rules: Mapping[str, Rule]
    days: Mapping[tuple[str, str], Collection[date]]

    def of(self, rule: str, connection: str) -> Collection[date]:
        """Return the days of a connection that a rule has judged."""
        everywhere = self.days.get((rule, EVERY_CONNECTION), ())
        return self.days.get((rule, connection), everywhere)

    def rule(self, name: str) -> Rule:
        """Return a rule; one that is no longer in the code gets the default quiet days."""
        return self.rules.get(name) or Rule(name)


def merged(several: Iterable[JudgedDays]) -> JudgedDays:
    """Return the days of several rules as one."""
    rules: dict[str, Rule] = {}
    days: dict[tuple[str, str], Collection[date]] = {}
    for one in several:
        rules |= one.rules
        days |= one.days
    return JudgedDays(rules, days)


def settled_days(coverage: pl.DataFrame) -> dict[str, frozenset[date]]:
    """Return the settled days of each connection's costs; under `*`, those settled in all."""
    settled = {
        str(name): frozenset(rows.filter(state="settled")["day"])
        for (name,), rows in of_costs(coverage).partition_by("connection", as_dict=True).items()
    }
    return settled | {EVERY_CONNECTION: frozenset(settled_in_all(coverage))}


def judged_days(
    question: Question,
    settled: Mapping[str, Collection[date]],
    stored: Iterable["StoredDays"],
    *,
    today: date,
) -> JudgedDays:
    """Return the days that a question has judged: of its rules about data, today.

    Args:
        question: The question.
        settled: The settled days by connection, with `*`: those that the question looks at.
        stored: For each daily table that the question reads, the days stored by connection.
        today: The current UTC day.
    """
    tables = list(stored)
    judged = {
        name: frozenset(day for day in days if all(_has(one, name, day, settled) for one in tables))
        for name, days in settled.items()
    }
    of_spend = [rule for rule in question.rules if not rule.is_about_data]
    days = {(rule.id, name): found for rule in of_spend for name, found in judged.items()}
    of_data = judged_today((rule for rule in question.rules if rule.is_about_data), today)
    return merged([JudgedDays({rule.id: rule for rule in of_spend}, days), of_data])


def judged_today(rules: Iterable[Rule], today: date) -> JudgedDays:
    """Return the days that rules about data have judged: today, for every connection."""
    known = {rule.id: rule for rule in rules}
    return JudgedDays(known, {(name, EVERY_CONNECTION): frozenset({today}) for name in known})


StoredDays = Mapping[str, Collection[date]]
"""The days that a daily table holds, by connection."""


def _has(
    stored: StoredDays, connection: str, day: date, settled: Mapping[str, Collection[date]]
) -> bool:
    """Return whether a table holds a day; a connection that is no longer read need not have it."""
    if connection != EVERY_CONNECTION:
        return day in stored.get(connection, ())
    mine = [days for name, days in stored.items() if day in settled.get(name, ())]
    return bool(mine) and all(day in days for days in mine)
