"""The section of budgets: each row is of its own days, and its view has the same dollars."""

from __future__ import annotations

from datetime import date

import polars as pl

from openai_costs.outputs.report.budget_section import budgets_section
from openai_costs.outputs.report.finding_rows import scopes_of
from openai_costs_tests.questions.budgets.ledger import budget, counted, status

EARLY, LATE = date(2026, 11, 8), date(2026, 11, 10)


def test_each_budget_names_its_settled_days_and_its_view_is_of_them() -> None:
    rows = pl.concat(
        [
            status(budget(name="late"), counted(LATE)),
            status(budget(name="early"), counted(EARLY)),
        ]
    )
    section = budgets_section(rows, EARLY, scopes_of(rows))
    shown = [(*(cell.text for cell in row.cells[:3]), row.address) for row in section.rows]
    assert shown == [
        (
            "late",
            "2026-11-01 to 2026-11-10",
            "$100.00",
            "#by=team&from=2026-11-01&to=2026-11-10",
        ),
        ("early", "2026-11-01 to 2026-11-08", "$80.00", "#by=team&from=2026-11-01&to=2026-11-08"),
    ]
    assert "2026" not in section.summary


def test_a_budget_of_one_connection_opens_its_dollars_alone() -> None:
    rows = pl.concat(
        [
            status(budget(name="all of aws", connection="aws"), counted(LATE)),
            status(budget(name="labs", connection="aws", scope="team", id="labs"), counted(LATE)),
        ]
    )
    assert scopes_of(rows) == {
        "all of aws": {"connection": "aws"},
        "labs": {"connection": "aws", "team": "labs"},
    }
    section = budgets_section(rows, LATE, scopes_of(rows))
    assert all("&connection=aws" in (row.address or "") for row in section.rows)
