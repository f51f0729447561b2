from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html import unescape

import polars as pl
import pytest

from openai_costs.outputs.report.cost_explorer import facts_from, render
from openai_costs.outputs.report.page_data import base36
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.outputs.report.bill import Frames, facts, restated

EVIL = "</script><b>&'\""
LINES = [(1, "proj_a", "user-a", "10.01"), (2, EVIL, None, "0.02")]


def data_of(page: str) -> dict[str, list[dict[str, list[str]]]]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page)
    assert found
    data: dict[str, list[dict[str, list[str]]]] = json.loads(found[1])
    return data


def test_a_name_that_is_markup_stays_a_name() -> None:
    page = render(facts(LINES, "ss", restated(1, "1", "2", EVIL)))
    assert "<b>" not in page
    assert page.count("</script>") == 2
    assert EVIL in data_of(page)["dimensions"][0]["members"]


def test_nothing_is_fetched_and_only_our_own_script_runs() -> None:
    page = render(facts(LINES, "ss"))
    assert "default-src 'none'" in unescape(page)
    assert "unsafe-inline" not in page
    addresses = set(re.findall(r"https?://[^\s\"'<>]+", page))
    assert addresses == {"http://www.w3.org/2000/svg"}  # a namespace, not an address
    assert not re.search(r"\b(src|href|action)=|@import|url\(|fetch\(|XMLHttp", page)
    assert not re.search(r"\sstyle=|\son[a-z]+=", page)


def test_no_mail_address_reaches_the_page() -> None:
    lines = [(1, "team@acme.example", "hyejin.b@acme.example", "1")]
    page = render(facts(lines, "s", restated(1, "1", "2", "bo@acme.example: 1 -> 2")))
    assert not re.search(r"[\w.+-]+@[\w-]+\.\w", page)
    assert "hyejin.b" in page


def test_the_same_facts_give_the_same_bytes() -> None:
    assert render(facts(LINES, "ss")) == render(facts(list(reversed(LINES)), "ss"))


def test_the_numbers_are_in_the_page_without_javascript() -> None:
    page = render(facts(LINES, "ss"))
    for shown in ("$10.03 USD", "<td>10.01</td>", "99.8 %", "No settled day was changed"):
        assert shown in page


def test_an_empty_database_gives_a_sentence() -> None:
    page = render(facts([], ""))
    assert "No number yet" in page
    assert "<table" not in page
    assert "$0.00" not in page.split("<script")[0]


@pytest.mark.parametrize(
    ("lines", "states"), [([], "mm"), ([], "s"), ([(1, "a", "u", "0")], "p"), (LINES, "")]
)
def test_thin_histories_still_make_a_page(
    lines: list[tuple[int, str, str, str]], states: str
) -> None:
    page = render(facts(lines, states))
    assert page.endswith("</html>")


def test_two_ids_with_one_name_are_told_apart() -> None:
    lines = [(1, "ann@one.example", "u", "1"), (1, "ann@two.example", "u", "2")]
    members = facts(lines, "s").dimensions[0].members
    assert len(set(members)) == 2


def test_daily_cents_are_packed_in_base_36() -> None:
    assert base36([0, 35, -36, 0, 0]) == ",z,-10"


def busy_year() -> Frames:
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
    return (
        pl.DataFrame(lines, schema=Spend.types(), orient="row"),
        pl.DataFrame(users, schema=SpendByUser.types()),
        pl.DataFrame(read, schema=Coverage.types(), orient="row"),
        Restatements.empty(),
    )


def test_a_year_of_a_mid_size_organisation_is_under_300_kilobytes() -> None:
    page = render(facts_from(*busy_year(), datetime(2026, 1, 1, tzinfo=UTC)))
    assert len(page.encode()) < 300_000
