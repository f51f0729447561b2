"""Asks the questions: the candidates they return, and the days they have judged.

The first of four steps. Next: what changes (lifecycle.py), recorded by record.py, sent by
delivery.py.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from openai_costs.kernel.errors import ContractBroken
from openai_costs.outputs.alerts.judged_days import (
    JudgedDays,
    StoredDays,
    judged_days,
    judged_today,
    merged,
    settled_days,
)
from openai_costs.questions.namesakes import Marks, with_marks
from openai_costs.questions.rules import Facts, Question, Rule
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding as CandidateTable
from openai_costs.tables.candidate import candidates as as_candidates
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.coverage import Coverage

NAMED_BY = {"user": Users, "api_key": ApiKeys, "project": Projects}
"""The table that knows the name of each kind of subject."""


@dataclass(frozen=True)
class Evaluation:
    """One pass over some rules.

    Args:
        candidates: Rows of tables/candidate.py.
        judged: The days that each rule has judged.
    """

    candidates: pl.DataFrame
    judged: JudgedDays

    def __or__(self, other: "Evaluation") -> "Evaluation":
        candidates = pl.concat([self.candidates, other.candidates])
        return Evaluation(candidates, merged([self.judged, other.judged]))


NOTHING = Evaluation(CandidateTable.no_rows(), JudgedDays({}, {}))
"""An evaluation of no rule: with it, mutes begin and end, and nothing else changes."""


def evaluate(lake: Lake, facts: Facts, questions: Iterable[Question]) -> Evaluation:
    """Return the candidates of the questions, and the days they have judged.

    Raises:
        ContractBroken: A question's rows are not candidates; nothing is recorded.
    """
    settled = settled_days(lake.read(Coverage))
    candidates, judged = [CandidateTable.no_rows()], []
    for question in questions:
        candidates.append(checked(question.ask(lake, facts)))
        since, until = question.judges_since(lake, facts), question.judges_until(lake, facts)
        none = question.judges_none(lake, facts)
        within = {
            name: _between(days, since, until).difference(none.get(name, ()))
            for name, days in settled.items()
        }
        stored = _stored(lake, question.reads)
        judged.append(judged_days(question, within, stored, today=facts.today))
    named = with_names(lake, pl.concat(candidates), facts.marks)
    return Evaluation(named, merged(judged))


def evaluated_today(candidates: pl.DataFrame, rules: Iterable[Rule], today: date) -> Evaluation:
    """Return the evaluation of rules about data that hold, or do not, as of today.

    Raises:
        ContractBroken: The rows are not candidates.
    """
    return Evaluation(checked(candidates), judged_today(rules, today))


def checked(candidates: pl.DataFrame) -> pl.DataFrame:
    """Return rows that keep the contract of candidates.

    Raises:
        ContractBroken: They do not.
    """
    if broken := CandidateTable.broken_rules(candidates):
        raise ContractBroken("a question's findings", [], broken)
    return candidates


def with_names(lake: Lake, candidates: pl.DataFrame, marks: Marks) -> pl.DataFrame:
    """Return candidates with the name of each subject that a table of people or keys knows.

    Args:
        lake: The lake.
        candidates: The candidates.
        marks: What distinguishes namesakes, in the names that are added: others have it already.
    """
    unnamed = candidates.filter(pl.col("subject_name").is_null())
    for kind in sorted(set(unnamed["subject_kind"]) & NAMED_BY.keys()):
        listed = pl.lit(kind), pl.col("subject_id")
        names = with_marks(_names(lake, kind), "known_name", *listed, marks)
        candidates = _named(candidates, kind, names)
    return as_candidates(candidates)


def _named(candidates: pl.DataFrame, kind: str, names: pl.DataFrame) -> pl.DataFrame:
    known = candidates.join(
        names, on=["connection", "subject_id"], how="left", maintain_order="left"
    )
    is_unnamed = pl.col("subject_name").is_null() & (pl.col("subject_kind") == kind)
    name = pl.when(is_unnamed).then("known_name").otherwise("subject_name")
    return known.with_columns(subject_name=name).select(candidates.columns)


def _names(lake: Lake, kind: str) -> pl.DataFrame:
    """Return the names of one kind of subject: connection, subject_id, known_name."""
    listed = lake.read(NAMED_BY[kind]).select(
        "connection", subject_id="id", known_name=pl.col("name")
    )
    if kind != "user":
        return listed
    people = lake.read(Engineers).filter(pl.col("openai_user_id").is_not_null())
    known = people.select(subject_id="openai_user_id", of_company="name").unique("subject_id")
    joined = listed.join(known, on="subject_id", how="left", maintain_order="left")
    return joined.select(
        "connection", "subject_id", known_name=pl.coalesce("known_name", "of_company")
    )


def _between(days: Iterable[date], first: date, last: date) -> frozenset[date]:
    return frozenset(day for day in days if first <= day <= last)


def _stored(lake: Lake, reads: Iterable[type[Contract]]) -> list[StoredDays]:
    """Return the days by connection of each daily table; a table that is absent has none."""
    stored: list[StoredDays] = []
    for table in reads:
        names = lake.connections(table)
        if names or not lake.has(table):
            stored.append({name: lake.days(table, name) for name in names})
    return stored
