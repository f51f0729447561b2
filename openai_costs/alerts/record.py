"""Asks the questions, looks at what they found, and keeps findings and their changes.

Not here: the judgement (lifecycle.py), Dagster (assets.py, sensors.py).
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date
from typing import NamedTuple

import polars as pl

from openai_costs.alerts.judged import Judged, Stored, judged_of, judged_today, settled_days
from openai_costs.alerts.lifecycle import review
from openai_costs.alerts.rows import (
    Candidate,
    Change,
    Finding,
    changes_frame,
    findings_frame,
    rows,
)
from openai_costs.errors import ContractBroken
from openai_costs.findings import Facts, Question
from openai_costs.lake import Lake
from openai_costs.sections import Alerts
from openai_costs.tables.contract import Contract
from openai_costs.tables.finding import Finding as Handed
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings

_STATE_AFTER = {"opened": "open", "growing": "growing", "closed": "closed", "muted": "muted"}


class Look(NamedTuple):
    """What a look at some rules saw.

    Args:
        found: The candidates.
        judged: What was looked at.
        alerts: The settings, with the mutes there are.
    """

    found: pl.DataFrame
    judged: Judged
    alerts: Alerts


def ask(lake: Lake, facts: Facts, questions: Iterable[Question]) -> tuple[pl.DataFrame, Judged]:
    """Return what the questions found, and what they looked at.

    Raises:
        ContractBroken: A question's rows are not candidates; nothing is recorded.
    """
    found, judged = [Handed.no_rows()], Judged({}, {})
    settled = settled_days(lake.read(Coverage))
    for question in questions:
        handed = question.ask(lake, facts)
        about_data = [rule for rule in question.rules if rule.is_about_data]
        about_spend = replace(
            question, rules=tuple(rule for rule in question.rules if not rule.is_about_data)
        )
        judged |= judged_today(about_data, facts.today)
        until = question.judges_until(lake, facts)
        known = {name: {day for day in days if day <= until} for name, days in settled.items()}
        judged |= judged_of(about_spend, known, _stored(lake, question.reads))
        found.append(sound(handed))
    return pl.concat(found), judged


def sound(handed: pl.DataFrame) -> pl.DataFrame:
    """Return rows that keep the contract of candidates.

    Raises:
        ContractBroken: They do not.
    """
    if broken := Handed.broken_rules(handed):
        raise ContractBroken("a question's findings", [], broken)
    return handed


def looked(
    lake: Lake, found: pl.DataFrame, judged: Judged, alerts: Alerts, today: date
) -> pl.DataFrame:
    """Keep what changed, and return `mart.findings` as it should be now.

    For one who holds the table (`Lake.alone`). Changes are kept first: a process that dies before
    the findings are replaced is caught up with by the next look, and no change is lost or told
    twice.
    """
    kept = rows(Change, lake.read(FindingChanges))
    newest = {one.finding_id: one for one in kept}
    known = [
        _caught_up(one, newest.get(one.finding_id)) for one in rows(Finding, lake.read(Findings))
    ]
    done = review(known, rows(Candidate, found), judged, alerts, today)
    numbers = {(one.finding_id, one.change) for one in kept}
    news = [one for one in done.changes if (one.finding_id, one.change) not in numbers]
    if news:
        lake.replace_whole(FindingChanges, changes_frame([*kept, *news]))
    return findings_frame(done.findings)


def look_again(lake: Lake, today: date, look: Callable[[], Look]) -> Look:
    """Look at some rules only, replace the findings if anything is different, return what was seen.

    Args:
        lake: Where findings are.
        today: The current UTC day.
        look: Returns what is found now. Called when it is our turn: what was found before is old
            when others looked, or muted something, while we waited.
    """
    with lake.alone(Findings):
        seen, before = look(), lake.read(Findings)
        after = looked(lake, seen.found, seen.judged, seen.alerts, today)
        if not after.equals(before):
            lake.replace_whole(Findings, after)
    return seen


def _caught_up(finding: Finding, newest: Change | None) -> Finding:
    """Return a finding with a change that was kept although it was not replaced any more."""
    if newest is None or newest.change <= finding.change:
        return finding
    return replace(
        finding,
        change=newest.change,
        state=_STATE_AFTER[newest.kind],
        told_usd=newest.impact_usd,
        severity=newest.severity,
        day=newest.day,
        closed_day=newest.changed_day if newest.kind == "closed" else None,
    )


def _stored(lake: Lake, reads: Iterable[type[Contract]]) -> list[Stored]:
    """Return the days by connection of each daily table; a table that is not there has none."""
    found: list[Stored] = []
    for table in reads:
        names = lake.connections(table)
        if names or not lake.has(table):
            found.append({name: lake.days(table, name) for name in names})
    return found
