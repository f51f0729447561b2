from __future__ import annotations

from datetime import date

from openai_costs.kernel.days import DayRange
from openai_costs.questions.budgets.status import unspent
from openai_costs_tests.questions.budgets.ledger import FIRST, THROUGH, budget, counted, status

NOTHING = dict.fromkeys(DayRange(FIRST, THROUGH), "0")


def test_a_budget_of_what_never_spent_is_reported_with_its_id():
    one = budget(name="search", scope="project", id="proj_typo")
    (said,) = unspent(status(one, counted(other=NOTHING)))
    assert said.startswith("Budget search counts no spend of project proj_typo. Check that the id")


def test_a_budget_that_spent_before_its_periods_is_of_something():
    quiet = dict.fromkeys(DayRange(date(2026, 10, 1), THROUGH), "0")
    assert unspent(status(budget(period="daily"), counted(other=quiet))) == []


def test_nothing_is_reported_where_days_are_open():
    is_open = counted(other=NOTHING, missing=[*DayRange(date(2026, 10, 1), date(2026, 11, 1))])
    monthly = status(budget(start=date(2026, 10, 1), period="yearly"), is_open)
    assert monthly["state"].unique().to_list() == ["incomplete"]
    assert unspent(monthly) == []
