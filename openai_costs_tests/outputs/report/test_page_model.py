from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import TYPE_CHECKING

import polars as pl
import pytest

from openai_costs.outputs.report.page_model import page_model
from openai_costs.outputs.report.render import render
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.report.bill import (
    NOW,
    attribution,
    coverage,
    january,
    of,
    of_rows,
    page,
    restated,
    spend,
    tables,
)

if TYPE_CHECKING:
    from openai_costs.outputs.report.page_tables import Tables


def test_dollars_allocated_by_tokens_are_called_an_assumption() -> None:
    users = attribution([(1, "a", "u", "3"), (1, "a", "v", "1")]).with_columns(
        attribution=pl.when(user_id="v").then(pl.lit("allocated")).otherwise("attribution")
    )
    question = page([(1, "a", None, "4")], "s", attribution=users).questions[0]
    assert question.title == "$1.00 allocated by tokens"
    assert "25.0 % of $4.00" in question.sentence


def test_a_missing_day_is_an_open_question_and_not_a_zero() -> None:
    view = page([(1, "a", "u", "1"), (3, "a", "u", "2")], "sms")
    assert "except 1 missing day (2026-01-02)" in view.completeness
    assert view.questions[0].title == "1 missing day"
    assert view.questions[0].sentence.endswith("backfill --from 2026-01-02 --to 2026-01-02")


def test_today_is_not_missing_before_it_is_over() -> None:
    made = page([(19, "a", "u", "1")], "s" * 19 + "m")
    assert made.days[-1] == date(2026, 1, 19)
    assert made.questions == ()


def test_provisional_days_count_in_the_month_but_not_in_settled_days() -> None:
    view = page([(1, "a", "u", "1"), (2, "a", "u", "5")], "sp")
    assert view.first.month.spent == "$6.00"
    assert view.first.month.outlook is not None
    assert view.first.month.outlook.spent_usd == 1
    assert "1 day is provisional and may still change (2026-01-02)" in view.completeness
    assert "$5.00 so far" in view.questions[0].sentence


def test_a_restatement_says_from_and_to() -> None:
    view = page([(1, "a", "u", "3")], "s", restatements=restated(1, "2.50", "3"))
    assert view.questions[0].title == "1 restatement of settled days, net +$0.50"
    assert "2026-01-01 changed from $2.50 to $3.00" in view.questions[0].sentence


def test_the_net_of_restatements_is_of_exact_dollars_and_of_the_bill_alone() -> None:
    metered = restated(3, "0", "90").with_columns(cost_basis=pl.lit("metered"))
    first, second, again = (
        restated(n, "1", usd) for n, usd in ((1, "1.004"), (2, "1.004"), (2, "1"))
    )
    later = again.with_columns(pl.col("seen_at").dt.offset_by("1d"))
    view = page(
        [(1, "a", "u", "1")], "sss", restatements=pl.concat([first, second, later, metered])
    )
    assert view.questions[0].title == "3 restatements of settled days, net +$0.01"
    assert "2 days restated, +$0.01" in [one.text for one in view.first.trust]
    assert [one.change_usd for one in view.restated] == list(map(Decimal, ("0", "0.004", "0.004")))


def test_the_total_by_user_differs_by_exact_dollars() -> None:
    def found(by_user: str, by_project: str) -> list[str]:
        users = attribution([(1, "a", "u", by_user)])
        asked = page([(1, "a", "u", by_project)], "s", attribution=users).questions
        return [one.title for one in asked]

    assert found("1.0049", "1.0051") == []
    assert found("1.0051", "0.9949") == ["The total by user differs by +$0.01"]


def test_credits_are_no_charges_with_an_unrecognized_label() -> None:
    lines = [(1, "a", "u", "90"), (1, "b", "u", "2"), *[(1, "c", "u", "-60")] * 3]
    is_named = pl.col("project_id") == "a"
    unnamed = [pl.when(is_named).then(name).alias(name) for name in ("model", "usage_type")]
    view = page(lines, "s", spend=spend(lines).with_columns(unnamed))
    assert [one.title for one in view.questions] == [
        "$2.00 with an unrecognized label",
        "-$180.00 in credits and refunds without a model",
    ]


def test_dollars_without_a_user_are_an_open_question() -> None:
    view = page([(1, "a", None, "1"), (1, "a", "u", "3")], "s")
    assert view.questions[0].title == "$1.00 not attributed to a user"
    assert view.questions[0].sentence == (
        "25.0 % of $4.00, 2026-01-01: no user, key owner or token usage identifies who spent it. "
        "Included in every total."
    )


def test_a_user_table_that_differs_from_the_ledger_is_an_open_question() -> None:
    made = page([(1, "a", "u", "5")], "s", attribution=attribution([(1, "a", "u", "4")]))
    assert made.questions[0].title == "The total by user differs by -$1.00"


def two_connections(acme: str, beta: str) -> Tables:
    """acme was billed 1.10, and beta 2.20 if it was read; days as letters."""
    one, other = [(1, "a", "u", "1.10")], [(2, "b", None, "2.20")] if "s" in beta else []
    return of_rows(
        spend=pl.concat([spend(one), spend(other, "beta")]),
        attribution=pl.concat([attribution(one), attribution(other, "beta")]),
        coverage=pl.concat([coverage(acme), coverage(beta, "beta")]),
    )


def test_two_connections_add_up_and_each_missing_day_names_its_own() -> None:
    made = page_model(two_connections("ss", "ms"), NOW)
    assert (made.total, made.connections) == ("$3.30", ("acme", "beta"))
    assert made.completeness == (
        "Data complete through 2026-01-02, except 1 missing day (2026-01-01) of beta. "
        "No day is provisional."
    )
    assert made.questions[0].title == "1 missing day, connection beta"
    assert made.questions[0].sentence.endswith("--connection beta")
    assert made.data is not None
    assert made.data["states"] == "ms"


def test_dollars_without_a_user_name_the_bill_that_most_of_them_are_on() -> None:
    bill = {"connection": "beta", "host": "google", "day": date(2026, 1, 1), "cause": "agrees"}
    bills = of(PriceCheck, bill | {"billed_usd": Decimal("2.20")})
    made = two_connections("s", "s")._replace(price_check=bills)
    asked = page_model(made, NOW, {"google": "Google names no user."}).questions
    sentence = next(one.sentence for one in asked if "not attributed" in one.title)
    assert sentence.endswith(
        "Included in every total. $2.20, connection beta: Google names no user."
    )


def test_a_day_that_its_provider_has_deleted_is_lost_and_no_one_is_asked_to_read_it() -> None:
    lost = coverage("ms").with_columns(
        reason=pl.when(pl.col("state") == "missing").then(pl.lit("The provider deletes days."))
    )
    asked = page([(2, "a", "u", "1")], "ms", coverage=lost).questions
    assert [one.title for one in asked] == ["1 lost day"]
    assert "backfill" not in asked[0].sentence


def test_a_connection_that_was_never_read_does_not_hide_the_other() -> None:
    made = page_model(two_connections("s", "m"), NOW)
    assert made.total == "$1.10"
    assert made.completeness.startswith("No settled day yet; 1 missing day")


@pytest.mark.parametrize("states", ["", "mm"])
def test_without_a_read_day_there_is_no_number(states: str) -> None:
    view = page([], states)
    assert view.total == "No data yet"
    assert view.data is None
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
    view = made
    assert view.total == "$0.00"
    assert view.notice == (
        "$0.00 was billed to connection acme on all 8 settled days read (2026-01-01 to "
        "2026-01-08). Projects of its organization: Default project. Is this the right "
        "organization? An admin key reads only its own."
    )
    assert view.notice in unescape(render(made))
    assert "Nothing has been read" not in render(made)


def test_a_connection_that_is_counted_as_another_is_named_with_what_to_do() -> None:
    why = "Connection 'acme-2' reads org-a, which 'acme' reads too. Remove one of the two."
    known = tables([(1, "a", "u", "1")], "s")._replace(counted_elsewhere={"acme-2": why})
    made = page_model(known, NOW)
    assert made.notice == why
    assert why in unescape(render(made))


@pytest.mark.parametrize("usd", [("0", "1"), ("0", None)], ids=["some spend", "an unknown day"])
def test_an_organization_with_spend_or_an_unknown_day_is_not_asked_about(
    usd: tuple[str | None, ...],
) -> None:
    assert page([], "s", coverage=read_for_nothing(*usd)).notice == ""


def test_two_projects_of_one_name_are_two_members() -> None:
    lines = [(1, "proj_n3", "u", "10.50"), (1, "proj_n4", "u", "13.50")]
    named = attribution(lines).with_columns(project_name=pl.lit("Atlas"))
    data = page(lines, "s", attribution=named).data
    assert data is not None
    project = next(one for one in data["dimensions"] if one["id"] == "project")
    assert project["names"] == ("(no project)", "Atlas \u00b7 roj_n3", "Atlas \u00b7 roj_n4")
    assert project["ids"] == ("~none", "proj_n3", "proj_n4")


def test_the_page_keeps_the_newest_eight_hundred_days() -> None:
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(810)]
    rows = [("acme", "costs", day, "settled", 0, None, None) for day in days]
    read = connected(rows)
    made = page_model(of_rows(coverage=read), datetime(2027, 6, 1, tzinfo=UTC))
    assert (len(made.days), made.hidden_days) == (800, 10)
