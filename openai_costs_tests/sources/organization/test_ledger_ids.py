from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from upath import UPath

from openai_costs.sources.organization.ledger_ids import ledger_ids
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.invites import Invites
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.core.users import Users
from openai_costs_tests.org import INVOICED
from openai_costs_tests.sources.openai.organization.wire import kind_of

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)
NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
USUAL: dict[str, Any] = {
    "provider": "openai",
    "grouping": "project_id,api_key_id,line_item",
    "endpoint": "completions",
    **INVOICED,
}


def fill(lake: Lake, table: type[Contract], *rows: dict[str, Any]) -> None:
    """Write a slice per connection and day, with the usual values where a row says nothing."""
    known = [{name: (USUAL | row).get(name) for name in table.types()} for row in rows]
    frame = pl.DataFrame(known, schema=table.types(), orient="row")
    keys = {Slice(*key): NOON for key in frame.select("connection", "day").iter_rows()}
    assert not lake.replace(table, [Batch(frame, keys)]).refused


def spent(day: date, usd: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    return {"connection": "acme", "day": day, "billed_usd": Decimal(usd)} | more


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(UPath(tmp_path))


def test_an_id_is_seen_on_its_first_and_last_day_with_all_its_dollars(lake: Lake):
    fill(
        lake,
        Spend,
        spent(FIRST, "1.000000000000000001", api_key_id="key_a", line_item="x"),
        spent(FIRST, "2", api_key_id="key_a", line_item="y"),
        spent(SECOND, "3", api_key_id="key_a"),
        spent(SECOND, "5", api_key_id=None),
    )
    assert ledger_ids(lake, kind_of(ApiKeys)).rows() == [
        ("acme", "key_a", FIRST, SECOND, Decimal("6.000000000000000001"))
    ]


def test_an_id_that_only_usage_names_cost_nothing_that_we_know_of(lake: Lake):
    fill(lake, Spend, spent(SECOND, "3", api_key_id="key_a"))
    used = {"connection": "acme", "day": FIRST}
    fill(lake, Usage, used | {"api_key_id": "key_a"}, used | {"api_key_id": "key_b"})
    assert ledger_ids(lake, kind_of(ApiKeys)).rows() == [
        ("acme", "key_a", FIRST, SECOND, Decimal(3)),
        ("acme", "key_b", FIRST, FIRST, Decimal(0)),
    ]


def test_users_are_those_of_the_user_view_which_has_every_dollar_once(lake: Lake):
    fill(lake, Spend, spent(FIRST, "3", user_id="user-ada"))
    fill(lake, SpendByUser, spent(FIRST, "3", user_id="user-ada"))
    assert ledger_ids(lake, kind_of(Users)).rows() == [
        ("acme", "user-ada", FIRST, FIRST, Decimal(3))
    ]


def test_the_same_id_in_two_connections_is_two(lake: Lake):
    fill(
        lake,
        Spend,
        spent(FIRST, "1", api_key_id="key_a"),
        spent(FIRST, "2", api_key_id="key_a", connection="labs"),
    )
    found = ledger_ids(lake, kind_of(ApiKeys))
    assert found.select("connection", "billed_usd").rows() == [
        ("acme", Decimal(1)),
        ("labs", Decimal(2)),
    ]


@pytest.mark.parametrize("table", [ApiKeys, Users, Invites])
def test_without_a_ledger_there_are_no_ids(lake: Lake, table: Any):  # noqa: ANN401
    assert ledger_ids(lake, kind_of(table)).is_empty()
