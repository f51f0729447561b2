from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import polars as pl
import pytest

from openai_costs.outputs.report.cost_explorer import facts_from
from openai_costs.outputs.report.page_model import REST
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.outputs.report.bill import (
    NOW,
    Frames,
    by_user,
    coverage,
    facts,
    restated,
    spend,
)

PROJECT, USER = 0, 1
THIRDS = [(1, f"proj_{i}", "user-a", "0.333333333333333333") for i in range(14)]


def test_the_lines_of_a_table_add_up_to_its_total_with_everything_else() -> None:
    ranking = facts(THIRDS, "s").views[0].periods[-1].rankings[PROJECT]
    assert ranking.rows[-1].member == REST
    assert ranking.rest_count == 4
    assert sum(row.cents for row in ranking.rows) == ranking.total.cents == 467


def test_the_members_of_a_day_add_up_to_its_total() -> None:
    found = facts(THIRDS, "s").series[0][PROJECT]
    listed = sum(values[0] for values in found.members.values())
    assert found.total == (467,)
    assert len(found.members) == 10
    assert 0 < found.total[0] - listed <= 4 * 34


def test_every_dimension_has_the_same_total() -> None:
    lines = [(1, "proj_a", "user-a", "1.005"), (2, None, None, "2.005")]
    rankings = facts(lines, "ss").views[0].periods[-1].rankings
    assert {ranking.total.cents for ranking in rankings} == {301}


def test_credits_are_listed_and_taken_off_the_total() -> None:
    lines = [(1, "proj_a", "user-a", "10"), (1, None, None, "-4.50")]
    page = facts(lines, "s")
    rows = page.views[0].periods[-1].rankings[PROJECT].rows
    assert [(page.dimensions[PROJECT].members[row.member], row.cents) for row in rows] == [
        ("proj_a", 1000),
        ("(no project)", -450),
    ]
    assert page.views[0].total == "$5.50 USD"


def sixty_days(usd_before: str, usd_now: str) -> Frames:
    days = [date(2025, 11, 1) + timedelta(days=i) for i in range(60)]
    where = ("acme", "openai", "proj_a", None, None, None, None, "gpt-5", "input")
    usd = [Decimal(usd_before)] * 30 + [Decimal(usd_now)] * 30
    lines = [(day, *where, each) for day, each in zip(days, usd, strict=True)]
    said = {"connection": "acme", "provider": "openai", "model": "gpt-5", "usage_type": "input"}
    users = [
        {**said, "day": day, "billed_usd": each, "attribution": "unattributed"}
        for day, each in zip(days, usd, strict=True)
    ]
    read = [("acme", "costs", day, "settled", 1, None, None) for day in days]
    return (
        pl.DataFrame(lines, schema=Spend.types(), orient="row"),
        pl.DataFrame(users, schema=SpendByUser.types()),
        pl.DataFrame(read, schema=Coverage.types(), orient="row"),
        Restatements.empty(),
    )


def test_the_change_compares_thirty_settled_days_with_the_thirty_before() -> None:
    view = facts_from(*sixty_days("2", "3"), datetime(2025, 12, 31, tzinfo=UTC)).views[0]
    headline = view.headlines[1]
    assert headline.value == "+$30.00"
    assert headline.note == "+50.0 % against $60.00\n2025-11-01 to 2025-11-30\nconnection acme"
    assert view.headlines[0].value == "$90.00"
    assert view.headlines[4].value == "100.0 %"
    assert view.periods[0].rankings[PROJECT].total == (REST, 9000, 6000)


def test_a_project_that_stopped_stays_in_the_table() -> None:
    view = facts_from(*sixty_days("2", "0"), datetime(2025, 12, 31, tzinfo=UTC)).views[0]
    assert view.periods[0].rankings[PROJECT].rows == ((0, 0, 6000),)


def test_dollars_shared_out_by_tokens_are_said_to_be_an_assumption() -> None:
    users = by_user([(1, "a", "u", "3"), (1, "a", "v", "1")]).with_columns(
        attribution=pl.when(user_id="v").then(pl.lit("allocated")).otherwise("attribution")
    )
    frames = (spend([(1, "a", None, "4")]), users, coverage("s"), Restatements.empty())
    question = facts_from(*frames, NOW).views[0].questions[0]
    assert question.title == "$1.00 shared out by tokens"
    assert "25.0 % of $4.00" in question.sentence


def test_a_missing_day_is_an_open_question_and_not_a_zero() -> None:
    view = facts([(1, "a", "u", "1"), (3, "a", "u", "2")], "sms").views[0]
    assert "except 1 missing day (2026-01-02)" in view.completeness
    assert view.questions[0].title == "1 missing day, connection acme"
    assert "--from 2026-01-02 --to 2026-01-02 --connection acme" in view.questions[0].sentence
    assert view.headlines[3].value == "$1.50"


def test_today_is_not_missing_before_it_is_over() -> None:
    page = facts([(19, "a", "u", "1")], "s" * 19 + "m")
    assert page.days[-1] == date(2026, 1, 19)
    assert page.views[0].questions == ()


def test_provisional_days_count_in_the_month_but_not_in_settled_days() -> None:
    view = facts([(1, "a", "u", "1"), (2, "a", "u", "5")], "sp").views[0]
    assert view.headlines[0].value == "$1.00"
    assert view.headlines[2].value == "$6.00"
    assert "1 day is provisional and may still change (2026-01-02)" in view.completeness
    assert "$5.00 so far" in view.questions[0].sentence


def test_a_restatement_says_from_and_to() -> None:
    view = facts([(1, "a", "u", "3")], "s", restated(1, "2.50", "3")).views[0]
    assert view.questions[0].title == "1 restatement of settled days, net +$0.50"
    assert "2026-01-01, connection acme, went from $2.50 to $3.00" in view.questions[0].sentence


def test_dollars_without_a_user_are_an_open_question() -> None:
    view = facts([(1, "a", None, "1"), (1, "a", "u", "3")], "s").views[0]
    assert view.questions[0].title == "$1.00 not attributed to a user"
    assert view.questions[0].sentence.startswith("25.0 % of $4.00, 2026-01-01, connection acme")


def test_a_user_table_that_differs_from_the_ledger_is_an_open_question() -> None:
    ledger, users = [(1, "a", "u", "5")], [(1, "a", "u", "4")]
    page = facts_from(spend(ledger), by_user(users), coverage("s"), Restatements.empty(), NOW)
    assert page.views[0].questions[0].title == "The user table differs by -$1.00"


def test_each_connection_has_a_view_and_together_they_add_up() -> None:
    acme, beta = [(1, "a", "u", "1.10")], [(2, "b", None, "2.20")]
    page = facts_from(
        pl.concat([spend(acme), spend(beta, "beta")]),
        pl.concat([by_user(acme), by_user(beta, "beta")]),
        pl.concat([coverage("ss"), coverage("ms", "beta")]),
        Restatements.empty(),
        NOW,
    )
    assert [view.total for view in page.views] == ["$3.30 USD", "$1.10 USD", "$2.20 USD"]
    assert [view.states for view in page.views] == ["ms", "ss", "ms"]
    assert page.views[0].completeness == (
        "Data complete through 2026-01-02, except 1 missing day (2026-01-01) of beta. "
        "No day is provisional."
    )


def test_a_connection_that_was_never_read_does_not_hide_the_other() -> None:
    acme = [(1, "a", "u", "1.10")]
    page = facts_from(
        spend(acme),
        by_user(acme),
        pl.concat([coverage("s"), coverage("m", "beta")]),
        Restatements.empty(),
        NOW,
    )
    assert [view.total for view in page.views] == ["$1.10 USD", "$1.10 USD", "No number yet"]
    assert [len(view.periods) for view in page.views] == [1, 1, 0]
    assert page.views[2].completeness.startswith("No settled day yet; 1 missing day")


@pytest.mark.parametrize("states", ["", "mm"])
def test_without_a_read_day_there_is_no_number(states: str) -> None:
    view = facts([], states).views[0]
    assert view.total == "No number yet"
    assert view.periods == ()


def test_the_page_keeps_the_newest_four_hundred_days() -> None:
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(410)]
    rows = [("acme", "costs", day, "settled", 0, None, None) for day in days]
    read = pl.DataFrame(rows, schema=Coverage.types(), orient="row")
    empty = (Spend.empty(), SpendByUser.empty(), read, Restatements.empty())
    page = facts_from(*empty, datetime(2026, 6, 1, tzinfo=UTC))
    assert (len(page.days), page.hidden_days) == (400, 10)
