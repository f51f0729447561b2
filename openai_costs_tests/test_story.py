"""The sample organisation, end to end, through the real client and the real assets.

Three connections see organizations that spend the same: `tidewater` may combine users with
projects, `ferry` and `harbour` may not, and `harbour` is `costs_only`. It is read once before a
day is restated and once after, each time with the directory, and then the marts take the names of
now and every question is answered. Between the two a key is deleted that goes on to be billed;
usage of the first days is told the way it once was.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

import dagster as dg
import duckdb
import polars as pl
import pytest

from openai_costs.kernel.days import midnight
from openai_costs.orchestration.event_log import unrecorded
from openai_costs.orchestration.jobs import DERIVE, DIRECTORY, REBUILD, REFRESH
from openai_costs.outputs.publish.rounded import ROUNDED
from openai_costs.outputs.report import page_bill
from openai_costs.outputs.report.cost_explorer import read_tables
from openai_costs.outputs.report.explorer_data import page_facts
from openai_costs.sample.api.options import SAMPLE_ADMIN_KEY, USUAL
from openai_costs.sample.setup import PROJECTS_OF_TEAMS
from openai_costs.settings import Team
from openai_costs.sources.openai.connection import ALLOWED
from openai_costs.sources.openai.usage.endpoints import USAGE_ENDPOINTS
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser
from openai_costs_tests.org import (
    EMPTY_DAY,
    FACTS,
    FIRST_DAY,
    NOW,
    ORGANISATION,
    RESTATED_DAY,
    SETTLED_NOT_RESTATED,
    TODAY,
    House,
    Ran,
    account_of,
    added,
    connection,
    day,
    days,
    files,
    house,
    organisation_of,
    stored,
    usd,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from openai_costs.sample.company.organisation import Organisation

NAMES: Final = ("tidewater", "ferry", "harbour")
FULL: Final = ("tidewater", "ferry")
DELETED: Final = "key_finance_freya"
OLD_WAYS: Final = day(15)
ALWAYS: Final = replace(USUAL, text_amounts_before=OLD_WAYS, plain_usage_before=OLD_WAYS)
NEVER: Final = replace(ALWAYS, combine_user="never")
COSTS: Final = "/v1/organization/costs"
TEAMS: Final = tuple(
    Team(
        name=team,
        projects=projects,
        users=tuple(one.id for one in ORGANISATION.fixtures.people if one.team == team),
    )
    for team, projects in PROJECTS_OF_TEAMS.items()
)
OF_TEAMS: Final = ("mart.spend", "mart.spend_attribution", "mart.spend_by_user")
VIEWS_OF_TEAMS: Final = ("bi.cost_daily", "bi.cost_by_user", "bi.spend_by_user", "bi.daily")
SETTLED: Final = days(FIRST_DAY, day(21))
ALL_DAYS: Final = days(FIRST_DAY, TODAY)
RUNS: Final[dict[tuple[datetime, str], tuple[str, ...]]] = {
    (SETTLED_NOT_RESTATED, REFRESH): FACTS,
    (SETTLED_NOT_RESTATED, DIRECTORY): (),
    (NOW, REFRESH): (*FACTS, "core/gateway_spend", "mart/price_check"),
    (NOW, DIRECTORY): (),
    (NOW, DERIVE): (),
}
"""The jobs of both moments, each with the assets that it is limited to."""


class Told(NamedTuple):
    """The story, with its runs and every request that was sent."""

    house: House
    runs: dict[str, Ran]
    asked: dict[str, list[tuple[str, str]]]
    logged: list[str]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Told:
    made = house(tmp_path_factory.mktemp("story") / "home", *NAMES)
    made.connections = (*map(connection, FULL), connection("harbour", access="costs_only"))
    made.teams = TEAMS
    serve(made)
    runs: dict[str, Ran] = {}
    logged: list[str] = []
    with unrecorded() as instance:
        for (moment, job), only in RUNS.items():
            last = moment.date()
            ran = made.at(moment).run(FIRST_DAY, last, job=job, instance=instance, only=only)
            logged += map(dg.serialize_value, instance.all_logs(ran.result.run_id))
            runs[f"{job} on {last}"] = ran
    asked = {name: made.asked(name) for name in NAMES}
    return Told(made, runs, asked, logged)


def serve(made: House) -> None:
    for name, options in zip(NAMES, (ALWAYS, NEVER, NEVER), strict=True):
        made.serve(
            name, options=options, organisation=a_key_was_deleted(organisation_of(account_of(name)))
        )


def a_key_was_deleted(organisation: Organisation) -> Organisation:
    """The same bill, and a directory without one of its keys from the second moment on."""
    fixtures = organisation.fixtures
    others = (key for key in fixtures.api_keys if key.id != DELETED)
    gone = replace(fixtures.key_by_id[DELETED], deleted_at=midnight(TODAY))
    return replace(organisation, fixtures=replace(fixtures, api_keys=(*others, gone)))


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


def test_every_run_is_green_and_only_what_was_planted_is_remarked_on(told: Told) -> None:
    assert [ran.failures for ran in told.runs.values() if not ran.is_green] == []
    empty = ("core/spend", "rows_arrived", str(EMPTY_DAY))
    unlisted = ("core/users", "known_ids", None)
    unknown_model = ("mart/price_check", "known_prices", None)
    said = [[empty], [unlisted], [empty, unknown_model], [unlisted], [unknown_model]]
    for (name, ran), expected in zip(told.runs.items(), said, strict=True):
        found = [(one.asset, one.check, one.day) for one in ran.objections]
        assert found == expected, name
        assert {one.severity for one in ran.objections} == {"WARN"}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("when", SETTLED, ids=str)
def test_eight_sums_of_a_settled_day_are_one_number(
    told: Told, tables: dict[str, pl.DataFrame], name: str, when: date
) -> None:
    sums = {
        "ledger page": on_the_page(told.house, name, "ledger", when),
        "control page": on_the_page(told.house, name, "control", when),
        **{
            table.full_name(): usd(tables[table.full_name()], name, when)
            for table in (Ledger, UserView, SpendControl, Spend, SpendAttribution, SpendByUser)
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
    assert by_connection == dict.fromkeys(NAMES, Decimal("3924.35110434"))


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
    state = tables["mart.coverage"].filter(connection=name, day=EMPTY_DAY, source="costs")
    assert state.select("state", "rows", "billed_usd").rows() == [("settled", 0, Decimal(0))]
    assert tables["core.spend"].filter(connection=name, day=EMPTY_DAY).is_empty()
    assert tables["mart.spend"].filter(connection=name, day=EMPTY_DAY).is_empty()


@pytest.mark.parametrize(
    ("name", "source"), [*((name, "costs") for name in NAMES), *((name, "usage") for name in FULL)]
)
def test_today_and_a_yesterday_that_may_still_move_are_provisional(
    tables: dict[str, pl.DataFrame], name: str, source: str
) -> None:
    states = tables["mart.coverage"].filter(connection=name, source=source)
    assert states.select("day", "state").rows() == [
        *((when, "settled") for when in SETTLED),
        (day(22), "provisional"),
        (TODAY, "provisional"),
    ]


def test_spend_of_the_organization_itself_keeps_its_missing_project(
    tables: dict[str, pl.DataFrame],
) -> None:
    of_nobody = tables["core.spend"].filter(pl.col("project_id").is_null())
    truth = {(when, key[3]) for when in ALL_DAYS for key in billed(when) if key[0] is None}
    assert truth
    assert set(of_nobody.select("day", "line_item").rows()) == truth
    assert "" not in tables["core.spend"]["project_id"].to_list()


@pytest.mark.parametrize("table", ["mart.spend", "mart.spend_attribution", "mart.spend_by_user"])
def test_either_order_of_methods_gives_the_same_dollars_to_the_same_people(
    tables: dict[str, pl.DataFrame], table: str
) -> None:
    mine, theirs = (tables[table].filter(connection=name).drop("connection") for name in FULL)
    assert mine.equals(theirs)
    assert mine.height > 0


@pytest.mark.parametrize("name", NAMES)
def test_the_provider_s_own_word_on_users_is_kept(
    tables: dict[str, pl.DataFrame], name: str
) -> None:
    said = tables["core.spend_by_user"].filter(pl.col("user_id").is_not_null(), connection=name)
    kept = tables["mart.spend_by_user"].filter(connection=name, attribution="direct")
    sums = [
        dict(rows.group_by("user_id").agg(pl.col("billed_usd").sum()).sort("user_id").rows())
        for rows in (said, kept)
    ]
    assert sums[0] == sums[1]


def test_a_line_is_attributed_by_the_first_thing_that_is_known_of_it(
    tables: dict[str, pl.DataFrame],
) -> None:
    rows = tables["mart.spend_attribution"].filter(pl.col("day") <= day(21))
    by_rung = rows.group_by("connection", "attribution").agg(pl.col("billed_usd").sum())
    found = {tuple(row[:2]): row[2] for row in by_rung.iter_rows()}
    for name in FULL:
        assert found[name, "direct"] == Decimal("3441.580328815")
        assert found[name, "key_owner"] == Decimal("73.862089375")
        assert found[name, "allocated"] == Decimal("-11.035759389369434214")
        assert found[name, "unattributed"] == Decimal("419.944445539369434214")
    assert {rung for name, rung in found if name == "harbour"} == {"direct", "unattributed"}
    keys = rows.filter(attribution="key_owner", connection="tidewater")["api_key_id"].unique()
    assert set(keys) == {"key_finance_close", "key_desk_mirela"}
    shared = rows.filter(attribution="allocated", connection="tidewater")
    assert set(shared.select("project_id", "model", "user_name").rows()) == {
        ("proj_route_planner", "gpt-5.4-2026-03-05", "route-api"),
        ("proj_route_planner", "gpt-5.4-2026-03-05", "Ruben Castellanos"),
        ("proj_map_studio", "gpt-image-2.5-flare", "Paolo Santangelo"),
    }


def test_the_shares_of_a_pool_add_up_to_the_whole(tables: dict[str, pl.DataFrame]) -> None:
    pooled = tables["mart.spend_attribution"].filter(pl.col("pool").is_not_null())
    pool = ["connection", "day", "project_id", "model", "usage_type"]
    shares = pooled.group_by(pool).agg(pl.col("share_pct").sum())["share_pct"]
    assert shares.len() > 0
    assert all(abs(share - 100) < Decimal("1E-15") for share in shares)


def test_things_have_the_names_they_were_last_listed_with(tables: dict[str, pl.DataFrame]) -> None:
    spend = tables["mart.spend"].filter(connection="tidewater")
    names = dict(spend.select("project_id", "project_name").unique().rows())
    assert names["proj_route_planner"] == "Route planner"
    assert names[None] is None
    users = tables["mart.spend_by_user"].filter(connection="tidewater")
    assert (
        dict(users.select("user_id", "user_name").unique().rows())["user-naima"] == "Naima Okonjo"
    )
    unnamed = tables["mart.spend"].filter(connection="harbour")
    assert unnamed["project_name"].null_count() == unnamed.height


def test_who_left_before_the_first_list_is_known_by_the_ledger_alone(
    tables: dict[str, pl.DataFrame],
) -> None:
    gone = tables["core.users"].filter(connection="tidewater", status="not_listed")
    assert gone.select("id", "name", "first_seen_day", "last_seen_day", "is_current").rows() == [
        ("user-jonas", None, FIRST_DAY, TODAY, False)
    ]
    archived = tables["core.projects"].filter(connection="tidewater", status="archived")
    assert archived["name"].to_list() == ["Atlas 2024"]


def test_a_deleted_key_has_vanished_and_its_dollars_keep_its_last_known_name(
    tables: dict[str, pl.DataFrame],
) -> None:
    gone = tables["core.api_keys"].filter(connection="tidewater", status="vanished")
    said = ("id", "name", "owner_id", "first_seen_day", "last_seen_day", "is_current")
    assert gone.select(said).rows() == [
        (DELETED, "variance notes", "user-freya", day(21), day(21), False)
    ]
    spend = tables["mart.spend"].filter(connection="tidewater", api_key_id=DELETED)
    assert dict(spend.select("day", "api_key_name").rows())[TODAY] == "variance notes"
    assert set(spend["api_key_name"]) == {"variance notes"}


def test_counts_of_tokens_add_up_and_what_is_absent_is_unknown(
    tables: dict[str, pl.DataFrame],
) -> None:
    parts = ("input_cached_tokens", "input_cache_write_tokens", "input_uncached_tokens")
    rows = tables["core.usage"].filter(endpoint="completions")
    once, now = rows.filter(pl.col("day") < OLD_WAYS), rows.filter(pl.col("day") >= OLD_WAYS)
    assert once.height > 0
    assert once["input_uncached_tokens"].null_count() == once.height
    assert once["service_tier"].null_count() == once.height
    counted = now.select("input_tokens", *parts).rows()
    assert counted
    assert all(whole == sum(some) for whole, *some in counted)
    assert "" not in tables["core.usage"]["project_id"].to_list()


@pytest.mark.parametrize("name", FULL)
def test_every_endpoint_of_usage_is_in_one_table(
    tables: dict[str, pl.DataFrame], name: str
) -> None:
    rows = tables["core.usage"].filter(connection=name)
    assert set(rows["endpoint"]) == {endpoint.dataset for endpoint in USAGE_ENDPOINTS}
    assert tables["core.usage"].filter(connection="harbour").is_empty()


def test_tokens_are_those_that_were_billed(tables: dict[str, pl.DataFrame]) -> None:
    """Of one model, on one settled day, by two roads: the bill's quantities and usage."""
    model = "gpt-5.4-2026-03-05"
    of_day = {"connection": "tidewater", "day": day(19), "model": model}
    billed_tokens = tables["core.spend"].filter(**of_day, quantity_unit="tokens")["quantity"].sum()
    used = tables["core.usage"].filter(**of_day).select("input_tokens", "output_tokens").sum()
    assert billed_tokens == sum(used.row(0)) > 0


def test_the_price_check_finds_the_discount_and_the_unknown_model(
    told: Told, tables: dict[str, pl.DataFrame]
) -> None:
    rows = tables["mart.price_check"].filter(connection="tidewater")
    assert set(rows["cause"]) == {
        "agrees",
        "contract_discount",
        "label_not_parsed",
        "no_price",
        "regional_uplift",
    }
    assert rows.filter(cause="label_not_parsed")["line_item"].to_list() == ["Service credit"]
    assert rows.filter(cause="regional_uplift")["residency"].null_count() == 0
    assert set(rows.filter(cause="agrees")["gap_usd"]) == {Decimal(0)}
    below = rows.filter(cause="contract_discount")
    assert set(below["model"]) == {"gpt-6-astra"}
    assert all(
        billed * 5 == expected * 4
        for billed, expected in below.select("billed_usd", "expected_usd").rows()
    )
    unknown = rows.filter(cause="no_price")
    assert {"gpt-6-tideline, input", "gpt-6-tideline, output"} <= set(unknown["line_item"])
    assert unknown["expected_usd"].null_count() == unknown.height
    said = told.runs[f"{REFRESH} on {TODAY}"].of("mart/price_check", "known_prices")[None]
    assert "gpt-6-tideline of openai (" in said.because


def test_what_could_be_saved_is_what_was_planted(tables: dict[str, pl.DataFrame]) -> None:
    rows = tables["mart.optimization"].filter(connection="tidewater")
    found = set(rows.select("rule", "subject").rows())
    assert {
        ("optimization.cheaper_successor", "proj_place_search gpt-4.1-2025-04-14"),
        ("optimization.long_context", "priority | gpt-5.6-sol, output, long context"),
        ("optimization.duplicate", "key_studio_amrit"),
    } <= found
    assert rows["because"].str.contains("$", literal=True).all()


def test_the_ledger_remembers_with_which_grouping_it_was_read(
    tables: dict[str, pl.DataFrame],
) -> None:
    found = tables["core.spend"].select("connection", "grouping").unique().sort("connection")
    assert found.rows() == [
        ("ferry", "project_id,api_key_id,line_item"),
        ("harbour", "project_id,api_key_id,line_item"),
        ("tidewater", "project_id,user_id,api_key_id,line_item"),
    ]


@pytest.mark.parametrize("name", FULL)
def test_only_documented_paths_are_asked_and_only_with_get(told: Told, name: str) -> None:
    for method, path in told.asked[name]:
        assert method == "GET"
        below = path.removeprefix("/v1")
        assert any(re.fullmatch(pattern, below) for pattern in ALLOWED["full"]), path


def test_costs_only_asks_for_costs_over_the_whole_graph(told: Told) -> None:
    assert set(told.asked["harbour"]) == {("GET", COSTS)}


def test_a_range_takes_a_handful_of_requests(told: Told) -> None:
    # Two reads a range; who must ask for users apart was refused once.
    costs = {name: told.asked[name].count(("GET", COSTS)) for name in NAMES}
    assert costs == {"tidewater": 4, "ferry": 7, "harbour": 7}
    # A window of each of eleven endpoints a range; six lists of the organisation, five a project.
    for name in FULL:
        others = [path for _, path in told.asked[name] if path != COSTS]
        assert sum("/usage/" in path for path in others) == 2 * 11
        assert len(others) == 2 * 11 + 2 * (6 + 5 * 12)


@pytest.mark.parametrize("table", all_contracts(), ids=lambda table: table.full_name())
def test_what_is_published_is_what_the_lake_holds(
    tables: dict[str, pl.DataFrame], published: duckdb.DuckDBPyConnection, table: type[Ledger]
) -> None:
    found = published.sql(f"FROM {table.full_name()}")
    if ROUNDED in found.columns:  # the published database only
        same = f"bool_and(CAST(billed_usd AS DOUBLE) = {ROUNDED})"
        assert found.aggregate(same).fetchall() == [(True,)]
        found = published.sql(f"SELECT * EXCLUDE ({ROUNDED}) FROM found")  # noqa: S608 - our own name
    assert found.columns == list(table.types())
    held = tables[table.full_name()].rows()
    assert sorted(map(repr, found.fetchall())) == sorted(map(repr, held))


def by_team(published: duckdb.DuckDBPyConnection, table: str) -> dict[tuple[str, ...], Decimal]:
    """Dollars by connection, month and team; a view's doubles are exact to the cent."""
    found = published.sql(
        "SELECT connection, strftime(day, '%Y-%m'), coalesce(team, '(none)'), "  # noqa: S608 - our own names
        f"CAST(sum(billed_usd) AS DECIMAL(38, 18)) FROM {table} GROUP BY ALL"
    )
    return {tuple(key): usd for *key, usd in found.fetchall()}


def test_a_team_has_the_same_dollars_each_month_in_every_table_and_view(
    published: duckdb.DuckDBPyConnection,
) -> None:
    attributed = by_team(published, "mart.spend_attribution")
    assert {team for _, _, team in attributed} == {"(none)", *PROJECTS_OF_TEAMS}
    assert [by_team(published, table) for table in OF_TEAMS] == [attributed] * len(OF_TEAMS)
    for view in VIEWS_OF_TEAMS:
        shown = by_team(published, view)
        assert shown.keys() == attributed.keys()
        assert all(abs(shown[key] - usd) < Decimal("1E-6") for key, usd in attributed.items()), view


def test_a_team_has_the_same_dollars_on_the_page(
    told: Told, published: duckdb.DuckDBPyConnection
) -> None:
    ((dollars, _), _) = page_facts(read_tables(told.house.lake, NOW))
    shown = dollars.group_by(
        "connection", pl.col("day").dt.strftime("%Y-%m"), pl.col("team").fill_null("(none)")
    ).agg(pl.col("billed_usd").sum())
    on_the_page = {tuple(key): usd for *key, usd in shown.iter_rows()}
    assert on_the_page == by_team(published, "mart.spend_attribution")


def test_a_page_without_room_for_every_row_has_the_same_dollars_of_every_day(
    told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_day = ("connection", "day")
    ((every, _), _) = page_facts(read_tables(told.house.lake, NOW))
    monkeypatch.setattr(page_bill, "MOST_ROWS", 500)
    monkeypatch.setattr(page_bill, "_ROWS_AT_ONCE", 300)
    ((few, _), together) = page_facts(read_tables(told.house.lake, NOW))
    assert {"user", "api_key"} <= {one.id for one in together}
    sums = [
        one.group_by(of_day).agg(pl.col("billed_usd").sum()).sort(of_day) for one in (every, few)
    ]
    assert sums[0].equals(sums[1])


def test_tokens_and_requests_have_the_same_team_user_and_model_on_the_page_and_in_a_view(
    told: Told, published: duckdb.DuckDBPyConnection
) -> None:
    ((_, counts), _) = page_facts(read_tables(told.house.lake, NOW))
    by = ("connection", "team", "user_id", "model", "usage_type")
    shown = counts.group_by(by).agg(pl.col("tokens", "requests").sum())
    of_view = ", ".join(f"nullif({name}, '(none)')" for name in by)
    found = published.sql(
        f"SELECT {of_view}, coalesce(sum(tokens), 0), coalesce(sum(requests), 0) "  # noqa: S608 - our own names
        "FROM bi.daily WHERE tokens IS NOT NULL OR requests IS NOT NULL GROUP BY ALL"
    )
    assert sorted(map(repr, found.fetchall())) == sorted(map(repr, shown.rows()))


def test_a_tier_has_the_same_dollars_on_the_page_as_in_the_ledger(
    told: Told, published: duckdb.DuckDBPyConnection
) -> None:
    ((dollars, _), _) = page_facts(read_tables(told.house.lake, NOW))
    shown = dict(dollars.group_by("service_tier").agg(pl.col("billed_usd").sum()).iter_rows())
    tiers = "SELECT service_tier, sum(billed_usd) AS usd FROM core.spend GROUP BY ALL"
    assert shown == dict(published.sql(f"FROM ({tiers}) WHERE usd <> 0").fetchall())


@pytest.fixture(scope="module")
def again(told: Told, tmp_path_factory: pytest.TempPathFactory) -> House:
    copy = told.house.moved_to(tmp_path_factory.mktemp("again") / "home")
    copy.at(NOW)
    serve(copy)
    ran = copy.run(FIRST_DAY, TODAY)
    assert ran.is_green, ran.failures
    return copy


def test_a_refresh_twice_is_a_refresh_once_row_for_row(told: Told, again: House) -> None:
    assert stored(again.home) == stored(told.house.home)


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


def test_tables_are_rebuilt_from_raw_alone_row_for_row(told: Told, rebuilt: House) -> None:
    assert stored(rebuilt.home) == stored(told.house.home)


def test_a_rebuild_publishes_the_same_rows(told: Told, rebuilt: House) -> None:
    assert read_published(rebuilt) == read_published(told.house)


def test_a_rebuild_leaves_the_evidence_as_it_was(told: Told, rebuilt: House) -> None:
    assert files(rebuilt.home, "raw") == files(told.house.home, "raw")


def test_no_e_mail_address_is_anywhere_but_where_it_belongs(
    told: Told, tables: dict[str, pl.DataFrame]
) -> None:
    texts = {
        (name, column)
        for name, rows in tables.items()
        for column, kind in rows.schema.items()
        if kind == pl.String and rows[column].str.contains("@").any()
    }
    people = ("core.users", "core.invites", "mart.seats", "mart.people")
    assert texts == {(table, "email") for table in people}
    page = files(told.house.home, "report")["report/index.html"].decode()
    assert "@tidewater" not in page
    assert told.logged
    assert not any("@" in line for line in told.logged)


def test_no_view_shows_an_e_mail_address(published: duckdb.DuckDBPyConnection) -> None:
    views = published.sql("SELECT view_name FROM duckdb_views() WHERE schema_name = 'bi'")
    names = [name for (name,) in views.fetchall()]
    assert {"projects", "api_keys", "spend_by_user", "usage_daily"} <= set(names)
    for name in names:
        shown = published.sql(f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM bi.{name}")  # noqa: S608
        assert not any("@" in value for row in shown.fetchall() for value in row if value), name


def test_no_key_is_in_any_file_or_log(told: Told) -> None:
    for path, content in files(told.house.home, ".").items():
        assert SAMPLE_ADMIN_KEY.encode() not in content, path
    assert not any(SAMPLE_ADMIN_KEY in line for line in told.logged)


def read_published(house: House) -> dict[str, list[str]]:
    """Every published table's rows, in an order that does not depend on the file."""
    names = [table.full_name() for table in (*all_contracts(), Restatements, Coverage)]
    with duckdb.connect(str(house.published), read_only=True) as sql:
        return {
            name: sorted(map(repr, sql.sql(f"FROM {name}").fetchall()))
            for name in dict.fromkeys(names)
        }
