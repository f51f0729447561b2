"""The sample organisation, end to end, through the real client and the real assets.

Two connections see the same organisation: `tidewater` may combine users with projects, `harbour`
may not and is `costs_only`. It is read once before a day is restated, and once after.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import duckdb
import polars as pl
import pytest

from openai_costs.jobs import REBUILD
from openai_costs.sample.options import USUAL
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.org import (
    EMPTY_DAY,
    FIRST_DAY,
    NOW,
    ORGANISATION,
    RESTATED_DAY,
    SETTLED_NOT_RESTATED,
    TODAY,
    House,
    Ran,
    added,
    connection,
    day,
    days,
    files,
    house,
    usd,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

NAMES: Final = ("tidewater", "harbour")
NEVER: Final = replace(USUAL, combine_user="never", text_amounts_before=day(15))
ALWAYS: Final = replace(USUAL, text_amounts_before=day(15))
SETTLED: Final = days(FIRST_DAY, day(21))
ALL_DAYS: Final = days(FIRST_DAY, TODAY)


class Told(NamedTuple):
    """The story, with its two runs and every request that was sent."""

    house: House
    before: Ran
    after: Ran
    asked: dict[str, list[tuple[str, str]]]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    made = house(tmp_path_factory.mktemp("story") / "home", *NAMES)
    made.connections = (connection("tidewater"), connection("harbour", access="costs_only"))
    made.serve("tidewater", options=ALWAYS)
    made.serve("harbour", options=NEVER)
    before = made.at(SETTLED_NOT_RESTATED).run(FIRST_DAY, SETTLED_NOT_RESTATED.date())
    after = made.at(NOW).run(FIRST_DAY, TODAY)
    asked = {name: made.asked(name) for name in NAMES}
    return Told(made, before, after, asked)


@pytest.fixture(scope="module")
def tables(told: Told) -> dict[str, pl.DataFrame]:
    return {table.full_name(): told.house.lake.read(table) for table in all_contracts()}


@pytest.fixture
def published(told: Told) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(told.house.published), read_only=True) as sql:
        yield sql


@cache
def billed(when: date) -> dict[tuple[str | None, ...], Decimal]:
    """What the invented company spent, by the four dimensions: the truth the tables must equal."""
    lines: dict[tuple[str | None, ...], Decimal] = {}
    for line in ORGANISATION.ledger(when, NOW):
        said = (line.project_id, line.user_id, line.api_key_id, line.line_item)
        key = tuple(name or None for name in said)
        lines[key] = lines.get(key, Decimal(0)) + line.amount
    return lines


def on_the_page(house: House, name: str, part: str, when: date) -> Decimal:
    """The sum of a kept page's amounts, straight from its bytes."""
    bucket = json.loads(house.newest(name, when).bodies[part], parse_float=Decimal)
    return added(Decimal(result["amount"]["value"]) for result in bucket["results"])


def test_both_runs_are_green_and_only_the_day_without_rows_is_remarked_on(told: Told) -> None:
    assert told.before.is_green, told.before.failures
    assert told.after.is_green, told.after.failures
    for ran in (told.before, told.after):
        objections = [(one.check, one.severity, one.day) for one in ran.objections]
        assert objections == [("rows_arrived", "WARN", str(EMPTY_DAY))]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("when", SETTLED, ids=str)
def test_six_sums_of_a_settled_day_are_one_number(
    told: Told, tables: dict[str, pl.DataFrame], name: str, when: date
) -> None:
    sums = {
        "ledger page": on_the_page(told.house, name, "ledger", when),
        "control page": on_the_page(told.house, name, "control", when),
        **{
            table.full_name(): usd(tables[table.full_name()], name, when)
            for table in (Ledger, UserView, SpendControl, Spend, SpendByUser)
        },
    }
    assert sums == dict.fromkeys(sums, added(billed(when).values()))
    assert tables["core.spend_control"].filter(connection=name, day=when)["is_settled"].all()


def test_the_ledger_is_the_bill_line_by_line(tables: dict[str, pl.DataFrame]) -> None:
    rows = tables["core.spend"].filter(connection="tidewater")
    columns = ("day", "project_id", "user_id", "api_key_id", "line_item", "billed_usd")
    found = {tuple(row[:5]): row[5] for row in rows.select(columns).iter_rows()}
    assert found == {
        (when, *key): amount for when in ALL_DAYS for key, amount in billed(when).items()
    }


def test_the_company_spent_what_it_spent(tables: dict[str, pl.DataFrame]) -> None:
    settled = tables["mart.spend"].filter(pl.col("day") <= day(21))
    by_connection = dict(settled.group_by("connection").agg(pl.col("billed_usd").sum()).rows())
    assert by_connection == dict.fromkeys(NAMES, Decimal("4312.3397187"))


@pytest.mark.parametrize("name", NAMES)
def test_the_restated_day_is_recorded_with_its_change_and_its_lines(
    tables: dict[str, pl.DataFrame], name: str
) -> None:
    found = tables["mart.restatements"].filter(connection=name)
    assert found.select("day", "change_usd", "lines_changed").rows() == [
        (RESTATED_DAY, Decimal("22.80"), 2)
    ]
    row = found.row(0, named=True)
    assert row["current_usd"] - row["previous_usd"] == Decimal("22.80")
    assert row["current_usd"] == usd(tables["core.spend"], name, RESTATED_DAY)
    assert row["previous_read_at"] == SETTLED_NOT_RESTATED.replace(tzinfo=None)
    assert row["seen_at"] == NOW.replace(tzinfo=None)
    grown, gone = row["what_changed"].split("; ")
    assert "key_route_prod / gpt-5.4-2026-03-05, output: " in grown
    assert "key_search_kaveh / gpt-5-search-api-2025-10-14, output: " in gone


@pytest.mark.parametrize("name", NAMES)
def test_a_day_without_rows_is_settled_at_zero(tables: dict[str, pl.DataFrame], name: str) -> None:
    control = tables["core.spend_control"].filter(connection=name, day=EMPTY_DAY)
    assert control.select("billed_usd", "is_settled").rows() == [(Decimal(0), True)]
    state = tables["mart.coverage"].filter(connection=name, day=EMPTY_DAY)
    assert state.select("state", "rows", "billed_usd").rows() == [("settled", 0, Decimal(0))]
    assert tables["core.spend"].filter(connection=name, day=EMPTY_DAY).is_empty()
    assert tables["mart.spend"].filter(connection=name, day=EMPTY_DAY).is_empty()


@pytest.mark.parametrize("name", NAMES)
def test_today_and_a_yesterday_that_may_still_move_are_provisional(
    tables: dict[str, pl.DataFrame], name: str
) -> None:
    states = tables["mart.coverage"].filter(connection=name).select("day", "state").rows()
    assert states == [
        *((when, "settled") for when in SETTLED),
        (day(22), "provisional"),
        (TODAY, "provisional"),
    ]


def test_spend_of_the_organisation_itself_keeps_its_missing_project(
    tables: dict[str, pl.DataFrame],
) -> None:
    of_nobody = tables["core.spend"].filter(pl.col("project_id").is_null())
    truth = {(when, key[3]) for when in ALL_DAYS for key in billed(when) if key[0] is None}
    assert truth
    assert set(of_nobody.select("day", "line_item").rows()) == truth
    assert "" not in tables["core.spend"]["project_id"].to_list()


def test_either_ladder_gives_the_same_dollars(tables: dict[str, pl.DataFrame]) -> None:
    ledger, users = tables["mart.spend"], tables["mart.spend_by_user"]
    for rows in (ledger, users):
        mine, theirs = (rows.filter(connection=name).drop("connection") for name in NAMES)
        assert mine.equals(theirs)
        assert mine.height > 0


def test_the_ledger_remembers_with_which_grouping_it_was_read(
    tables: dict[str, pl.DataFrame],
) -> None:
    found = tables["core.spend"].select("connection", "grouping").unique().sort("connection")
    assert found.rows() == [
        ("harbour", "project_id,api_key_id,line_item"),
        ("tidewater", "project_id,user_id,api_key_id,line_item"),
    ]


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_ever_asked_but_get_costs_over_the_whole_graph(told: Told, name: str) -> None:
    assert set(told.asked[name]) == {("GET", "/v1/organization/costs")}


def test_a_range_takes_a_handful_of_requests(told: Told) -> None:
    # Two reads a range; the second connection asks for users apart, and was refused once.
    assert {name: len(told.asked[name]) for name in NAMES} == {"tidewater": 4, "harbour": 7}


@pytest.mark.parametrize("table", all_contracts(), ids=lambda table: table.full_name())
def test_what_is_published_is_what_the_lake_holds(
    tables: dict[str, pl.DataFrame], published: duckdb.DuckDBPyConnection, table: type[Ledger]
) -> None:
    found = published.sql(f"FROM {table.full_name()}")
    assert found.columns == list(table.types())
    held = tables[table.full_name()].rows()
    assert sorted(map(repr, found.fetchall())) == sorted(map(repr, held))


@pytest.fixture(scope="module")
def again(told: Told, tmp_path_factory: pytest.TempPathFactory) -> House:
    copy = told.house.moved_to(tmp_path_factory.mktemp("again") / "home")
    copy.at(NOW)
    for name, options in zip(NAMES, (ALWAYS, NEVER), strict=True):
        copy.serve(name, options=options)
    ran = copy.run(FIRST_DAY, TODAY)
    assert ran.is_green, ran.failures
    return copy


def test_a_refresh_twice_is_a_refresh_once_byte_for_byte(told: Told, again: House) -> None:
    assert files(again.home, "lake") == files(told.house.home, "lake")


def test_a_refresh_twice_publishes_the_same_rows(told: Told, again: House) -> None:
    assert read_published(again) == read_published(told.house)


def test_a_grouping_once_refused_is_not_asked_for_again(again: House) -> None:
    assert len(again.asked("harbour")) == 3


@pytest.fixture(scope="module")
def rebuilt(told: Told, tmp_path_factory: pytest.TempPathFactory) -> House:
    """A home of which only `raw/` is left, rebuilt with no network."""
    copy = told.house.moved_to(tmp_path_factory.mktemp("rebuilt") / "home")
    for folder in ("lake", "published", "report"):
        shutil.rmtree(f"{copy.home}/{folder}")
    copy.silence()
    ran = copy.at(NOW).run(FIRST_DAY, TODAY, job=REBUILD)
    assert ran.is_green, ran.failures
    return copy


def test_tables_are_rebuilt_from_raw_alone_byte_for_byte(told: Told, rebuilt: House) -> None:
    assert files(rebuilt.home, "lake") == files(told.house.home, "lake")


def test_a_rebuild_publishes_the_same_rows(told: Told, rebuilt: House) -> None:
    assert read_published(rebuilt) == read_published(told.house)


def test_a_rebuild_leaves_the_evidence_as_it_was(told: Told, rebuilt: House) -> None:
    assert files(rebuilt.home, "raw") == files(told.house.home, "raw")


def test_no_key_is_in_any_file(told: Told) -> None:
    for path, content in files(told.house.home, ".").items():
        assert b"sk-admin" not in content, path


def read_published(house: House) -> dict[str, list[str]]:
    """Every published table's rows, in an order that does not depend on the file."""
    names = [table.full_name() for table in (*all_contracts(), Restatements, Coverage)]
    with duckdb.connect(str(house.published), read_only=True) as sql:
        return {
            name: sorted(map(repr, sql.sql(f"FROM {name}").fetchall()))
            for name in dict.fromkeys(names)
        }
