"""A round: look whether data is late and mutes begin or end, then send what is due.

What the sensors do every few minutes, and `openai-costs deliver` once: for cron, without Dagster.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import NamedTuple

import polars as pl
from upath import UPath

from openai_costs.kernel.days import Clock, naive
from openai_costs.kernel.errors import ContractBroken
from openai_costs.outputs.alerts.delivery import Delivered, deliver
from openai_costs.outputs.alerts.judged_days import (
    Judged,
    Stored,
    judged_of,
    judged_today,
    settled_days,
)
from openai_costs.outputs.alerts.lifecycle import review
from openai_costs.outputs.alerts.mutes import with_mutes
from openai_costs.outputs.alerts.rows import (
    Candidate,
    Change,
    Delivery,
    Finding,
    changes_frame,
    findings_frame,
    rows,
)
from openai_costs.outputs.alerts.rules import DATA, WATCHED
from openai_costs.questions.rules import Facts, Question
from openai_costs.settings import Alerts, Route
from openai_costs.settings.load import Settings
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.tables.candidate import Finding as Handed
from openai_costs.tables.contract import Contract
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.deliveries import Deliveries
from openai_costs.tables.mart.finding_changes import FindingChanges
from openai_costs.tables.mart.findings import Findings

# Asks the questions, looks at what they found, and keeps findings and their changes. Not here:
# the judgement (lifecycle.py), Dagster (assets.py, sensors.py).

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


class Told(NamedTuple):
    """What a route was told.

    Args:
        route: Its name.
        done: How many messages were sent, and not.
        trouble: A sentence about what was not taken; empty when all was.
    """

    route: str
    done: Delivered
    trouble: str


def look(
    lake: Lake, home: UPath, facts: Facts, red: Callable[[], pl.DataFrame] | None = None
) -> int:
    """Look at the data and the mutes, and return how much of it is late, undelivered or red.

    Args:
        lake: Where tables are.
        home: Where the mutes of the command line are.
        facts: The settings, and the instant.
        red: Returns what is red in Dagster's record; None where nobody looks at it.
    """

    def now() -> Look:
        found, judged = ask(lake, facts, DATA)
        if red is not None:
            found = found.vstack(sound(red()))
            judged |= judged_today(WATCHED, facts.today)
        return Look(found, judged, with_mutes(facts.settings.alerts, home))

    return look_again(lake, facts.today, now).found.height


def headless(settings: Settings, clock: Clock) -> Iterator[Told]:
    """Look, then send all that is due, route by route; yield what became of each."""
    home = place(settings.home)
    lake = Lake(home)
    look(lake, home, Facts(settings, clock()))
    for route in settings.alerts.routes:
        began = naive(clock())
        done = _all_of(lake, settings.alerts.model_copy(update={"routes": (route,)}), clock)
        yield Told(route.name, done, _trouble(lake, route, began))


def _all_of(lake: Lake, alone: Alerts, clock: Clock) -> Delivered:
    """Send until nothing is due: a call takes what fits into its time, a change per finding."""
    whole = Delivered()
    while True:
        done = deliver(lake, alone, clock)
        whole += done
        if not done.sent + done.failed:
            return whole


def _trouble(lake: Lake, route: Route, began: datetime) -> str:
    """Return what is wrong with a route: what waits for it, or was given up since an instant."""
    mine = rows(Delivery, lake.read(Deliveries).filter(channel=route.name))
    waiting = [one for one in mine if one.status == "waiting"]
    lost = [
        one
        for one in mine
        if one.status in ("failed", "unclear") and one.tried_at and one.tried_at >= began
    ]
    if not waiting + lost:
        return ""
    newest = max(waiting + lost, key=lambda one: one.tried_at or began)
    then = [f"{len(waiting)} wait for another try"] if waiting else []
    then += [f"{len(lost)} are given up"] if lost else []
    return f"Route {route.name} did not take its messages ({', '.join(then)}): {newest.said}"
