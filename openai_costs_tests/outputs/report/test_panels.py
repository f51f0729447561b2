from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from openai_costs.outputs.report.panels import budget_bars, open_findings, restated_days
from openai_costs.outputs.report.render import render
from openai_costs.tables.mart.budget_status import BudgetStatus
from openai_costs.tables.mart.findings import Findings
from openai_costs_tests.outputs.report.bill import by_user, page, restated, spend
from openai_costs_tests.questions.budgets.ledger import budget, counted, status

FIRST, LAST = date(2026, 1, 3), date(2026, 1, 9)
EVIL = "<b onclick=x>"


def finding(name: str, **values: Any) -> dict[str, Any]:  # noqa: ANN401 - any column
    return {
        "finding_id": name,
        "rule": "anomalies.spike",
        "severity": "warning",
        "subject_kind": "api_key",
        "subject_id": f"key_{name}",
        "subject_name": None,
        "connection": "acme",
        "day": LAST,
        "since_day": FIRST,
        "state": "open",
        "impact_usd": Decimal(1),
        "because": "It was.",
    } | values


def findings(*rows: dict[str, Any]) -> pl.DataFrame:
    made = pl.DataFrame(list(rows), infer_schema_length=None)
    absent = [pl.lit(None).alias(name) for name in Findings.types() if name not in made.columns]
    return made.with_columns(absent).select(
        pl.col(name).cast(kind) for name, kind in Findings.types().items()
    )


def test_the_worst_come_first_then_the_dearest_and_only_what_is_open() -> None:
    panel = open_findings(
        findings(
            finding("small"),
            finding("gain", impact_usd=Decimal(-9)),
            finding("bad", severity="critical", impact_usd=None, state="growing"),
            finding("over", state="closed"),
            finding("hushed", state="muted"),
        ),
        ["acme"],
    )
    days = "above expected from 2026-01-03 to 2026-01-09"
    assert [(one.title, one.at_stake) for one in panel.shown] == [
        (f"Spend of API key key_bad was $0.00 {days}", ""),
        (f"Spend of API key key_gain was $9.00 {days}", "-$9.00"),
        (f"Spend of API key key_small was $1.00 {days}", "$1.00"),
    ]
    assert panel.hidden == 0
    assert panel.summary.startswith("3 open findings, 1 muted, most severe first")


def test_a_finding_is_called_by_what_happened_and_its_rule_stands_at_the_end() -> None:
    over = {"rule": "budgets.exceeded", "subject_kind": "budget", "subject_id": "labs/2026-01-01"}
    row = finding("a", subject_name="labs", owner="ana@acme.example", **over)
    (one,) = open_findings(findings(row), ["acme"]).shown
    assert one.title == (
        "Budget labs was $1.00 over its limit on 2026-01-09 (over since 2026-01-03)"
    )
    assert one.note == "owner ana, budgets.exceeded"


def test_a_finding_has_who_should_act_and_its_connection() -> None:
    here = finding("a", owner="labs", outlook="More.")
    everywhere = finding("b", connection="*")
    one, other = open_findings(findings(here, everywhere), ["other", "acme"]).shown
    assert (one.note, other.note) == ("owner labs, anomalies.spike", "anomalies.spike")
    assert (one.connection, other.connection) == (1, None)
    assert (one.because, one.outlook) == ("It was.", "More.")


def test_more_than_a_page_holds_is_counted() -> None:
    panel = open_findings(findings(*(finding(f"{i:02}") for i in range(15))), ["acme"])
    assert (len(panel.shown), panel.hidden) == (12, 3)


def test_a_bar_shows_what_is_spent_expected_and_the_limit_on_one_scale() -> None:
    (bar,) = budget_bars(status(budget("200"), counted()))
    assert (bar.spent, bar.limit, bar.share) == ("$100.00", "$200.00", "50.0 %")
    assert (bar.days, bar.through) == ("2026-11-01 to 2026-11-30", date(2026, 11, 10))
    assert (bar.forecast, bar.state) == ("$300.00", "at_risk")
    assert (bar.spent_width, bar.forecast_width) == (bar.width // 3, bar.width)
    assert bar.limit_at == bar.width * 2 // 3


def test_a_budget_whose_end_is_over_is_not_shown() -> None:
    ended = status(budget(name="ended", end=date(2026, 10, 20)), counted())
    running = status(budget(name="running"), counted())
    assert [one.name for one in budget_bars(pl.concat([ended, running]))] == ["running"]
    assert budget_bars(BudgetStatus.no_rows()) == ()


def test_both_are_on_the_page_as_text() -> None:
    text = render(
        page(
            [(1, "proj_a", "user-a", "1")],
            "s",
            findings=findings(
                finding("a", subject_name=EVIL, because=f"By ana@acme.example {EVIL}"),
                finding("b", state="muted"),
            ),
            budget_status=status(budget(), counted()),
        )
    )
    assert EVIL not in text
    assert "ana@" not in text
    assert "1 open finding, 1 muted, most severe first" in text
    assert 'data-connection="0"' in text
    assert '<h2 id="h-budgets">Budgets</h2>' in text


def test_without_findings_and_budgets_there_is_a_sentence() -> None:
    text = render(page([(1, "proj_a", "user-a", "1")], "s"))
    assert "No open finding." in text
    assert "h-budgets" not in text


def test_a_restated_line_has_names_where_they_are_known() -> None:
    what = (
        "proj_a / user-a / key_gone / gpt-5, output: $1.00 -> $2.00; proj_a / none / none / "
        "proj_a / b: $0.50 -> $0.25; and 3 more lines"
    )
    named = {"proj_a": "Atlas", "user-a": "Ana Silva"}
    (one,) = restated_days(restated(4, "1.50", "2.25", what), ["acme"], named).shown
    assert one.what_changed == (
        "Atlas / Ana Silva / key_gone / gpt-5, output: $1.00 -> $2.00; Atlas / none / none / "
        "Atlas / b: $0.50 -> $0.25; and 3 more lines"
    )


def test_the_page_calls_restated_ids_by_the_names_of_its_tables() -> None:
    lines = [(4, "proj_a", "user-a", "1")]
    text = render(
        page(
            lines,
            "ssss",
            spend=spend(lines).with_columns(project_name=pl.lit("Atlas")),
            by_user=by_user(lines).with_columns(user_name=pl.lit("Ana Silva")),
            restatements=restated(4, "1", "2", "proj_a / user-a / gpt-5: $1.00 -> $2.00"),
        )
    )
    table = text.partition('id="restatements"')[2].partition("</table>")[0]
    assert "proj_a" not in table
    assert "Atlas / Ana Silva / gpt-5" in table
