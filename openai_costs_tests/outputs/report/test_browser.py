"""The page in a browser: every control, and each total against SQL on the published tables."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import duckdb
import polars as pl
import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.outputs.report.page_model import page_model
from openai_costs.outputs.report.render import render
from openai_costs_tests.conftest import DEMO_NOON
from openai_costs_tests.outputs.report.bill import (
    NOW,
    attribution,
    coverage,
    page,
    read_while_running,
    running,
    spend,
    steady,
    tables,
)
from openai_costs_tests.outputs.report.browser import chromium

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from openai_costs.storage.lake import Lake

AXE: Final = Path(__file__).parent / "axe" / "axe.min.js"
TODAY: Final = DEMO_NOON.date()
MONTH: Final = (TODAY.replace(day=1), TODAY)
RANGE: Final = f"from={MONTH[0]}&to={MONTH[1]}"
IN_SEARCH: Final = "team = 'search' AND model = 'gpt-4.1-2025-04-14'"
VIOLATIONS: Final = """
axe.run().then(all => all.violations.map(one => [one.id, one.nodes.map(n => n.html)]))
"""
EVIL: Final = "</script><img src=x onerror=alert(1)>=1+1"
COLUMNS: Final = {"user": "user_id", "api_key": "api_key_id", "project": "project_id"}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as made:
        yield made


@pytest.fixture(scope="module")
def home(told_demo: tuple[Lake, str]) -> Path:
    return Path(str(told_demo[0].root)).parent


@pytest.fixture(scope="module")
def sql(home: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(home / DATABASE), read_only=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def tab(browser: Browser, home: Path) -> Iterator[Page]:
    yield from opened(browser, home / PAGE)


def opened(browser: Browser, file: Path, **options: Any) -> Iterator[Page]:  # noqa: ANN401 - Playwright's
    """A tab that fails the test by any message on its console."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, **options)
    made = context.new_page()
    messages: list[str] = []
    made.on("console", lambda message: messages.append(message.text))
    made.on("pageerror", lambda error: messages.append(str(error)))
    made.on(
        "request",
        lambda one: None if one.url.startswith(("file:", "blob:")) else messages.append(one.url),
    )
    made.goto(file.as_uri())
    made.wait_for_selector("html[data-ready]")
    yield made
    assert messages == []
    context.close()


def is_of_the_network(url: str) -> bool:
    return not url.startswith(("file:", "blob:"))


def show(tab: Page, address: str) -> None:
    """Change the address, as a link does; the page changes without being loaded again."""
    tab.evaluate("address => { location.hash = address }", address)
    drawn(tab, "address => location.hash === address", address)


def drawn(tab: Page, address: str, arg: str | None = None) -> None:
    """Wait until the address is as a function says, and the page is drawn, which it is after it."""
    tab.wait_for_function(address, arg=arg)
    tab.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")


def usd(tab: Page, selector: str = "#total") -> Decimal:
    return Decimal(tab.get_attribute(selector, "data-usd") or "")


def rows(tab: Page) -> dict[str, Decimal]:
    pairs = tab.eval_on_selector_all(
        "#breakdown tbody tr[data-id]", "all => all.map(one => [one.dataset.id, one.dataset.usd])"
    )
    return {key: Decimal(value) for key, value in pairs}


def asked(sql: duckdb.DuckDBPyConnection, by: str, where: str = "TRUE") -> dict[str, Decimal]:
    column = COLUMNS.get(by, by)
    found = sql.sql(
        f"SELECT coalesce({column}, '~none'), sum(billed_usd) FROM mart.spend_attribution "  # noqa: S608 - ours
        f"WHERE day BETWEEN '{MONTH[0]}' AND '{MONTH[1]}' AND {where} GROUP BY ALL"
    )
    return {key: value for key, value in found.fetchall() if value}


@pytest.mark.parametrize(
    ("by", "filters", "where"),
    [
        ("user", "", "TRUE"),
        ("team", "", "TRUE"),
        ("provider", "", "TRUE"),
        ("connection", "", "TRUE"),
        ("project", "team=labs", "team = 'labs'"),
        ("model", "user=user-hyejin,user-jonas", "user_id IN ('user-hyejin', 'user-jonas')"),
        ("api_key", "user=~none", "user_id IS NULL"),
        (
            "usage_type",
            "team=search&model=gpt-4.1-2025-04-14",
            IN_SEARCH,
        ),
    ],
)
def test_every_row_and_the_total_are_what_sql_adds_up(
    tab: Page, sql: duckdb.DuckDBPyConnection, by: str, filters: str, where: str
) -> None:
    show(tab, f"#by={by}&{RANGE}{'&' * bool(filters)}{filters}")
    expected = asked(sql, by, where)
    assert {key: value for key, value in rows(tab).items() if value} == expected
    assert usd(tab) == sum(expected.values())


def test_the_total_of_a_tier_is_that_of_the_ledger(
    tab: Page, sql: duckdb.DuckDBPyConnection
) -> None:
    show(tab, f"#by=service_tier&{RANGE}")
    found = sql.sql(
        "SELECT coalesce(service_tier, '~none'), sum(billed_usd) FROM core.spend "  # noqa: S608 - ours
        f"WHERE day BETWEEN '{MONTH[0]}' AND '{MONTH[1]}' GROUP BY ALL"
    )
    assert {key: value for key, value in rows(tab).items() if value} == dict(found.fetchall())


def test_without_a_range_every_day_is_in_view_and_tokens_are_those_of_the_usage_report(
    tab: Page, sql: duckdb.DuckDBPyConnection
) -> None:
    show(tab, "#by=model&unit=requests")
    ((whole,),) = sql.sql("SELECT sum(billed_usd) FROM mart.spend").fetchall()
    ((requests,),) = sql.sql("SELECT sum(num_model_requests) FROM core.usage").fetchall()
    assert usd(tab) == whole
    assert f"Requests: {requests:,}." in tab.inner_text("#total-note")


def test_a_cache_hit_share_is_of_input_whose_cached_part_is_known(
    tab: Page, sql: duckdb.DuckDBPyConnection
) -> None:
    show(tab, "#by=model&unit=cache_share")
    ((share,),) = sql.sql(
        "SELECT round(100 * sum(input_cached_tokens) / sum(input_tokens), 1) FROM core.usage "
        "WHERE input_cached_tokens IS NOT NULL"
    ).fetchall()
    assert f"Cache hits: {share:.1f} %." in tab.inner_text("#total-note")


@pytest.mark.parametrize(("chart", "mark"), [("bars", "path.mark"), ("treemap", "g.cell")])
def test_a_click_on_the_chart_narrows_to_what_was_clicked(tab: Page, chart: str, mark: str) -> None:
    show(tab, f"#by=user&{RANGE}&chart={chart}")
    before = usd(tab)
    tab.locator(f"#drawing {mark}").first.dispatch_event("click")
    drawn(tab, "/[&]user=/.test(location.hash)")
    assert 0 < usd(tab) < before


@pytest.mark.parametrize("by", ["model", "user", "api_key"])
def test_the_largest_are_drawn_in_different_hues(tab: Page, by: str) -> None:
    show(tab, f"#by={by}&from=2000-01-01&to={TODAY}")
    drawn = tab.locator("#chart path.mark").evaluate_all("all => all.map(one => one.classList[1])")
    hues = [int(one.removeprefix("hue-")) % 8 for one in drawn if one[-1].isdecimal()]
    assert len(hues) > 4
    assert len(set(hues)) == len(hues)


def test_a_cell_of_the_heat_map_narrows_to_a_person_on_a_day(tab: Page) -> None:
    show(tab, f"#by=user&{RANGE}&chart=heatmap")
    box = tab.locator("#drawing").bounding_box() or {}
    tab.mouse.click(box["x"] + 600, box["y"] + 30)
    drawn(tab, "/&user=/.test(location.hash)")
    first, last = (tab.input_value(name) for name in ("#from", "#to"))
    assert first == last
    assert tab.inner_text("#readout") == ""


def test_a_part_of_a_treemap_narrows_to_both(tab: Page) -> None:
    show(tab, f"#by=team&then=user&{RANGE}&chart=treemap")
    tab.locator("#drawing g.cell:not(.whole)").first.click()
    drawn(tab, "/team=.+&user=/.test(location.hash)")
    assert tab.inner_text("#chips").startswith("Team")


def test_the_order_of_the_table_is_in_the_address(tab: Page) -> None:
    show(tab, f"#by=user&{RANGE}")
    for key, order in (("sort=tokens", "descending"), ("sort=tokens.up", "ascending")):
        tab.locator("#breakdown th.tokens button").press("Enter")
        drawn(tab, "key => location.hash.endsWith(key)", key)
        tab.wait_for_selector(f"#breakdown th.tokens[aria-sort={order}]")  # drawn after the address
        assert tab.get_attribute("#breakdown th.tokens", "aria-sort") == order
        assert tab.evaluate("document.activeElement.textContent") == "Tokens"
    tokens = tab.locator("#breakdown tbody td.tokens").all_inner_texts()
    counts = [int(one.replace(",", "").replace("\u2013", "0")) for one in tokens]
    assert counts == sorted(counts)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("#by=__proto__&then=constructor&unit=toString&sort=constructor", ""),
        ("#by=user&user=%E0%A4%A&from=9999-99-99", "Nothing is in view"),
        ("#by=user&from=2020-01-01&to=2020-02-01", "Nothing is in view"),
        ("#by=user&team=__proto__,%3Cimg%20src=x%3E", "Nothing is in view"),
    ],
)
def test_a_hostile_address_breaks_nothing(tab: Page, address: str, shown: str) -> None:
    show(tab, address)
    assert tab.inner_text("#table-note").startswith(shown)
    assert ("This page has only" in tab.inner_text("#total-note")) == ("from=2020" in address)


@pytest.mark.parametrize("chart", ["bars", "lines", "treemap&then=user", "heatmap"])
@pytest.mark.parametrize(
    ("days", "shown"),
    [
        ("from=2027-01-01&to=2027-01-31", "2027-01-01 to 2027-01-31"),
        ("from=2025-01-31&to=2025-01-01", "2025-01-01 to 2025-01-31"),
        ("from=2027-01-01", "2027-01-01"),
        ("to=2025-01-31", "2025-01-31"),
        ("from=0001-01-01&to=2025-01-31", "0001-01-01 to 2025-01-31"),
    ],
)
def test_days_that_the_page_does_not_have_cost_nothing_and_are_compared_with_none(
    tab: Page, chart: str, days: str, shown: str
) -> None:
    show(tab, f"#by=team&{days}&grain=week&compare=previous&chart={chart}")
    assert tab.inner_text("#total") == "$0.00"
    assert rows(tab) == {}
    assert tab.inner_text("#total-note").startswith(f"{shown}. This page has only ")
    assert f"{TODAY}" in tab.inner_text("#total-note")
    note = tab.inner_text("#table-note")
    assert note.startswith(f"Not compared: no day of {shown} was over when it was read. Nothing is")
    assert [tab.input_value(name) for name in ("#from", "#to")] == [shown[:10], shown[-10:]]


def test_a_row_narrows_back_widens_and_the_address_is_the_state(tab: Page) -> None:
    show(tab, f"#by=team&{RANGE}")
    before = usd(tab)
    row = tab.locator("#breakdown tbody tr[data-id=labs]")
    part = Decimal(row.get_attribute("data-usd") or "")
    row.locator("a, button").first.click()
    drawn(tab, "location.hash.includes('team=labs')")
    assert usd(tab) == part
    assert tab.inner_text("#chips").split() == ["Team", "labs", "\u00d7"]
    tab.go_back()
    drawn(tab, "!location.hash.includes('team=labs')")
    assert usd(tab) == before


def test_a_row_opens_to_its_parts_which_add_up_to_it(tab: Page) -> None:
    show(tab, f"#by=team&then=user&{RANGE}")
    row = tab.locator("#breakdown tbody tr[data-id=labs]")
    row.locator("button.open").click()
    parts = tab.eval_on_selector_all("tr.part", "all => all.map(one => one.dataset.partUsd)")
    assert sum(map(Decimal, parts)) == Decimal(row.get_attribute("data-usd") or "")
    row.locator("button.open").click()
    assert tab.locator("tr.part").count() == 0


def test_the_same_days_of_the_month_before_are_compared_exactly(
    tab: Page, sql: duckdb.DuckDBPyConnection
) -> None:
    show(tab, f"#by=user&{RANGE}&compare=last_month")
    assert tab.locator("#breakdown thead th").all_inner_texts()[3:7] == [
        "1 Nov to 22 Nov, USD",
        "1 Oct to 22 Oct, USD",
        "Change",
        "Change %",
    ]
    assert "against" in tab.inner_text("#total-note")
    assert set(asked(sql, "user")) <= set(rows(tab))
    assert usd(tab) == sum(asked(sql, "user").values())
    show(tab, f"#by=user&{RANGE}&compare=last_year")
    assert tab.inner_text("#table-note").startswith("Not compared: not every day of")


def test_what_moved_the_month_is_the_change_that_its_link_opens(tab: Page) -> None:
    moved = tab.locator("ol.movers li")
    for each in moved.all():
        change = each.locator(".usd").inner_text()
        show(tab, each.locator("a").get_attribute("href") or "")
        assert tab.inner_text("#total-note").startswith(f"{change} (")
    assert moved.count() == 3


def test_the_view_of_a_budget_has_the_dollars_of_its_row(tab: Page) -> None:
    budgets = tab.locator("#budgets tbody tr")
    for each in budgets.all():
        spent = each.locator("td").nth(1).inner_text()
        show(tab, each.locator("a").get_attribute("href") or "")
        assert tab.inner_text("#total") == spent
    assert budgets.count() > 1


def test_csv_has_what_is_shown_with_every_digit(tab: Page) -> None:
    show(tab, f"#by=team&then=model&{RANGE}&compare=last_month")
    with tab.expect_download() as download:
        tab.click("#export-csv")
    lines = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    assert sum(Decimal(line["billed_usd"]) for line in lines) == usd(tab)
    assert {"team", "team_name", "model", "from", "to", "comparable_usd", "compared_usd"} <= set(
        lines[0]
    )


def test_every_control_changes_the_address_and_the_view(tab: Page) -> None:
    show(tab, f"#by=team&{RANGE}")
    for name in ("lines", "treemap", "heatmap", "bars"):
        tab.locator(f"#charts input[value={name}]").check(force=True)
        assert ("chart=" + name in tab.url) == (name != "bars")
        assert tab.locator("#drawing svg").count() == 1
    for grain in ("week", "month"):
        tab.locator(f"#grains input[value={grain}]").check(force=True)
        assert f"grain={grain}" in tab.url
    for unit in ("tokens", "requests", "usd_per_million", "cache_share", "batch_share", "usd"):
        tab.select_option("#unit", unit)
    for kind in ("previous", "last_month", "none"):
        tab.select_option("#compare", kind)
    tab.select_option("#by", "model")
    tab.select_option("#then", "user")
    assert "by=model&then=user" in tab.url
    tab.click("#ranges button:has-text('90 d')")
    tab.fill("#from", str(MONTH[0]))
    tab.dispatch_event("#from", "change")
    assert f"from={MONTH[0]}" in tab.url
    tab.click("#filter summary")
    tab.select_option("#filter-dimension", "team")
    tab.locator("#choices label", has_text="labs").locator("input").check()
    tab.locator("#choices label", has_text="search").locator("input").check()
    assert "team=labs,search" in tab.url
    tab.click("#filter summary")
    tab.locator("#chips button").click()
    assert "team=" not in tab.url


def test_search_finds_a_person_by_keyboard(tab: Page) -> None:
    show(tab, f"#by=team&{RANGE}")
    tab.fill("#search", "hyejin")
    tab.press("#search", "ArrowDown")
    tab.press("#search", "Enter")
    drawn(tab, "location.hash.includes('user=user-hyejin')")
    assert tab.inner_text("#chips").startswith("User")


def test_the_chart_is_read_by_keyboard_and_a_flag_says_what_happened(tab: Page) -> None:
    show(tab, f"#by=user&{RANGE}")
    tab.focus("#drawing")
    tab.keyboard.press("ArrowRight")
    assert "$" in tab.inner_text("#readout")
    tab.locator("#drawing a.flag").first.focus()
    assert "against expected" in tab.inner_text("#card")
    tab.keyboard.press("Escape")
    assert tab.is_hidden("#card")


@pytest.mark.parametrize("chart", ["bars", "lines", "heatmap"])
def test_nothing_in_a_chart_is_marked_before_it_is_read(tab: Page, chart: str) -> None:
    show(tab, f"#by=team&chart={chart}&from={MONTH[1]}&to={MONTH[1]}")
    mark = tab.locator("#drawing .here")
    assert not mark.is_visible()
    tab.focus("#drawing")
    tab.keyboard.press("ArrowRight")
    assert mark.is_visible()
    inside, whole = mark.bounding_box(), tab.locator("#drawing svg").bounding_box()
    assert inside
    assert whole
    assert inside["x"] >= whole["x"]


def test_a_finding_and_a_section_have_addresses(tab: Page) -> None:
    show(tab, f"#by=user&{RANGE}")
    row = tab.locator("#findings tbody tr[id]").first
    show(tab, f"#{row.get_attribute('id')}")
    assert tab.locator("tr.target").count() == 1
    tab.locator("#findings tbody tr a").first.click()
    drawn(tab, "location.hash.includes('by=')")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 768, 1440])
def test_nothing_is_wider_than_the_screen_and_axe_has_no_objection(
    tab: Page,
    width: int,
    scheme: Any,  # noqa: ANN401 - Playwright's literal
) -> None:
    tab.set_viewport_size({"width": width, "height": 900})
    tab.emulate_media(color_scheme=scheme)
    show(tab, f"#by=user&then=model&{RANGE}&compare=last_month&team=labs")
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    if (width, scheme) in {(390, "dark"), (1440, "light")}:
        tab.evaluate(AXE.read_text(encoding="utf-8"))
        found = tab.evaluate(VIOLATIONS)
        assert found == []


def test_a_name_that_is_markup_or_a_formula_stays_text(browser: Browser, tmp_path: Path) -> None:
    lines = [(1, EVIL, "=cmd()", "1.000000000000000001"), (2, "b", "@x", "2")]
    named = attribution(lines).with_columns(user_name="user_id")
    file = tmp_path / "page.html"
    file.write_text(
        render(page(lines, "ss", spend=spend(lines), attribution=named)), encoding="utf-8"
    )
    for made in opened(browser, file):
        show(made, "#by=project&then=user")
        assert usd(made) == Decimal("3.000000000000000001")
        assert made.locator("#breakdown img").count() == 0
        with made.expect_download() as download:
            made.click("#export-csv")
        written = Path(download.value.path()).read_text("utf-8")
        assert "'=cmd()" in written
        assert ",=cmd()" not in written


def test_dates_of_which_some_were_not_read_are_compared_for_the_other_connections_only(
    browser: Browser, tmp_path: Path
) -> None:
    """A connection that began in between has no same days, and is no growth."""
    acme, beta = [(day, "a", "u", "2") for day in range(1, 5)], [(4, "b", "v", "5")]
    made = tables(
        acme,
        "ssss",
        spend=pl.concat([spend(acme), spend(beta, "beta")]),
        attribution=pl.concat([attribution(acme), attribution(beta, "beta")]),
        coverage=pl.concat([coverage("ssss"), coverage("mmms", "beta")]),
    )
    file = tmp_path / "page.html"
    file.write_text(render(page_model(made, NOW)), encoding="utf-8")
    for tab in opened(browser, file):
        show(tab, "#by=user&from=2026-01-03&to=2026-01-04&compare=previous")
        assert tab.inner_text("#table-note").startswith(
            "Not compared: not every day of 2026-01-03 to 2026-01-04 and of 2026-01-01 to "
            "2026-01-02 was read from beta after its end. Compare the others."
        )
        assert "against" not in tab.inner_text("#total-note")
        tab.click("#table-note a")
        drawn(tab, "location.hash.endsWith('&connection=acme')")
        assert tab.inner_text("#total-note").startswith("$0.00 (0.0 %) against 2026-01-01")


def test_a_whole_month_is_compared_with_as_many_days_of_a_longer_one(
    browser: Browser, tmp_path: Path
) -> None:
    last = date(2026, 11, 30)
    made = steady(("acme", "10", DayRange(date(2026, 10, 1), last), ()), settled=last)
    file = tmp_path / "page.html"
    file.write_text(render(page_model(made, datetime(2026, 12, 1, tzinfo=UTC))), encoding="utf-8")
    for tab in opened(browser, file):
        show(tab, "#by=user&from=2026-11-01&to=2026-11-30&compare=last_month")
        note = tab.inner_text("#total-note")
        assert note.startswith("$0.00 (0.0 %) against 2026-10-01 to 2026-10-30.")


@pytest.mark.parametrize(
    ("kind", "from_day", "then"),
    [
        ("last_month", "2026-12-01", "2026-11-01 to 2026-11-02"),
        ("previous", "2026-12-01", "2026-11-29 to 2026-11-30"),
        ("last_month", "2026-11-01", "2026-10-01 to 2026-11-02"),
    ],
)
def test_the_running_day_is_in_the_total_and_compared_with_no_whole_day(
    browser: Browser, tmp_path: Path, kind: str, from_day: str, then: str
) -> None:
    day = date(2026, 12, 3)
    file = tmp_path / "page.html"
    file.write_text(render(page_model(read_while_running(day, "1.25"), NOW)), encoding="utf-8")
    for tab in opened(browser, file):
        show(tab, f"#by=user&from={from_day}&to=2026-12-03&compare={kind}")
        assert tab.inner_text("#total").endswith("1.25")
        ours = f"{from_day} to 2026-12-02"
        note = tab.inner_text("#total-note")
        assert f" of {ours} against {then}. {from_day} to 2026-12-03" in note
        assert tab.inner_text("#table-note").startswith(
            f"Compared are {ours} with {then}: later days were not complete when they were read."
        )
        if kind == "previous" or from_day == "2026-12-01":
            assert note.startswith("$0.00 (0.0 %)")
            row = tab.locator("#breakdown tbody tr td").all_inner_texts()
            assert row[:6] == ["21.25", "100.0 %", "20.00", "20.00", "0.00", "0.0 %"]


def test_parts_of_a_row_are_compared_on_the_days_of_the_row(
    browser: Browser, tmp_path: Path
) -> None:
    """The day is over at one connection: where both are in view, it is compared of none."""
    last = date(2026, 12, 3)
    days = DayRange(date(2026, 11, 1), last)
    made = steady(("acme", "10", days, ()), ("late", "7", days, ()), settled=date(2026, 12, 1))
    file = tmp_path / "page.html"
    file.write_text(render(page_model(running(made, last, "late"), NOW)), encoding="utf-8")
    for tab in opened(browser, file):
        show(tab, "#by=connection&then=user&from=2026-12-01&to=2026-12-03&compare=last_month")
        row = tab.locator("#breakdown tbody tr[data-id=acme]")
        row.locator("button.open").click()
        part = tab.locator("tr.part td").all_inner_texts()
        assert part[:5] == row.locator("td").all_inner_texts()[:5]
        assert part[0:5:2] == ["30.00", "20.00", "0.00"]


def test_a_view_of_the_running_day_alone_is_compared_with_nothing(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "page.html"
    made = read_while_running(date(2026, 12, 1), "1.25")
    file.write_text(render(page_model(made, NOW)), encoding="utf-8")
    for tab in opened(browser, file):
        show(tab, "#by=user&from=2026-12-01&to=2026-12-01&compare=last_month")
        assert tab.inner_text("#table-note").startswith(
            "Not compared: no day of 2026-12-01 was over when it was read."
        )
        assert "against" not in tab.inner_text("#total-note")


def test_a_longer_month_is_compared_through_the_last_day_that_the_month_before_has(
    browser: Browser, tmp_path: Path
) -> None:
    last = date(2026, 12, 31)
    made = steady(("acme", "10", DayRange(date(2026, 11, 1), last), ()), settled=last)
    file = tmp_path / "page.html"
    file.write_text(render(page_model(made, datetime(2027, 1, 1, tzinfo=UTC))), encoding="utf-8")
    for tab in opened(browser, file):
        show(tab, "#by=user&from=2026-12-01&to=2026-12-31&compare=last_month")
        assert tab.inner_text("#total-note").startswith(
            "$0.00 (0.0 %) of 2026-12-01 to 2026-12-30 against 2026-11-01 to 2026-11-30."
        )
        assert "the month then had no more days" in tab.inner_text("#table-note")


def test_the_shown_cents_of_every_column_of_a_comparison_add_up_to_its_total(
    browser: Browser, tmp_path: Path
) -> None:
    """Each row alone is rounded up; a half per mille goes to the even tenth of a percent."""
    then = [(1, "a", name, "0.406") for name in "uvw"]
    now = [(2, "a", name, "0.812") for name in "uvw"]
    more = [(1, "a", "x", "158.782"), (2, "a", "x", "207.564")]
    file = tmp_path / "page.html"
    file.write_text(render(page([*then, *now, *more], "ss")), encoding="utf-8")
    for tab in opened(browser, file):
        show(tab, "#by=user&from=2026-01-02&to=2026-01-02&compare=previous")
        for column, total in (("usd", "210.00"), ("then", "160.00"), ("change", "+50.00")):
            cells = tab.locator(f"#breakdown tbody td.{column}").all_inner_texts()
            assert sum(map(Decimal, cells)) == Decimal(total)
            assert tab.inner_text(f"#breakdown tfoot td.{column}") == total
        assert tab.inner_text("#breakdown tfoot td.percent") == "+31.2 %"
        assert tab.inner_text("#total-note").startswith("+$50.00 (+31.2 %) against")


def test_the_shown_cents_of_parts_add_up_to_those_of_their_row(
    browser: Browser, tmp_path: Path
) -> None:
    lines = [(1, project, user, "0.333") for project in "ab" for user in "uv"]
    file = tmp_path / "page.html"
    file.write_text(render(page(lines, "s")), encoding="utf-8")
    for tab in opened(browser, file):
        show(tab, "#by=user&then=project&from=2026-01-01&to=2026-01-01")
        assert tab.locator("#breakdown tbody td.usd").all_inner_texts() == ["0.67", "0.66"]
        for user, cents in (("v", ["0.34", "0.33"]), ("u", ["0.33", "0.33"])):
            button = tab.locator(f"#breakdown tbody tr[data-id={user}] button.open")
            button.click()
            assert tab.locator("tr.part td.usd").all_inner_texts() == cents
            button.click()
