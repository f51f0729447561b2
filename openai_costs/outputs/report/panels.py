"""Where each budget stands: numbers in words, and the lengths of a bar. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import NONE, cents, dollars_of, share
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.page_model import BudgetBar, Found, OpenFindings, Restated
from openai_costs.questions.budgets.status import newest
from openai_costs.tables.mart.findings import OPEN, worst_first

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


WIDTH: Final = 160


def budget_bars(status: pl.DataFrame) -> tuple[BudgetBar, ...]:
    """Return the budgets whose period is not over, the fullest first.

    Args:
        status: mart.budget_status.
    """
    rows = newest(status).filter(~pl.col("is_over")).iter_rows(named=True)
    return tuple(map(_bar, rows))


def _bar(row: Mapping[str, Any]) -> BudgetBar:
    spent, limit = cents(row["spent_usd"]), cents(row["limit_usd"])
    expected = None if row["forecast_usd"] is None else cents(row["forecast_usd"])
    whole = max(spent, limit, expected or 0, 1)
    return BudgetBar(
        name=without_domains(row["budget"]),
        owner=without_domains(row["owner"] or ""),
        days=f"{row['period_start']} to {row['period_end']}",
        through=row["day"],
        spent=dollars_of(spent),
        limit=dollars_of(limit),
        share=share(spent, limit),
        expected=NONE if expected is None else dollars_of(expected),
        between=_between(row),
        state=row["state"],
        spent_width=max(0, spent) * WIDTH // whole,
        expected_width=max(0, expected or 0) * WIDTH // whole,
        limit_at=limit * WIDTH // whole,
    )


def _between(row: Mapping[str, Any]) -> str:
    low, high = row["forecast_low_usd"], row["forecast_high_usd"]
    return "" if low is None else f"{dollars_of(cents(low))} to {dollars_of(cents(high))}"


# What deserves a look, worst first: open findings as the page tells them. Pure.

_MOST_SHOWN: Final = 12

_LONGEST_NAME: Final = 80


def open_findings(findings: pl.DataFrame, connections: Sequence[str]) -> OpenFindings:
    """Return the open findings of mart.findings: by severity, then by the dollars at stake.

    Args:
        findings: mart.findings.
        connections: Those the page knows; a finding of none of them is of all together.
    """
    place = {name: i for i, name in enumerate(connections)}
    worst = worst_first(findings.filter(pl.col("state").is_in(OPEN)))
    return OpenFindings(
        shown=tuple(_told(row, place) for row in worst.head(_MOST_SHOWN).iter_rows(named=True)),
        hidden=max(0, worst.height - _MOST_SHOWN),
        muted=findings.filter(state="muted").height,
    )


def _told(row: Mapping[str, Any], place: Mapping[str, int]) -> Found:
    kind, name = row["subject_kind"].replace("_", " "), row["subject_name"] or row["subject_id"]
    usd, owner = row["impact_usd"], row["owner"]
    return Found(
        connection=place.get(row["connection"]),
        severity=row["severity"],
        at_stake="" if usd is None else dollars_of(cents(usd)),
        about=without_domains(f"{kind} {name}")[:_LONGEST_NAME],
        note=f"{row['rule']}, {row['since_day']} to {row['day']}"
        + (f", for {without_domains(owner)}" if owner else ""),
        sentence=without_domains(row["because"]),
        outlook=without_domains(row["outlook"] or ""),
    )


# Settled days that the provider changed afterwards, newest first. Pure.

_MOST_RESTATED: Final = 40

_LONGEST_TEXT: Final = 400


class RestatedDays(NamedTuple):
    """All restatements, those the page lists, and how many older ones it does not."""

    all: tuple[Restated, ...]
    shown: tuple[Restated, ...]
    hidden: int


def restated_days(restatements: pl.DataFrame, connections: Sequence[str]) -> RestatedDays:
    """Return mart.restatements in cents, of the connections the page knows."""
    place = {name: i for i, name in enumerate(connections)}
    newest = restatements.sort("seen_at", "day", "connection", descending=True)
    every = tuple(
        Restated(
            connection=place[row["connection"]],
            day=row["day"],
            seen_at=row["seen_at"],
            previous_cents=cents(row["previous_usd"]),
            current_cents=cents(row["current_usd"]),
            lines_changed=row["lines_changed"],
            what_changed=_clipped(without_domains(row["what_changed"])),
        )
        for row in newest.iter_rows(named=True)
        if row["connection"] in place
    )
    return RestatedDays(every, every[:_MOST_RESTATED], max(0, len(every) - _MOST_RESTATED))


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}\u2026"
