"""The ten-second screen: the month, what moved it, what to decide, to save, to believe."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from openai_costs.outputs.report.finding_rows import decisions, findings_section, scopes_of
from openai_costs.outputs.report.judged import Judged
from openai_costs.outputs.report.money_sections import largest_savings
from openai_costs.outputs.report.page_model import FirstScreen, page_model
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.report.bill import of, of_rows
from openai_costs_tests.questions.budgets.ledger import budget, counted, status

if TYPE_CHECKING:
    from collections.abc import Collection

    from openai_costs.outputs.report.month import Month
    from openai_costs.outputs.report.month_budget import BudgetLine
    from openai_costs.settings import Budget

FIRST, LAST = date(2026, 9, 1), date(2026, 11, 10)
JUDGED = Judged(
    is_settled=True, is_judged=True, waiting=(), found_in=("unusual spend",), not_looked_for=()
)
NOW = datetime(2026, 11, 11, 9, tzinfo=UTC)


def line(day: date, user: str | None, usd: str, model: str = "gpt-5") -> dict[str, Any]:
    return {
        "day": day,
        "connection": "acme",
        "provider": "openai",
        "user_id": user,
        "model": model,
        "usage_type": "input",
        "billed_usd": Decimal(usd),
        "attribution": "direct" if user else "unattributed",
    }


def screen(
    *lines: dict[str, Any],
    missing: date | None = None,
    last: date = LAST,
    provisional: Collection[date] = (),
    **others: pl.DataFrame,
) -> FirstScreen:
    """Ten dollars a day of ana since September, and the lines."""
    days = [FIRST + timedelta(days=i) for i in range((last - FIRST).days + 1)]
    rows = [*(line(day, "ana", "10") for day in days if day != missing), *lines]
    words = dict.fromkeys(days, "settled") | dict.fromkeys(provisional, "provisional")
    states = [
        ("acme", "costs", day, "missing" if day == missing else words[day], 1, None, None)
        for day in days
    ]
    made = of_rows(
        spend=of(Spend, *rows),
        attribution=of(SpendAttribution, *rows),
        coverage=connected(states),
        **others,
    )
    return page_model(made, NOW).first


def test_the_month_is_so_far_by_its_end_and_against_the_same_days_before() -> None:
    month = screen(line(LAST, "bo", "7.50"), line(date(2026, 10, 31), "bo", "999")).month
    assert (month.name, month.spent, month.through) == ("November", "$107.50", "through 10 Nov")
    assert (month.change, month.change_note) == ("+$7.50", "+7.5 % from $100.00")
    assert month.before == "Same days of October"
    assert month.expected_by == "Expected by 30 Nov"
    assert month.band.startswith("80 % range: $")


def test_the_change_is_of_exact_dollars_as_what_moved_it_is() -> None:
    first = screen(line(LAST, "ana", "0.004"), line(date(2026, 10, 1), "ana", "-0.004"))
    assert (first.month.spent, first.month.change) == ("$100.00", "+$0.01")
    assert [one.change for one in first.movers.shown] == ["+$0.01"]


def test_on_the_first_of_a_month_the_forecast_knows_the_newest_settled_day_and_none_later() -> None:
    def month(usd: str) -> Month:
        return screen(
            line(date(2026, 10, 31), "bo", usd),
            last=date(2026, 11, 1),
            provisional=(date(2026, 10, 31), date(2026, 11, 1)),
        ).month

    made = month("5")
    assert made.name == "November"
    assert made.band.endswith("from settled days through 30 Oct")
    assert made.expected == month("5000").expected == "$300.00"


def test_dollars_of_later_days_above_all_that_is_expected_are_named_as_left_out_of_it() -> None:
    few = screen(provisional=[LAST]).month
    assert few.band.endswith("; from settled days through 9 Nov")
    much = screen(line(LAST, "ana", "5000"), provisional=[LAST]).month
    assert (much.spent, much.expected) == ("$5,100.00", few.expected)
    assert much.band == f"{few.band}, without $5,010.00 of later days"


def test_days_that_were_not_all_read_are_not_compared() -> None:
    first = screen(missing=date(2026, 10, 3))
    assert first.month.change == "\u2013"
    assert first.movers.shown == ()
    assert first.trust[0].text == "1 day missing"


def test_causes_are_people_by_name_and_add_up_with_the_rest() -> None:
    lines = [line(LAST, name, usd) for name, usd in (("bo", "5"), ("cy", "4"), ("di", "3"))]
    moved = screen(*lines, line(LAST, "ed", "2"), line(LAST, None, "1")).movers
    assert [(one.name, one.change) for one in moved.shown] == [
        ("bo", "+$5.00"),
        ("cy", "+$4.00"),
        ("di", "+$3.00"),
    ]
    assert moved.rest == "Everything else: +$3.00"
    assert moved.shown[0].address == (
        "#by=model&from=2026-11-01&to=2026-11-10&compare=last_month&user=bo"
    )


def test_each_cause_has_the_cents_of_its_view_and_the_rest_those_that_are_left() -> None:
    lines = [line(LAST, name, f"{usd}.006") for name, usd in (("bo", 5), ("cy", 4), ("di", 3))]
    moved = screen(*lines, line(LAST, "ed", "2.006")).movers
    assert [one.change for one in moved.shown] == ["+$5.01", "+$4.01", "+$3.01"]
    assert moved.rest == "Everything else: +$1.99"


def test_where_people_explain_little_something_else_is_named() -> None:
    lines = [line(LAST, None, "9", "gpt-6"), line(LAST, "bo", "1")]
    moved = screen(*lines).movers
    assert (moved.shown[0].name, moved.note.partition(",")[0]) == ("gpt-6", "By model")


def test_a_budget_of_all_spend_stands_below_the_numbers() -> None:
    over = screen(budget_status=status(budget("95"), counted())).month.budget
    assert over is not None
    assert (
        over.sentence
        == "105.3 % of budget all, $95.00, settled days through 10 Nov: exceeded on 10 Nov"
    )
    assert screen().month.budget is None


def test_a_budget_of_one_connection_is_not_the_budget_of_all_spend() -> None:
    assert screen(budget_status=status(budget(connection="aws"), counted())).month.budget is None


def budget_on(last: date, *budgets: Budget, open_days: int = 1) -> BudgetLine | None:
    """The budget below the month on a day; it and the days before it may still change."""
    moving = [last - timedelta(days=i) for i in range(open_days)]
    rows = pl.concat(status(one, counted(last, moving=moving)) for one in budgets)
    return screen(last=last, provisional=moving, budget_status=rows).month.budget


def test_before_a_day_of_the_month_has_settled_no_older_month_stands_for_it() -> None:
    """On 1 and 2 November, with all of October settled, and with its last day open."""
    for last, limit, then in (
        (date(2026, 11, 1), "400", "October: 77.5 %, on track"),
        (
            date(2026, 11, 2),
            "290",
            "October, settled days through 30 Oct: 103.4 %, exceeded on 30 Oct",
        ),
    ):
        line = budget_on(last, budget(limit), open_days=last.day + (limit == "290"))
        assert line is not None
        assert (
            line.sentence == f"No settled day of November yet for budget all, ${limit}.00 ({then})"
        )
        assert (line.state, line.spent, line.forecast) == ("incomplete", 0, 0)


def test_from_the_first_settled_day_on_the_budget_is_of_the_month_that_is_shown() -> None:
    line = budget_on(date(2026, 11, 2), budget("400"))
    assert line is not None
    assert line.sentence == "2.5 % of budget all, $400.00, settled days through 1 Nov: on track"


def test_a_budget_of_months_comes_before_fuller_ones_of_other_periods_which_name_their_days() -> (
    None
):
    year, week = budget("3500", name="year", period="yearly"), budget("80", period="weekly")
    both = budget_on(LAST, year, budget("3500", name="month"))
    assert both is not None
    assert "budget month, $3,500.00, settled days through 9 Nov: on track" in both.sentence
    alone, monday = budget_on(LAST, year), budget_on(date(2026, 11, 9), week)
    assert alone is not None
    assert alone.sentence.startswith(
        "28.9 % of budget year, $3,500.00 for 2026-01-01 to 2026-12-31, settled days through 9 Nov:"
    )
    assert monday is not None
    assert monday.sentence == (
        "No settled day after 2026-11-08 yet for budget all, $80.00 "
        "(2026-11-02 to 2026-11-08: 87.5 %, on track)"
    )


def test_a_budget_that_ended_before_the_newest_settled_day_is_not_shown() -> None:
    ended = budget("400", end=date(2026, 10, 31))
    assert budget_on(date(2026, 11, 2), ended) is None


def finding(name: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
    return {
        "finding_id": name,
        "rule": "anomalies.spike",
        "severity": "warning",
        "subject_kind": "api_key",
        "subject_id": f"key_{name}",
        "connection": "acme",
        "day": LAST,
        "since_day": date(2026, 11, 3),
        "state": "open",
        "impact_usd": Decimal(1),
        "because": "It was.",
        "docs": "docs/alerts.md#anomalies-spike",
    } | values


LATE = {"rule": "data.late", "subject_kind": "source"}
OVER = {"rule": "budgets.exceeded", "subject_kind": "budget", "severity": "critical"}


def test_at_most_five_decisions_the_worst_first_and_one_per_subject() -> None:
    rows = of(
        Findings,
        *(finding(f"{i}") for i in range(6)),
        finding("b1", **OVER, subject_id="labs/2026-11-01", owner="ana@acme.example"),
        finding("b2", **OVER, subject_id="labs/2026-11-01/80%"),
        finding("over", state="closed"),
        finding("hushed", state="muted"),
    )
    labs = status(budget(name="labs", scope="team", id="labs"), counted())
    shown, more = decisions(rows, scopes_of(labs))
    assert (len(shown), more) == (5, 3)
    assert shown[0].owner == "ana"
    assert shown[0].title.startswith("Budget labs")
    assert shown[0].address.endswith("&to=2026-11-10&team=labs")
    assert shown[1].address.endswith("&api_key=key_0")


def test_findings_of_two_connections_about_one_id_are_two_and_name_the_connection() -> None:
    rows = of(
        Findings,
        *(finding(name, subject_id="key_1", connection=name) for name in ("one", "two")),
        *(
            finding(f"late_{name}", **LATE, connection=name, subject_id="costs")
            for name in ("one", "two")
        ),
        finding("other", connection="two"),
    )
    shown, more = decisions(rows, {})
    titles = [one.title for one in shown]
    assert (len(titles), more) == (5, 0)
    places = {one.partition(", connection ")[2] for one in titles if "key_1" in one}
    assert places == {"one", "two"}
    assert sum(", connection " in one for one in titles) == len(places)
    assert sum("Late data from" in one for one in titles) == len(places)
    section = findings_section(rows, {}, JUDGED)
    assert [row.cells[0].text for row in section.rows] == titles


def test_the_section_has_every_finding_closed_ones_last_with_how_to_mute_open_ones() -> None:
    rows = of(Findings, finding("over", state="closed"), finding("a"), finding("m", state="muted"))
    section = findings_section(rows, {}, JUDGED)
    assert [row.anchor for row in section.rows] == ["finding-a", "finding-m", "finding-over"]
    assert section.summary.startswith("1 open, 1 muted, 1 closed.")
    assert "openai-costs mute a " in section.rows[0].about
    assert "mute" not in section.rows[2].about
    assert findings_section(Findings.no_rows(), {}, JUDGED).summary == JUDGED.no_finding


def test_savings_are_the_largest_of_the_newest_day_and_link_to_their_subject() -> None:
    def saving(day: date, subject: str, usd: str) -> dict[str, Any]:
        return {
            "day": day,
            "period_start": day - timedelta(days=29),
            "connection": "acme",
            "rule": "optimization.batch_or_flex",
            "subject_kind": "api_key",
            "subject": f"{subject} gpt-5",
            "subject_name": subject,
            "model": "gpt-5",
            "billed_usd": Decimal(9),
            "saving_usd": Decimal(usd),
        }

    older = saving(LAST - timedelta(days=1), "old", "99")
    newest = [saving(LAST, f"key_{i}", f"{i}") for i in range(5)]
    shown, more = largest_savings(of(Optimization, older, *newest))
    assert [one.usd for one in shown] == ["$4.00", "$3.00", "$2.00"]
    assert more == 1
    assert shown[0].text == "Use batch or flex: key_4, gpt-5"
    assert shown[0].address.endswith("&connection=acme&model=gpt-5&api_key=key_4")
    other = saving(LAST, "key_4", "4") | {"connection": "beta"}
    both, _ = largest_savings(of(Optimization, *newest, other))
    places = {one.text.partition(", gpt-5")[2] for one in both if "key_4" in one.text}
    assert places == {", connection acme", ", connection beta"}
