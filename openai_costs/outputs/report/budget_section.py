"""The section of budgets: how far each that is not over has come, and on which days. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import NONE, cents, dollars, dollars_of, share
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.report.address import address
from openai_costs.outputs.report.section import Cell, Row, Section, number
from openai_costs.questions.budgets.running import running

if TYPE_CHECKING:
    from datetime import date

    import polars as pl

    from openai_costs.outputs.finding_view import Scopes

_STATES: Final = {"exceeded": "critical", "at_risk": "warning"}


def budgets_section(status: pl.DataFrame, through: date | None, scopes: Scopes) -> Section:
    """Return the budgets that are not over, each with its newest period, the fullest first.

    Args:
        status: mart.budget_status.
        through: The newest settled day.
        scopes: What each budget covers.
    """
    rows = running(status, through).to_dicts()
    if not rows:
        return Section(
            id="budgets",
            title="Budgets",
            summary="No budgets. Add one to openai_costs.toml:",
            example='[[budgets]]\nname = "everything"\nlimit_usd = 5000',
        )
    return Section(
        id="budgets",
        title="Budgets",
        summary="Spent on settled days, and forecast for the end of the period.",
        head=(
            "Budget",
            "Settled days",
            "Spent, USD",
            "Limit, USD",
            "Used",
            "Forecast, USD",
            "80 % range",
            "State",
        ),
        rows=tuple(_budget(row, scopes) for row in rows),
    )


def _budget(row: dict[str, Any], scopes: Scopes) -> Row:
    spent, limit = cents(row["spent_usd"]), cents(row["limit_usd"])
    scope = scopes.get(row["budget"])
    ahead, low, high = (row[f"forecast{end}_usd"] for end in ("", "_low", "_high"))
    days = (row["period_start"], row["period_end"])
    owner = f", owner {without_domains(row['owner'])}" if row["owner"] else ""
    return Row(
        cells=(
            Cell(without_domains(row["budget"]), f"{days[0]} to {days[1]}{owner}"),
            Cell(str(DayRange(days[0], row["day"]))),
            number(dollars_of(spent)),
            number(dollars_of(limit)),
            number(share(spent, limit)),
            number(NONE if ahead is None else dollars(ahead)),
            number("" if low is None else f"{dollars(low)} to {dollars(high)}"),
            Cell(row["state"].replace("_", " ")),
        ),
        address="" if scope is None else address(scope, days=(days[0], row["day"])),
        tone=_STATES.get(row["state"], ""),
    )
