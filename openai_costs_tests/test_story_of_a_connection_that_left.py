"""A connection leaves the settings: its days stay readable and are in no number of today."""

from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
import pytest

from openai_costs.kernel.formatting import cents, dollars_of
from openai_costs.kernel.money import total
from openai_costs.outputs.alerts.judged_days import settled_days
from openai_costs.outputs.publish.bi import VIEWS
from openai_costs.outputs.publish.publication import Publication
from openai_costs.outputs.report.cost_explorer import read_page
from openai_costs.outputs.report.page_model import PageModel
from openai_costs.outputs.report.render import render
from openai_costs.questions.anomalies.history import read_history
from openai_costs.questions.budgets.spending import read_status
from openai_costs.questions.coverage import former_connections, of_costs, of_settled_days
from openai_costs.questions.optimization.measured import periods
from openai_costs.questions.seats.assets import membership
from openai_costs.settings import Budget, Seats
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.spend import Spend
from openai_costs_tests.org import MONEY, House, Ran, day, house

FIRST, LAST = day(16), day(19)


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Ran]:
    """Two organizations were read; harbour left the settings, and acme was read again."""
    made = house(tmp_path_factory.mktemp("left") / "home", "acme", "harbour")
    assert made.run(FIRST, LAST, only=MONEY).is_green
    people = [dict.fromkeys(Users.types()) | MEMBER | {"connection": one} for one in NAMES]
    made.lake.replace_whole(Users, pl.DataFrame(people, schema=Users.types()))
    made.connections = made.connections[:1]
    ran = made.run(FIRST, LAST, only=MONEY)
    assert ran.is_green
    return made, ran


NAMES = ("acme", "harbour")
BY_DAY = {"connection", "day"}
OF_SEVERAL_CONNECTIONS = ("findings", "anomalies", "optimization", "usage_daily", "budgets")
"""Views that may say `*` for all connections, or have no dollars."""
MEMBER = {
    "provider": "openai",
    "id": "user-mira",
    "status": "active",
    "first_seen_day": FIRST,
    "last_seen_day": LAST,
    "is_current": True,
}


def billed(lake: Lake, *names: str) -> Decimal:
    return total(lake.read(Spend).filter(pl.col("connection").is_in(names))["billed_usd"])


def page(made: House) -> PageModel:
    return read_page(Publication(made.lake.root.parent, made.lake), made.clock.now)


def test_its_days_stay_readable_and_are_marked_in_the_tables(left: tuple[House, Ran]) -> None:
    made, _ = left
    with duckdb.connect(str(made.published), read_only=True) as sql:
        marks = sql.sql("FROM bi.coverage SELECT DISTINCT connection, is_connected").fetchall()
        usd = sql.sql(
            "SELECT connection, is_connected, sum(billed_usd) > 0 FROM bi.cost_daily GROUP BY ALL"
        ).fetchall()
        views = [view.name for view in VIEWS if view.columns.keys() >= BY_DAY]
        asked = "SELECT DISTINCT connection, is_connected FROM bi.{}"
        of_views = {
            view: dict(sql.sql(asked.format(view)).fetchall())
            for view in views
            if view not in OF_SEVERAL_CONNECTIONS
        }
    assert sorted(marks) == [("acme", True), ("harbour", False)]
    assert sorted(usd) == [("acme", True, True), ("harbour", False, True)]
    assert {*of_views} >= {"daily", "unit_costs", "unbilled_spend", "price_check", "restatements"}
    assert all(of.items() <= dict(marks).items() for of in of_views.values()), of_views
    assert of_views["daily"] == of_views["unit_costs"] == dict(marks)
    coverage = made.lake.read(Coverage)
    assert former_connections(coverage) == ["harbour"]
    stored = coverage.filter(connection="harbour")
    assert set(stored["source"]) == {"costs"}
    assert set(stored["state"]) == {"settled"}
    assert (min(stored["day"]), max(stored["day"])) == (FIRST, LAST)


def test_the_headlines_of_the_page_are_those_of_today_and_say_what_they_leave_out(
    left: tuple[House, Ran],
) -> None:
    made, _ = left
    shown = page(made)
    assert shown.connections == ("acme", "harbour (no longer connected)")
    assert shown.scope.endswith("connection acme")
    ours, theirs = (dollars_of(cents(billed(made.lake, name))) for name in NAMES)
    assert shown.total == ours
    assert shown.first.month.spent == ours
    assert shown.notice == (
        f"{theirs} billed to harbour from 2026-11-17 to 2026-11-19 is not in these numbers: no "
        "longer connected. The explorer below includes them."
    )
    assert "harbour (no longer connected)" in render(shown)


def test_a_budget_of_everything_counts_the_connections_of_today(left: tuple[House, Ran]) -> None:
    made, _ = left
    budget = Budget(name="all", limit_usd=Decimal(1))
    status = read_status(made.lake, [budget]).sort("day")
    assert status["spent_usd"][-1] == billed(made.lake, "acme")
    assert "harbour" not in str(status["causes"].to_list())


def test_anomalies_savings_the_gateway_and_seats_judge_the_connections_of_today(
    left: tuple[House, Ran],
) -> None:
    made, _ = left
    coverage = made.lake.read(Coverage)
    assert set(read_history(made.lake).days) == {"acme"}
    assert set(periods(coverage)["connection"]) == {"acme"}
    assert set(of_settled_days(made.lake.read(Spend), coverage)["connection"]) == {"acme"}
    assert set(membership(made.lake, Seats()).users["connection"]) == {"acme"}


def test_findings_about_it_end_as_the_days_of_all_others_go_on(left: tuple[House, Ran]) -> None:
    made, _ = left
    assert set(settled_days(made.lake.read(Coverage))) == {"acme", "*"}


def test_the_preview_of_the_publication_adds_up_the_connections_of_today(
    left: tuple[House, Ran],
) -> None:
    made, ran = left
    (metadata,) = [
        event.materialization.metadata
        for event in ran.result.get_asset_materialization_events()
        if event.asset_key is not None and event.asset_key.path == ["published", "duckdb"]
    ]
    assert metadata["spend_usd"].value == float(round(billed(made.lake, "acme"), 2))
    assert "Not included: harbour (no longer connected)." in str(metadata["preview"].value)


def test_it_is_late_for_nothing(left: tuple[House, Ran]) -> None:
    made, _ = left
    assert set(of_costs(made.lake.read(Coverage))["connection"]) == {"acme"}


def test_what_comes_back_counts_again(left: tuple[House, Ran], tmp_path: Path) -> None:
    made = left[0].moved_to(tmp_path / "home")
    made.connections = house(tmp_path / "other", "acme", "harbour").connections
    made.serve("harbour")
    assert made.run(LAST, LAST, only=MONEY).is_green
    assert former_connections(made.lake.read(Coverage)) == []
    assert page(made).total == dollars_of(cents(billed(made.lake, *NAMES)))
