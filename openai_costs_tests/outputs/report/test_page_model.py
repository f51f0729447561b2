from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape

import polars as pl
import pytest

from openai_costs.outputs.report.page_model import Tables, page_model
from openai_costs.outputs.report.rankings import REST
from openai_costs.outputs.report.render import render
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.report.bill import (
    NOTHING,
    NOW,
    by_user,
    coverage,
    january,
    page,
    restated,
    spend,
    visible,
)

PROJECT, USER = 0, 1
THIRDS = [(1, f"proj_{i}", "user-a", "0.333333333333333333") for i in range(14)]


def test_the_lines_of_a_table_add_up_to_its_total_with_everything_else() -> None:
    ranking = page(THIRDS, "s").views[0].periods[-1].rankings[PROJECT]
    assert ranking.rows[-1].member == REST
    assert ranking.rows[-1].cells[0] == "Everything else (4)"
    assert sum(row.cents for row in ranking.rows) == ranking.total.cents == 467


def test_the_members_of_a_day_add_up_to_its_total() -> None:
    found = page(THIRDS, "s").series[0][PROJECT]
    listed = sum(values[0] for values in found.members.values())
    assert found.total == (467,)
    assert len(found.members) == 10
    assert 0 < found.total[0] - listed <= 4 * 34


def test_every_dimension_has_the_same_total() -> None:
    lines = [(1, "proj_a", "user-a", "1.005"), (2, None, None, "2.005")]
    rankings = page(lines, "ss").views[0].periods[-1].rankings
    assert {ranking.total.cents for ranking in rankings} == {301}


def test_credits_are_listed_and_taken_off_the_total() -> None:
    lines = [(1, "proj_a", "user-a", "10"), (1, None, None, "-4.50")]
    made = page(lines, "s")
    rows = made.views[0].periods[-1].rankings[PROJECT].rows
    assert [row.cells[:2] for row in rows] == [("proj_a", "10.00"), ("(no project)", "-4.50")]
    assert made.views[0].total == "$5.50"


def sixty_days(usd_before: str, usd_now: str) -> Tables:
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
    return NOTHING._replace(
        spend=pl.DataFrame(lines, schema=Spend.types(), orient="row"),
        by_user=pl.DataFrame(users, schema=SpendByUser.types()),
        coverage=connected(read),
    )


def test_the_change_compares_thirty_settled_days_with_the_thirty_before() -> None:
    view = page_model(sixty_days("2", "3"), datetime(2025, 12, 31, tzinfo=UTC)).views[0]
    headline = view.headlines[1]
    assert headline.value == "+$30.00"
    assert headline.note == "+50.0 % from $60.00\n2025-11-01 to 2025-11-30"
    assert view.headlines[0].value == "$90.00"
    assert view.headlines[4].value == "100.0 %"
    assert view.periods[0].rankings[PROJECT].total[:3] == (REST, 9000, 6000)


def test_a_project_that_stopped_stays_in_the_table() -> None:
    view = page_model(sixty_days("2", "0"), datetime(2025, 12, 31, tzinfo=UTC)).views[0]
    (row,) = view.periods[0].rankings[PROJECT].rows
    assert row.cells == ("proj_a", "0.00", "\u2013", "-60.00", "-100.0 %")


def test_dollars_allocated_by_tokens_are_called_an_assumption() -> None:
    users = by_user([(1, "a", "u", "3"), (1, "a", "v", "1")]).with_columns(
        attribution=pl.when(user_id="v").then(pl.lit("allocated")).otherwise("attribution")
    )
    question = page([(1, "a", None, "4")], "s", by_user=users).views[0].questions[0]
    assert question.title == "$1.00 allocated by tokens"
    assert "25.0 % of $4.00" in question.sentence


def test_a_missing_day_is_an_open_question_and_not_a_zero() -> None:
    view = page([(1, "a", "u", "1"), (3, "a", "u", "2")], "sms").views[0]
    assert "except 1 missing day (2026-01-02)" in view.completeness
    assert view.questions[0].title == "1 missing day"
    assert view.questions[0].sentence.endswith("backfill --from 2026-01-02 --to 2026-01-02")
    assert view.headlines[3].value == "$1.50"


def test_today_is_not_missing_before_it_is_over() -> None:
    made = page([(19, "a", "u", "1")], "s" * 19 + "m")
    assert made.days[-1] == date(2026, 1, 19)
    assert made.views[0].questions == ()


def test_provisional_days_count_in_the_month_but_not_in_settled_days() -> None:
    view = page([(1, "a", "u", "1"), (2, "a", "u", "5")], "sp").views[0]
    assert view.headlines[0].value == "$1.00"
    assert view.headlines[2].value == "$6.00"
    assert "1 day is provisional and may still change (2026-01-02)" in view.completeness
    assert "$5.00 so far" in view.questions[0].sentence


def test_a_restatement_says_from_and_to() -> None:
    view = page([(1, "a", "u", "3")], "s", restatements=restated(1, "2.50", "3")).views[0]
    assert view.questions[0].title == "1 restatement of settled days, net +$0.50"
    assert "2026-01-01 changed from $2.50 to $3.00" in view.questions[0].sentence


def test_credits_are_no_charges_with_an_unrecognized_label() -> None:
    lines = [(1, "a", "u", "90"), (1, "b", "u", "2"), *[(1, "c", "u", "-60")] * 3]
    is_named = pl.col("project_id") == "a"
    unnamed = [pl.when(is_named).then(name).alias(name) for name in ("model", "usage_type")]
    view = page(lines, "s", spend=spend(lines).with_columns(unnamed)).views[0]
    assert [one.title for one in view.questions] == [
        "$2.00 with an unrecognized label",
        "-$180.00 in credits and refunds without a model",
    ]


def test_dollars_without_a_user_are_an_open_question() -> None:
    view = page([(1, "a", None, "1"), (1, "a", "u", "3")], "s").views[0]
    assert view.questions[0].title == "$1.00 not attributed to a user"
    assert view.questions[0].sentence == (
        "25.0 % of $4.00, 2026-01-01: no user, key owner or token usage identifies who spent it. "
        "Included in every total."
    )


def test_a_user_table_that_differs_from_the_ledger_is_an_open_question() -> None:
    made = page([(1, "a", "u", "5")], "s", by_user=by_user([(1, "a", "u", "4")]))
    assert made.views[0].questions[0].title == "The total by user differs by -$1.00"


def two_connections(acme: str, beta: str) -> Tables:
    """acme was billed 1.10, and beta 2.20 if it was read; days as letters."""
    one, other = [(1, "a", "u", "1.10")], [(2, "b", None, "2.20")] if "s" in beta else []
    return NOTHING._replace(
        spend=pl.concat([spend(one), spend(other, "beta")]),
        by_user=pl.concat([by_user(one), by_user(other, "beta")]),
        coverage=pl.concat([coverage(acme), coverage(beta, "beta")]),
    )


def test_each_connection_has_a_view_and_together_they_add_up() -> None:
    made = page_model(two_connections("ss", "ms"), NOW)
    assert [view.total for view in made.views] == ["$3.30", "$1.10", "$2.20"]
    assert [view.states for view in made.views] == ["ms", "ss", "ms"]
    assert made.views[0].completeness == (
        "Data complete through 2026-01-02, except 1 missing day (2026-01-01) of beta. "
        "No day is provisional."
    )


def test_with_several_connections_every_number_names_its_own() -> None:
    every, acme, beta = page_model(two_connections("ss", "ms"), NOW).views
    assert {one.note.splitlines()[-1] for one in every.headlines} == {"connections acme, beta"}
    assert {one.note.splitlines()[-1] for one in acme.headlines} == {"connection acme"}
    assert every.questions[0].title == beta.questions[0].title == "1 missing day, connection beta"
    assert every.questions[0].sentence.endswith("--connection beta")


def test_a_connection_that_was_never_read_does_not_hide_the_other() -> None:
    made = page_model(two_connections("s", "m"), NOW)
    assert [view.total for view in made.views] == ["$1.10", "$1.10", "No data yet"]
    assert [len(view.periods) for view in made.views] == [1, 1, 0]
    assert made.views[2].completeness.startswith("No settled day yet; 1 missing day")


@pytest.mark.parametrize("states", ["", "mm"])
def test_without_a_read_day_there_is_no_number(states: str) -> None:
    view = page([], states).views[0]
    assert view.total == "No data yet"
    assert view.periods == ()
    assert view.notice == ""


def read_for_nothing(*usd: str | None) -> pl.DataFrame:
    """mart.coverage of settled days with these control totals."""
    rows = [
        ("acme", "costs", january(i), "settled", 0, None if one is None else Decimal(one), None)
        for i, one in enumerate(usd, start=1)
    ]
    return connected(rows)


def test_an_organization_that_was_billed_nothing_is_reported_as_read_and_questioned() -> None:
    projects = pl.DataFrame(
        [dict.fromkeys(Projects.types()) | {"connection": "acme", "name": "Default project"}],
        schema=Projects.types(),
    )
    made = page([], "s", coverage=read_for_nothing(*["0"] * 8), projects=projects)
    view = made.views[0]
    assert view.total == "$0.00"
    assert view.notice == (
        "$0.00 was billed to connection acme on all 8 settled days read (2026-01-01 to "
        "2026-01-08). Projects of its organization: Default project. Is this the right "
        "organization? An admin key reads only its own."
    )
    assert view.notice in unescape(render(made))
    assert "Nothing has been read" not in visible(render(made))


@pytest.mark.parametrize("usd", [("0", "1"), ("0", None)], ids=["some spend", "an unknown day"])
def test_an_organization_with_spend_or_an_unknown_day_is_not_asked_about(
    usd: tuple[str | None, ...],
) -> None:
    assert page([], "s", coverage=read_for_nothing(*usd)).views[0].notice == ""


def test_two_projects_of_one_name_are_two_rows() -> None:
    lines = spend([(1, "proj_n3", "u", "10.50"), (1, "proj_n4", "u", "13.50")])
    named = lines.with_columns(project_name=pl.lit("Atlas"))
    rows = page([], "s", spend=named).views[0].periods[-1].rankings[PROJECT].rows
    assert [row.cells[:2] for row in rows] == [
        ("Atlas \u00b7 roj_n4", "13.50"),
        ("Atlas \u00b7 roj_n3", "10.50"),
    ]


def test_the_page_keeps_the_newest_four_hundred_days() -> None:
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(410)]
    rows = [("acme", "costs", day, "settled", 0, None, None) for day in days]
    read = connected(rows)
    made = page_model(NOTHING._replace(coverage=read), datetime(2026, 6, 1, tzinfo=UTC))
    assert (len(made.days), made.hidden_days) == (400, 10)
