from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

from openai_costs.outputs.report.page_model import page_model
from openai_costs.outputs.report.render import render
from openai_costs.tables.mart.findings import Findings
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.report.bill import attribution, of, of_rows, page, restated, spend
from openai_costs_tests.outputs.report.test_first_screen import finding

if TYPE_CHECKING:
    from openai_costs.outputs.report.page_tables import Tables

EVIL = "</script><b onclick=x>&'\""
LINES = [(1, "proj_a", "user-a", "10.01"), (2, EVIL, None, "0.02")]


def data_of(html: str) -> dict[str, Any]:
    embedded = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert embedded
    data: dict[str, Any] = json.loads(embedded[1])
    return data


def test_a_name_that_is_markup_stays_a_name() -> None:
    odd = of(Findings, finding("a", subject_name=EVIL, because=f"By ana@acme.example {EVIL}"))
    html = render(page(LINES, "ss", restatements=restated(1, "1", "2", EVIL), findings=odd))
    assert "<b " not in html
    assert html.count("</script>") == 2
    project = next(one for one in data_of(html)["dimensions"] if one["id"] == "project")
    assert EVIL in project["names"]


def test_nothing_is_fetched_and_only_our_own_script_runs() -> None:
    html = render(page(LINES, "ss"))
    assert "default-src 'none'" in unescape(html)
    assert "unsafe-inline" not in html
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", html))
    assert addresses <= {"http://www.w3.org/2000/svg", "https://litellm.example.com&#34;"}
    assert not re.search(r"\b(src|action)=|@import|url\((?!\"#)|fetch\(|XMLHttp", html)
    assert set(re.findall(r'href="(.)', html)) == {"#"}
    assert not re.search(r"<[^>]*\s(style|on[a-z]+)=", html.partition("<script")[0])


def test_no_mail_address_reaches_the_page() -> None:
    lines = [(1, "team@acme.example", "hyejin.b@acme.example", "1")]
    html = render(page(lines, "s", restatements=restated(1, "1", "2", "bo@acme.example: 1 -> 2")))
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w", html)
    assert "hyejin.b" in html


def test_the_same_tables_give_the_same_bytes() -> None:
    assert render(page(LINES, "ss")) == render(page(list(reversed(LINES)), "ss"))


def test_the_answers_are_in_the_page_without_javascript() -> None:
    html = render(page(LINES, "ss")).partition("<script")[0]
    assert '<p class="big" id="month-so-far">$10.03</p>' in html
    for text in (
        "January so far",
        "day that was read again had changed",
        "No budgets. Add one to",
    ):
        assert text in html


def test_an_empty_database_gives_a_sentence() -> None:
    html = render(page([], ""))
    assert "No data yet" in html
    assert "<table" not in html
    assert "$0.00" not in html.split("<script", maxsplit=1)[0]


def test_invented_data_says_so() -> None:
    assert "invented data" not in render(page(LINES, "ss"))
    made = of_rows(spend=spend(LINES), attribution=attribution(LINES))
    shown = render(page_model(made, datetime(2026, 1, 5, tzinfo=UTC), is_invented=True))
    assert '<p class="invented">invented data</p>' in shown


@pytest.mark.parametrize(
    ("lines", "states"), [([], "mm"), ([], "s"), ([(1, "a", "u", "0")], "p"), (LINES, "")]
)
def test_thin_histories_still_make_a_page(
    lines: list[tuple[int, str, str, str]], states: str
) -> None:
    html = render(page(lines, states))
    assert html.endswith("</html>")


def test_a_restated_line_has_names_where_they_are_known() -> None:
    lines = [(4, "proj_a", "user-a", "1")]
    named = attribution(lines).with_columns(
        project_name=pl.lit("Atlas"), user_name=pl.lit("Ana Silva")
    )
    what = "proj_a / user-a / key_gone / gpt-5: $1.00 -> $2.00; and 3 more lines"
    html = render(page(lines, "ssss", attribution=named, restatements=restated(4, "1", "2", what)))
    table = html.partition('id="restatements"')[2].partition("</table>")[0]
    assert "proj_a" not in table
    assert "Atlas / Ana Silva / key_gone / gpt-5" in table


def busy_year(rows_a_day: int) -> Tables:
    """A year of a large organization, with amounts of 18 decimals that no two rows share."""
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(365)]
    places = [(day, n) for day in days for n in range(rows_a_day)]
    nth = [(day.toordinal() * 7919 + n) * 104_729_000_003 % 10**20 for day, n in places]
    lines = [
        {
            "day": day,
            "connection": "acme",
            "provider": "openai",
            "project_id": f"proj_{n % 40}",
            "api_key_id": f"key_{n % 300}",
            "user_id": f"user-{n % 200}",
            "model": f"model-{n % 30}",
            "usage_type": f"t{n % 6}",
            "billed_usd": Decimal((day.toordinal() * 7919 + n) * 104_729_000_003 % 10**20).scaleb(
                -18
            ),
            "attribution": "direct",
        }
        for (day, n), units in zip(places, nth, strict=True)
    ]
    read = [("acme", "costs", day, "settled", 60, None, None) for day in days]
    return of_rows(attribution=of(SpendAttribution, *lines), coverage=connected(read))


def test_a_row_takes_twenty_bytes_at_most_so_that_200_000_are_under_five_megabytes() -> None:
    rows = 40 * 365
    html = render(page_model(busy_year(40), datetime(2026, 1, 1, tzinfo=UTC)))
    fixed = len(render(page(LINES, "ss")).encode())
    assert (len(html.encode()) - fixed) / rows < 20


def test_credits_are_in_the_totals_as_the_footer_says() -> None:
    made = page([(1, "a", "u", "9"), (1, "a", None, "-4")], "s")
    assert made.first.month.spent == "$5.00"
    assert "Dollars as billed, credits and taxes of the bill included" in render(made)
