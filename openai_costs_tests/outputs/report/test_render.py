from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any

import polars as pl
import pytest

from openai_costs.outputs.report.page_model import Tables, page_model
from openai_costs.outputs.report.render import base36, render
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.org import connected
from openai_costs_tests.outputs.report.bill import NOTHING, page, restated

EVIL = "</script><b>&'\""
LINES = [(1, "proj_a", "user-a", "10.01"), (2, EVIL, None, "0.02")]


def data_of(html: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', html)
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def test_a_name_that_is_markup_stays_a_name() -> None:
    html = render(page(LINES, "ss", restatements=restated(1, "1", "2", EVIL)))
    assert "<b>" not in html
    assert html.count("</script>") == 2
    projects = data_of(html)["views"][0]["periods"][-1]["rankings"][0]
    assert EVIL in [name for _, name, *_ in projects]


def test_nothing_is_fetched_and_only_our_own_script_runs() -> None:
    html = render(page(LINES, "ss"))
    assert "default-src 'none'" in unescape(html)
    assert "unsafe-inline" not in html
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", html))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a namespace, not an address
    assert not re.search(r"\b(src|href|action)=|@import|url\(|fetch\(|XMLHttp", html)
    assert not re.search(r"\sstyle=|\son[a-z]+=", html)


def test_no_mail_address_reaches_the_page() -> None:
    lines = [(1, "team@acme.example", "hyejin.b@acme.example", "1")]
    html = render(page(lines, "s", restatements=restated(1, "1", "2", "bo@acme.example: 1 -> 2")))
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w", html)
    assert "hyejin.b" in html


def test_the_same_tables_give_the_same_bytes() -> None:
    assert render(page(LINES, "ss")) == render(page(list(reversed(LINES)), "ss"))


def test_the_numbers_are_in_the_page_without_javascript() -> None:
    html = render(page(LINES, "ss"))
    for shown in ("$10.03", "<td>10.01</td>", "99.8 %", "has not changed any settled day"):
        assert shown in html


def test_an_empty_database_gives_a_sentence() -> None:
    html = render(page([], ""))
    assert "No data yet" in html
    assert "<table" not in html
    assert "$0.00" not in html.split("<script")[0]


@pytest.mark.parametrize(
    ("lines", "states"), [([], "mm"), ([], "s"), ([(1, "a", "u", "0")], "p"), (LINES, "")]
)
def test_thin_histories_still_make_a_page(
    lines: list[tuple[int, str, str, str]], states: str
) -> None:
    html = render(page(lines, states))
    assert html.endswith("</html>")


def test_two_ids_with_one_name_are_distinct() -> None:
    lines = [(1, "ann@one.example", "u", "1"), (1, "ann@two.example", "u", "2")]
    rows = page(lines, "s").views[0].periods[-1].rankings[0].rows
    assert len({row.cells[0] for row in rows}) == 2


def test_daily_cents_are_packed_in_base_36() -> None:
    assert base36([0, 35, -36, 0, 0]) == ",z,-10"


def busy_year() -> Tables:
    who = ("acme", "openai")
    days = [date(2025, 1, 1) + timedelta(days=i) for i in range(365)]
    places = [(day, n) for day in days for n in range(60)]
    usd = [Decimal((day.toordinal() * 7919 + n * 104729) % 900_000) / 1000 for day, n in places]
    lines = [
        (
            day,
            *who,
            f"proj_{n % 40}",
            None,
            f"key_{n}",
            None,
            None,
            f"model-{n % 30}",
            f"t{n}",
            each,
        )
        for (day, n), each in zip(places, usd, strict=True)
    ]
    said = {"connection": "acme", "provider": "openai", "attribution": "direct"}
    users = [
        {**said, "day": day, "user_id": f"user-{n}", "billed_usd": each}
        for (day, n), each in zip(places, usd, strict=True)
    ]
    read = [("acme", "costs", day, "settled", 60, None, None) for day in days]
    return NOTHING._replace(
        spend=pl.DataFrame(lines, schema=Spend.types(), orient="row"),
        by_user=pl.DataFrame(users, schema=SpendByUser.types()),
        coverage=connected(read),
    )


def test_a_year_of_a_mid_size_organization_is_under_300_kilobytes() -> None:
    html = render(page_model(busy_year(), datetime(2026, 1, 1, tzinfo=UTC)))
    assert len(html.encode()) < 300_000
