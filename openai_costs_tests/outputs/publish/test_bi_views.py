"""What the views for BI tools say of a few rows, each there for a reason."""

from __future__ import annotations

import json
import re
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pytest

from openai_costs.outputs.publish.bi import VIEWS
from openai_costs.outputs.publish.empty_database import empty_database
from openai_costs.outputs.publish.rounded import ROUNDED

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ACME = {"connection": "acme", "provider": "openai"}
WHEN = date(2026, 11, 1)
CLASSIC = {"VARCHAR", "DATE", "TIMESTAMP", "BOOLEAN", "BIGINT", "DOUBLE"}


@pytest.fixture
def sql(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    file = tmp_path / "openai_costs.duckdb"
    file.write_bytes(empty_database())
    with duckdb.connect(str(file)) as connection:
        yield connection


def insert(sql: duckdb.DuckDBPyConnection, table: str, *rows: dict[str, Any]) -> None:
    for row in rows:
        if table in {"mart.spend", "mart.spend_attribution", "mart.spend_by_user"}:
            row |= {ROUNDED: row["billed_usd"]}
        marks = ", ".join("?" * len(row))
        sql.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({marks})", [*row.values()])  # noqa: S608


def covered(
    sql: duckdb.DuckDBPyConnection, first: date, usd: list[str | None], over: str = ""
) -> None:
    """Days of costs in a row; None is a day that was never read.

    The last ones are provisional, a letter each: y for one that was over when it was read, else n.
    """
    for i, amount in enumerate(usd):
        at = i - (len(usd) - len(over))
        insert(
            sql,
            "mart.coverage",
            {
                "connection": "acme",
                "source": "costs",
                "day": date.fromordinal(first.toordinal() + i),
                "state": "missing" if amount is None else "provisional" if at >= 0 else "settled",
                "is_over": None if at < 0 else over[at] == "y",
                "billed_usd": amount and Decimal(amount),
                "is_connected": True,
            },
        )


def months(sql: duckdb.DuckDBPyConnection) -> list[tuple[Any, ...]]:
    columns = (
        "month, billed_usd, through_day, is_running, compared_usd, change_usd, "
        "comparable_through_day"
    )
    return sql.sql(f"SELECT {columns} FROM bi.months ORDER BY 1").fetchall()  # noqa: S608


def test_a_running_month_is_compared_with_the_same_days_of_the_month_before(
    sql: duckdb.DuckDBPyConnection,
) -> None:
    covered(sql, date(2026, 9, 1), ["1"] * 30)
    covered(sql, date(2026, 10, 1), ["2"] * 31)
    covered(sql, WHEN, ["3", "3", "3", None])
    assert months(sql) == [
        (date(2026, 9, 1), 30.0, date(2026, 9, 30), False, None, None, None),
        (date(2026, 10, 1), 62.0, date(2026, 10, 31), False, 30.0, 30.0, date(2026, 10, 30)),
        (WHEN, 9.0, date(2026, 11, 3), True, 6.0, 3.0, date(2026, 11, 3)),
    ]


def test_a_day_that_was_not_over_when_it_was_read_is_compared_with_none(
    sql: duckdb.DuckDBPyConnection,
) -> None:
    """Of 96 dollars a day, 12 had passed at 03:00: -29.2 % on the 3rd of a month."""
    covered(sql, date(2026, 10, 1), ["96"] * 31)
    covered(sql, WHEN, ["96"] * 30, "y")
    covered(sql, date(2026, 12, 1), ["96", "96", "12"], "yyn")
    covered(sql, date(2027, 1, 1), ["12"], "n")
    columns = "billed_usd, through_day, comparable_through_day, comparable_usd, change_usd"
    found = sql.sql(f"SELECT {columns} FROM bi.months ORDER BY month").fetchall()  # noqa: S608
    assert found[1:] == [
        (2880.0, date(2026, 11, 30), date(2026, 11, 30), 2880.0, 0.0),
        (204.0, date(2026, 12, 3), date(2026, 12, 2), 192.0, 0.0),
        (12.0, date(2027, 1, 1), None, None, None),
    ]


def test_a_whole_month_is_compared_with_as_many_days_of_a_longer_one(
    sql: duckdb.DuckDBPyConnection,
) -> None:
    covered(sql, date(2026, 10, 1), ["2"] * 31)
    covered(sql, WHEN, ["3"] * 30)
    last = date(2026, 11, 30)
    assert months(sql)[1] == (WHEN, 90.0, last, False, 60.0, 30.0, last)


def test_a_month_is_not_compared_with_days_that_were_not_read(
    sql: duckdb.DuckDBPyConnection,
) -> None:
    covered(sql, date(2026, 10, 1), ["2", None, *["2"] * 29])
    covered(sql, WHEN, ["3", None, "3"])
    assert [row[4] for row in months(sql)] == [None, None]
    assert sql.sql("SELECT missing_days FROM bi.months ORDER BY month").fetchall() == [(1,), (1,)]
    covered(sql, date(2026, 12, 1), ["3"])
    covered(sql, date(2027, 1, 1), [None, "3"])
    assert months(sql)[3][4] is None


def test_of_march_as_many_days_are_compared_as_february_has(sql: duckdb.DuckDBPyConnection) -> None:
    covered(sql, date(2026, 2, 1), ["1"] * 28)
    covered(sql, date(2026, 3, 1), ["1"] * 30)
    assert months(sql)[1][3:] == (True, 28.0, 0.0, date(2026, 3, 28))


def spent(usd: str, **more: str) -> dict[str, Any]:
    sort = {"attribution": "direct", "usage_type": "input", "model": "ft-gpt-5"}
    return ACME | sort | {"day": WHEN, "billed_usd": Decimal(usd)} | more


def used(**counts: Any) -> dict[str, Any]:  # noqa: ANN401 - columns of core.usage
    return ACME | {"day": WHEN, "endpoint": "completions", "model": "ft:gpt-5:acme::x"} | counts


def test_dollars_and_tokens_of_one_key_user_and_model_meet_in_one_row(
    sql: duckdb.DuckDBPyConnection,
) -> None:
    insert(sql, "core.api_keys", ACME | {"id": "key", "owner_id": "sam", "name": "prod"})
    key = {"project_id": "p", "api_key_id": "key"}
    insert(
        sql,
        "mart.spend_attribution",
        spent("2.5", team="search", user_id="sam", **key),
        spent("0.5"),
    )
    counts = {"input_uncached_tokens": 1000, "input_cached_tokens": 0, "num_model_requests": 7}
    insert(sql, "core.usage", used(**key, **counts))
    found = sql.sql(
        "SELECT team, user_label, api_key, model, usage_type, billed_usd, tokens, requests "
        "FROM bi.daily ORDER BY ALL"
    )
    assert found.fetchall() == [
        ("(none)", "(none)", "(none)", "ft-gpt-5", "input", 0.5, None, None),
        ("search", "sam", "prod", "ft-gpt-5", "(none)", None, None, 7),
        ("search", "sam", "prod", "ft-gpt-5", "input", 2.5, 1000, None),
    ]


def test_a_unit_cost_divides_what_is_known_and_is_null_where_it_is_not(
    sql: duckdb.DuckDBPyConnection,
) -> None:
    insert(
        sql,
        "mart.spend",
        ACME | {"day": WHEN, "model": "gpt-5", "usage_type": "output"} | {"billed_usd": Decimal(6)},
    )
    counts = {"input_uncached_tokens": 300_000, "input_cached_tokens": 100_000}
    insert(
        sql,
        "core.usage",
        used(output_tokens=2_000_000, num_model_requests=3, **counts) | {"model": "gpt-5"},
    )
    found = sql.sql(
        "SELECT usd_per_million_output_tokens, usd_per_million_input_tokens, usd_per_request, "
        "cache_hit_pct, batch_pct, tokens FROM bi.unit_costs"
    )
    assert found.fetchall() == [(3.0, None, 2.0, 25.0, None, 2_400_000)]


def anomaly(when: int, *causes: tuple[str, str, str], **more: Any) -> dict[str, Any]:  # noqa: ANN401
    listed = [dict(zip(("dimension", "id", "impact_usd"), one, strict=True)) for one in causes]
    series = {"series_kind": "user", "series_id": "sam", "kind": "spike", "direction": "up"}
    days = {"day": date(2026, 11, when), "since_day": WHEN, "incident_id": "up/sam"}
    told = {"is_told": True, "impact_usd": sum(Decimal(usd) for _, _, usd in causes)}
    return ACME | series | days | told | {"causes": json.dumps(listed)} | more


def test_an_incident_has_a_row_per_cause_added_up_over_its_days(
    sql: duckdb.DuckDBPyConnection,
) -> None:
    insert(
        sql,
        "mart.spend_anomalies",
        anomaly(1, ("model", "gpt-5", "10.50"), ("model", "other", "-0.5")),
        anomaly(2, ("model", "gpt-5", "4")),
        anomaly(2, ("model", "gpt-5", "99"), series_id="acme", is_told=False),
        anomaly(3, series_id="kim", incident_id="up/kim"),
    )
    found = sql.sql(
        "SELECT series, last_day, days, incident_usd, dimension, cause, impact_usd, team "
        "FROM bi.incidents ORDER BY ALL"
    )
    second, third = date(2026, 11, 2), date(2026, 11, 3)
    assert found.fetchall() == [
        ("kim", third, 1, 0.0, "(none)", "(none)", None, "(none)"),
        ("sam", second, 2, 14.0, "model", "gpt-5", 14.5, "(none)"),
        ("sam", second, 2, 14.0, "model", "other", -0.5, "(none)"),
    ]


def test_a_restatement_of_dollars_that_no_invoice_has_is_not_shown(
    sql: duckdb.DuckDBPyConnection,
) -> None:
    at = {"seen_at": datetime(2026, 11, 9), "day": WHEN, "connection": "acme"}  # noqa: DTZ001 - naive UTC
    change = {"change_usd": Decimal(-3)}
    insert(sql, "mart.restatements", at | change | {"cost_basis": "billed"})
    insert(sql, "mart.restatements", at | change | {"cost_basis": "metered"})
    assert sql.sql("SELECT change_usd FROM bi.restatements").fetchall() == [(-3.0,)]


def test_the_first_view_lists_every_other_with_its_question(
    sql: duckdb.DuckDBPyConnection,
) -> None:
    found = sql.sql("SELECT view_name, question FROM bi.start_here ORDER BY place").fetchall()
    assert [name for name, _ in found] == [f"bi.{one.name}" for one in VIEWS[1:]]
    assert all(question.endswith("?") for _, question in found)


def test_all_views_have_one_word_for_none(sql: duckdb.DuckDBPyConnection) -> None:
    texts = sql.sql("SELECT sql FROM duckdb_views() WHERE schema_name = 'bi'").fetchall()
    words = {one for (text,) in texts for one in re.findall(r"'(\([a-z ]+\))'", text)}
    assert words == {"(none)"}


def test_columns_that_a_chart_groups_by_are_never_null(sql: duckdb.DuckDBPyConnection) -> None:
    for table in ("mart.spend", "mart.spend_by_user", "mart.spend_attribution"):
        insert(sql, table, ACME | {"day": WHEN, "billed_usd": Decimal(1)})
    insert(sql, "core.usage", ACME | {"day": WHEN, "input_uncached_tokens": 1, "endpoint": "x"})
    labels = {"team", "model", "usage_type", "project", "api_key", "user_label", "service_tier"}
    for view in ("cost_daily", "cost_by_user", "spend_by_user", "daily", "usage_daily"):
        rows = sql.sql(f"FROM bi.{view}")
        shown = [
            dict(zip(rows.columns, one, strict=True)).get(name, "(none)")
            for one in rows.fetchall()
            for name in labels
        ]
        assert set(shown) <= {"(none)", "input"}, view


def test_a_view_has_classic_types_only(sql: duckdb.DuckDBPyConnection) -> None:
    found = sql.sql(
        "SELECT table_name || '.' || column_name, data_type FROM duckdb_columns() "
        "WHERE schema_name = 'bi' AND table_name <> 'focus'"  # FOCUS asks for exact decimals
    ).fetchall()
    assert {name: kind for name, kind in found if kind not in CLASSIC} == {}
