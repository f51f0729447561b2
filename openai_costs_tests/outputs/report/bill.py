"""Small bills: a line is (day of January 2026, project, user, USD)."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import polars as pl

from openai_costs.outputs.report.page_model import PageModel, Tables, page_model
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.org import connected

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW: Final = datetime(2026, 1, 20, 9, tzinfo=UTC)

Line = tuple[int, str | None, str | None, str]


def spend(lines: Sequence[Line], connection: str = "acme") -> pl.DataFrame:
    rows = [
        (january(day), connection, "openai", project, *[None] * 4, "gpt-5", "input", Decimal(usd))
        for day, project, _, usd in lines
    ]
    return pl.DataFrame(rows, schema=Spend.types(), orient="row")


def by_user(lines: Sequence[Line], connection: str = "acme") -> pl.DataFrame:
    """mart.spend_by_user of the lines; what names no user is unattributed."""
    return pl.DataFrame(
        [
            {
                "day": january(day),
                "connection": connection,
                "provider": "openai",
                "user_id": user,
                "model": "gpt-5",
                "usage_type": "input",
                "billed_usd": Decimal(usd),
                "attribution": "direct" if user else "unattributed",
            }
            for day, _, user, usd in lines
        ],
        schema=SpendByUser.types(),
    )


def coverage(states: str, connection: str = "acme") -> pl.DataFrame:
    """One letter per day from 1 January: s, p or m."""
    words = {"s": "settled", "p": "provisional", "m": "missing"}
    rows = [
        (connection, "costs", january(day), words[letter], None, None, None)
        for day, letter in enumerate(states, start=1)
    ]
    return connected(rows)


def restated(day: int, before: str, after: str, why: str = "a line moved") -> pl.DataFrame:
    seen = datetime(2026, 1, day + 5)  # noqa: DTZ001 - the table is naive UTC
    usd = (Decimal(before), Decimal(after), Decimal(after) - Decimal(before))
    row = ("acme", january(day), seen, seen.replace(day=day + 4), *usd, 1, why)
    return pl.DataFrame([row], schema=Restatements.types(), orient="row")


NOTHING: Final = Tables(
    *(
        table.no_rows()
        for table in (Spend, SpendByUser, Coverage, Restatements, Projects, Findings, BudgetStatus)
    )
)


def tables(lines: Sequence[Line], states: str, **others: pl.DataFrame) -> Tables:
    """The tables of one connection, acme; some replaced by others."""
    made = {"spend": spend(lines), "by_user": by_user(lines), "coverage": coverage(states)}
    return NOTHING._replace(**(made | others))


def page(lines: Sequence[Line], states: str, **others: pl.DataFrame) -> PageModel:
    """The page model of one connection, acme."""
    return page_model(tables(lines, states, **others), NOW)


def january(day: int) -> date:
    return date(2026, 1, day)


def visible(html: str) -> str:
    """The page without what its `hidden` attribute keeps away, and without its script."""
    body = html.split("<script", maxsplit=1)[0]
    return re.sub(r"<section[^>]*\shidden>.*?</section>", "", body, flags=re.DOTALL)
