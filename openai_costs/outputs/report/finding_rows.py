"""Findings on the page: what to decide today, and the section that lists them all. Pure.

Open ones first, the worst of them first; closed ones stay, because the chart's flags speak of them.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import counted, dollars
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.alerts.rows import Finding, rows
from openai_costs.outputs.alerts.rules import find_rule
from openai_costs.outputs.alerts.titles import next_step_of, title_of
from openai_costs.outputs.finding_view import Scopes, view_of
from openai_costs.outputs.report.section import Cell, Row, Section, number
from openai_costs.tables.candidate import EVERY_CONNECTION
from openai_costs.tables.mart.findings import OPEN, worst_first

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

    from openai_costs.outputs.report.judged import Judged

_MOST_DECISIONS: Final = 5
_MOST_LISTED: Final = 60


class Decision(NamedTuple):
    """A finding that needs a decision: how bad, what, who should act, and its view."""

    severity: str
    title: str
    owner: str
    address: str


def decisions(findings: pl.DataFrame, scopes: Scopes) -> tuple[tuple[Decision, ...], int]:
    """Return the worst open findings, one per subject, and how many other findings are open.

    Args:
        findings: mart.findings.
        scopes: What each budget covers.
    """
    worst = rows(Finding, worst_first(findings.filter(pl.col("state").is_in(OPEN))))
    apart = {_subject(one): one for one in reversed(list(worst))}
    first = [one for one in worst if apart[_subject(one)] is one]
    alike = _alike(worst)
    shown = tuple(
        Decision(
            one.severity, _title(one, alike), without_domains(one.owner or ""), view_of(one, scopes)
        )
        for one in first[:_MOST_DECISIONS]
    )
    return shown, len(worst) - len(shown)


def findings_section(findings: pl.DataFrame, scopes: Scopes, judged: Judged) -> Section:
    """Return the section of all findings: open, then muted, then closed ones.

    Args:
        findings: mart.findings.
        scopes: What each budget covers.
        judged: What was looked for.
    """
    order = pl.col("state").replace_strict(
        {"open": 0, "growing": 0, "muted": 1}, default=2, return_dtype=pl.Int8
    )
    every = worst_first(findings).with_columns(order=order).sort("order", maintain_order=True)
    listed = list(rows(Finding, every.drop("order").head(_MOST_LISTED)))
    hidden, alike = every.height - len(listed), _alike(listed)
    return Section(
        id="findings",
        title="Findings",
        summary=_summary(findings, judged),
        head=("What happened", "At stake, USD", "Owner", "Since", "State"),
        rows=tuple(_row(one, scopes, _title(one, alike)) for one in listed),
        more=f"{counted(hidden, 'older finding')} in mart.findings." if hidden else "",
    )


def scopes_of(budgets: pl.DataFrame) -> Scopes:
    """Return the filter of each budget: what mart.budget_status says it covers."""
    names = budgets.select("budget", "scope", "scope_id", "connection").unique().sort("budget")
    return {
        name: ({} if place == EVERY_CONNECTION else {"connection": place})
        | ({} if scope == "all" else {scope: ids})
        for name, scope, ids, place in names.iter_rows()
        if scope == "all" or (ids and "," not in ids)
    }


def _summary(findings: pl.DataFrame, judged: Judged) -> str:
    opened = findings.filter(pl.col("state").is_in(OPEN)).height
    muted = findings.filter(state="muted").height
    closed = findings.filter(state="closed").height
    if not findings.height:
        return judged.no_finding
    return (
        f"{opened} open, {muted} muted, {closed} closed. Dollars at stake are of settled days. "
        "docs/alerts.md explains each rule."
    )


def _row(one: Finding, scopes: Scopes, title: str) -> Row:
    is_open = one.state in OPEN
    mute = (
        f"To acknowledge it: openai-costs acknowledge {one.finding_id} --by NAME. "
        f"To mute it: openai-costs mute {one.finding_id} --reason WHY --until DAY."
        if is_open
        else ""
    )
    step = next_step_of(one, find_rule(one.rule)) if is_open else ""
    taken = f"Acknowledged by {one.acknowledged_by}." if one.acknowledged_by else ""
    texts = (one.because, one.outlook or "", step, taken, mute, f"Rule {one.rule}, {one.docs}.")
    return Row(
        cells=(
            Cell(title),
            number("" if one.impact_usd is None else dollars(one.impact_usd)),
            Cell(without_domains(one.owner or "no owner")),
            Cell(str(one.since_day)),
            Cell(one.state),
        ),
        address=view_of(one, scopes),
        anchor=f"finding-{one.finding_id}",
        tone=one.severity if is_open else "",
        about=without_domains(" ".join(filter(None, texts))),
    )


def _subject(one: Finding) -> tuple[str, str, str]:
    """Return what a finding is about: a budget in all its periods and thresholds is one thing."""
    return one.connection, one.subject_kind, one.subject_id.partition("/")[0]


def _alike(findings: Iterable[Finding]) -> set[str]:
    """Return the names of subjects that findings of more than one connection are about."""
    places: dict[str, set[str]] = defaultdict(set)
    for one in findings:
        places[_name(one)].add(one.connection)
    return {name for name, connections in places.items() if len(connections) > 1}


def _name(one: Finding) -> str:
    return one.subject_name or one.subject_id


def _title(one: Finding, alike: Container[str]) -> str:
    """Return what happened; with its connection where its subject has a namesake in another."""
    rule = find_rule(one.rule)
    title = title_of(one, rule)
    has_place = "{connection}" in rule.title or one.connection == EVERY_CONNECTION
    is_apart = has_place or _name(one) not in alike
    return without_domains(title if is_apart else f"{title}, connection {one.connection}")
