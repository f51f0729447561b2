from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import polars as pl
from upath import UPath

from openai_costs.outputs.publish.bi.view import mirrored
from openai_costs.outputs.publish.database import publish
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.projects import Projects
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_by_user import SpendByUser as UserView
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.seats import Seats
from openai_costs_tests.org import INVOICED, day
from openai_costs_tests.questions.spend.acme import ACME, rows


def test_a_mirrored_mart_has_doubles_and_no_address_in_a_name(tmp_path: Path) -> None:
    seat = dict.fromkeys(Seats.types()) | {
        "connection": "acme",
        "user_id": "user-1",
        "name": "d'Arc@tide.example (contractor)",
        "email": "d'arc@tide.example",
        "spend_30d_usd": Decimal("1.5"),
    }
    pl.DataFrame([seat], schema=Seats.types()).write_parquet(tmp_path / "seats.parquet")
    view = mirrored("seats", Seats, "Who?", without=("email",), labels={"team": None})
    with duckdb.connect() as sql:
        sql.execute("CREATE SCHEMA mart")
        sql.execute(f"CREATE TABLE mart.seats AS FROM read_parquet('{tmp_path}/*.parquet')")
        found = sql.sql(view.sql)
        (row,) = (dict(zip(found.columns, one, strict=True)) for one in found.fetchall())
    assert list(row) == list(view.columns)
    shown = (row["user_id"], row["name"], row["team"], row["spend_30d_usd"])
    assert shown == ("user-1", "d'Arc (contractor)", "(none)", 1.5)


def atlas_twice(home: UPath) -> None:
    """Two projects of one name, billed 10.50 and 13.50, with a key of one name and two people."""
    lake, when = Lake(home), day(1)
    at = {Slice("acme", when): datetime(2026, 11, 23, tzinfo=UTC)}
    known = ACME | {"model": "gpt-5", "usage_type": "input", "attribution": "direct"}
    names = {"project_name": "Atlas", "api_key_name": "prod", "user_name": "Sam Field"}
    ids = {"project_id": "proj", "api_key_id": "key", "user_id": "user"}
    billed = {"n3": "10.50", "n4": "13.50"}
    lines = [
        known
        | names
        | {one: f"{kind}_{end}" for one, kind in ids.items()}
        | {"billed_usd": Decimal(usd)}
        for end, usd in billed.items()
    ]
    for table in TOGETHER:
        kept = ({key: one[key] for key in one if key in table.types()} for one in lines)
        frame = rows(table, kept)
        if table is SpendControl:
            read = {"is_settled": True, "read_at": datetime(2026, 11, 23)}  # noqa: DTZ001 - naive UTC
            frame = rows(table, [ACME | read | {"billed_usd": Decimal(24)}])
        if table is Ledger:
            known_of_all = {"line_item": "gpt-5, input", "grouping": "all"} | INVOICED
            frame = frame.with_columns(**{name: pl.lit(it) for name, it in known_of_all.items()})
        if table is UserView:
            frame = frame.with_columns(line_item=pl.lit("gpt-5, input"))
        assert not lake.replace(table, [Batch(frame, at)]).refused
    for table, one in ((Projects, "project"), (ApiKeys, "api_key"), (Users, "user")):
        listed = {"name": names[f"{one}_name"], "connection": "acme", "provider": "openai"}
        seen = {"status": "active", "first_seen_day": when, "last_seen_day": when}
        entries = (
            listed | seen | {"is_current": True, "id": f"{ids[f'{one}_id']}_{end}"}
            for end in billed
        )
        lake.replace_whole(table, rows(table, entries))
    publish(home, lake)


def test_namesakes_are_two_rows_in_every_view(tmp_path: Path) -> None:
    home = UPath(tmp_path)
    atlas_twice(home)
    labels = {
        ("cost_daily", "project"): "Atlas",
        ("daily", "project"): "Atlas",
        ("daily", "api_key"): "prod",
        ("daily", "user_label"): "Sam Field",
        ("cost_daily", "api_key"): "prod",
        ("cost_by_user", "user_label"): "Sam Field",
        ("spend_by_user", "project"): "Atlas",
        ("spend_by_user", "user_label"): "Sam Field",
        ("projects", "project"): "Atlas",
        ("api_keys", "api_key"): "prod",
    }
    with duckdb.connect(str(home / DATABASE), read_only=True) as sql:
        for (view, column), name in labels.items():
            question = f"SELECT {column}, round(sum(billed_usd), 2) FROM bi.{view} GROUP BY ALL"  # noqa: S608 - our own names
            found = dict(sql.sql(question).fetchall())
            assert sorted(found.values()) == [10.5, 13.5], (view, column)
            assert all(label.startswith(f"{name} \u00b7 ") for label in found)
