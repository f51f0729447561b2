"""The panels beside the numbers: open findings, budgets with their bars, restated days. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import NONE, cents, counted, dollars, dollars_of, share
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.alerts.rows import Finding as Row
from openai_costs.outputs.alerts.rows import rows
from openai_costs.outputs.alerts.rules import find_rule
from openai_costs.outputs.alerts.titles import title_of
from openai_costs.questions.budgets.status import newest
from openai_costs.tables.mart.findings import OPEN, worst_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime


# Open findings, worst first.

_MOST_FINDINGS: Final = 12


class Finding(NamedTuple):
    """A finding that is open.

    Args:
        connection: Position in `PageModel.connections`; None for all of them together.
        severity: critical, warning or info.
        at_stake: Dollars; empty when it is not about money.
        title: What happened, as a sentence without its full stop.
        note: Who should act, then the rule.
        because: Why, in a sentence with numbers.
        outlook: The forecast for the end of the period; may be empty.
    """

    connection: int | None
    severity: str
    at_stake: str
    title: str
    note: str
    because: str
    outlook: str


class OpenFindings(NamedTuple):
    """The worst findings, how many more are open, and how many are open and muted, in words."""

    shown: tuple[Finding, ...]
    hidden: int
    summary: str


def open_findings(findings: pl.DataFrame, connections: Sequence[str]) -> OpenFindings:
    """Return the open rows of mart.findings: by severity, then by the dollars at stake.

    Args:
        findings: mart.findings.
        connections: Those of the page; a finding of none of them is of all together.
    """
    place = {name: i for i, name in enumerate(connections)}
    worst = worst_first(findings.filter(pl.col("state").is_in(OPEN)))
    shown = rows(Row, worst.head(_MOST_FINDINGS))
    return OpenFindings(
        shown=tuple(_finding(one, place) for one in shown),
        hidden=max(0, worst.height - _MOST_FINDINGS),
        summary=_summary(worst.height, findings.filter(state="muted").height),
    )


def _summary(count: int, muted: int) -> str:
    apart = f", {muted} muted" if muted else ""
    if not count:
        return f"No open finding{apart}."
    order = "most severe first; dollars at stake, settled days only"
    return f"{counted(count, 'open finding')}{apart}, {order}."


def _finding(one: Row, place: Mapping[str, int]) -> Finding:
    usd = one.impact_usd
    owner = f"owner {without_domains(one.owner)}, " if one.owner else ""
    return Finding(
        connection=place.get(one.connection),
        severity=one.severity,
        at_stake="" if usd is None else dollars(usd),
        title=without_domains(title_of(one, find_rule(one.rule))),
        note=f"{owner}{one.rule}",
        because=without_domains(one.because),
        outlook=without_domains(one.outlook or ""),
    )


# Budgets, the fullest first.

_BAR_WIDTH: Final = 160


class BudgetBar(NamedTuple):
    """A budget in its period, through the newest settled day; lengths in pixels.

    Args:
        forecast_range: The 80 % range of the forecast; empty without a forecast.
        state: on_track, at_risk, exceeded or incomplete.
        limit_at: Where on the bar the limit is.
        width: The length of the whole bar.
    """

    name: str
    owner: str
    days: str
    through: date
    spent: str
    limit: str
    share: str
    forecast: str
    forecast_range: str
    state: str
    spent_width: int
    forecast_width: int
    limit_at: int
    width: int


def budget_bars(status: pl.DataFrame) -> tuple[BudgetBar, ...]:
    """Return the budgets whose period is not over, the fullest first.

    Args:
        status: mart.budget_status.
    """
    rows = newest(status).filter(~pl.col("is_over")).iter_rows(named=True)
    return tuple(map(_bar, rows))


def _bar(row: Mapping[str, Any]) -> BudgetBar:
    spent, limit = cents(row["spent_usd"]), cents(row["limit_usd"])
    forecast = None if row["forecast_usd"] is None else cents(row["forecast_usd"])
    whole = max(spent, limit, forecast or 0, 1)
    return BudgetBar(
        name=without_domains(row["budget"]),
        owner=without_domains(row["owner"] or ""),
        days=f"{row['period_start']} to {row['period_end']}",
        through=row["day"],
        spent=dollars_of(spent),
        limit=dollars_of(limit),
        share=share(spent, limit),
        forecast=NONE if forecast is None else dollars_of(forecast),
        forecast_range=_range(row["forecast_low_usd"], row["forecast_high_usd"]),
        state=row["state"],
        spent_width=max(0, spent) * _BAR_WIDTH // whole,
        forecast_width=max(0, forecast or 0) * _BAR_WIDTH // whole,
        limit_at=limit * _BAR_WIDTH // whole,
        width=_BAR_WIDTH,
    )


def _range(low: Any, high: Any) -> str:  # noqa: ANN401 - a Decimal, or None without a forecast
    return "" if low is None else f"{dollars_of(cents(low))} to {dollars_of(cents(high))}"


# Settled days that the provider changed afterwards, newest first.

_MOST_RESTATED: Final = 40
_LONGEST_TEXT: Final = 400
_BETWEEN_IDS: Final = re.compile(r"(?:^|(?<= / )|(?<=; ))[^/;]+(?= / )")
"""An id in the text of a restatement: what stands before a slash."""


class Restated(NamedTuple):
    """A settled day that the provider changed; cents, and the moment of the read that showed it."""

    connection: int
    day: date
    seen_at: datetime
    previous_cents: int
    current_cents: int
    lines_changed: str
    what_changed: str


class RestatedDays(NamedTuple):
    """All restatements, those the page lists, and how many older ones it does not."""

    all: tuple[Restated, ...]
    shown: tuple[Restated, ...]
    hidden: int


def restated_days(
    restatements: pl.DataFrame, connections: Sequence[str], names: Mapping[str, str]
) -> RestatedDays:
    """Return mart.restatements in cents, of the connections of the page.

    Args:
        restatements: mart.restatements.
        connections: The connections of the page.
        names: The names of projects, keys and people by their ids.
    """
    place = {name: i for i, name in enumerate(connections)}
    newest_first = restatements.sort("seen_at", "day", "connection", descending=True)
    every = tuple(
        Restated(
            connection=place[row["connection"]],
            day=row["day"],
            seen_at=row["seen_at"],
            previous_cents=cents(row["previous_usd"]),
            current_cents=cents(row["current_usd"]),
            lines_changed=counted(row["lines_changed"], "line"),
            what_changed=_clipped(_with_names(without_domains(row["what_changed"]), names)),
        )
        for row in newest_first.iter_rows(named=True)
        if row["connection"] in place
    )
    return RestatedDays(every, every[:_MOST_RESTATED], max(0, len(every) - _MOST_RESTATED))


def _with_names(lines: str, names: Mapping[str, str]) -> str:
    """Return changed lines (`proj_a / user-a / gpt-5: $1.00 -> $2.00`) with names for ids."""
    return _BETWEEN_IDS.sub(lambda word: names.get(word[0], word[0]), lines)


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}\u2026"
