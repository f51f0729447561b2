"""Every saving is worked out a second time, in SQL, from the tables and the price list alone."""

from __future__ import annotations

from decimal import Decimal
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import duckdb
import polars as pl
import pytest

from openai_costs.questions.optimization.assets import insights
from openai_costs.questions.optimization.cheaper_successor import SUCCESSORS
from openai_costs.questions.prices.catalogue import Item, list_price
from openai_costs.questions.prices.price_lists import find_model
from openai_costs.tables.mart.optimization import RULES, Optimization
from openai_costs_tests.questions.optimization.month import (
    LAST,
    MONTH,
    Month,
    billed,
    daily,
    keys,
    line,
    projects,
    used,
)
from openai_costs_tests.questions.usage.frames import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MODELS: Final = ("gpt-4.1", "gpt-5.4", "gpt-5.6-sol", "gpt-6-luna", "gpt-6.1-sol")
SIDES: Final = ("input", "cached_input", "cache_write", "output")
TIERS: Final = ("standard", "flex", "batch", "priority")
GOOD_WEEK: Final = MONTH[10:17]
LONG: Final = "priority | gpt-5.6-sol, output, long context"


def a_month() -> Month:
    """Three workloads, a contract discount on one of them, and things that were forgotten."""
    cached = daily(
        lambda day: (
            (
                tokens(400_007, cached=500_011, write=90_001, output=30_000)
                if day in GOOD_WEEK
                else tokens(900_003, cached=50_017, write=40_009, output=30_000)
            )
            | {"model": "gpt-5.6-sol"}
        )
    )
    steady = daily(lambda day: tokens(700_001 + day.day, output=60_013) | {"api_key_id": "k2"})
    return Month(
        used(*cached, *steady),
        billed(
            line("gpt-4.1, input", "37.8", "21000000", api_key_id="k2"),
            line("gpt-4.1, output", "12.96", "1800000", api_key_id="k2"),
            line("gpt-5.6-sol, input", "100", "25000000"),
            line("gpt-5.6-sol, cached input", "2", "5000000"),
            line("gpt-5.6-sol, cache writes", "6", "1200000"),
            line("gpt-5.6-sol, output", "18", "900000", project_id=None),
            line(LONG, "60.000006", "1000000"),
        ),
        keys(
            {"id": "k", "name": "search"},
            {"id": "k2", "name": "nightly"},
            {"id": "old", "name": "old"},
            {"id": "old2", "name": "old"},
        ),
        projects({"id": "p", "name": "search"}, {"id": "hack", "name": "hack week"}),
    )


def price_list() -> pl.DataFrame:
    """List prices of the last day: model, side, tier, is_long, usd."""
    rows = [
        (model, side, tier, is_long, list_price(Item(model, side, None, tier, is_long), LAST).usd)
        for model, side, tier, is_long in product(MODELS, SIDES, TIERS, (False, True))
    ]
    schema = ["model", "side", "tier", "is_long", "usd"]
    return pl.DataFrame(rows, schema=schema, orient="row").drop_nulls("usd")


def successors() -> pl.DataFrame:
    named = {model: find_model(model) for model in MODELS}
    rows = [
        (model, SUCCESSORS[known.id].model)
        for model, known in named.items()
        if known and known.id in SUCCESSORS
    ]
    return pl.DataFrame(rows, schema=["model", "successor"], orient="row")


@pytest.fixture(scope="module")
def found() -> pl.DataFrame:
    return insights(a_month().facts)


@pytest.fixture(scope="module")
def sql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The tables as they are published, and the price list."""
    folder, month = tmp_path_factory.mktemp("tables"), a_month()
    frames = {
        "usage": month.usage,
        "spend": month.spend,
        "price_check": month.price_check,
        "prices": price_list(),
        "successors": successors(),
    }
    with duckdb.connect() as connection:
        for name, frame in frames.items():
            table(connection, name, frame, folder)
        yield connection


def table(
    connection: duckdb.DuckDBPyConnection, name: str, frame: pl.DataFrame, folder: Path
) -> None:
    file = folder / f"{name}.parquet"
    frame.write_parquet(file)
    connection.execute(f"CREATE TABLE {name} AS FROM read_parquet('{file}')")


# usd of a mix of tokens at list price, and the share of list price that a model was billed: all
# dollars are to a cent, as in the sentences
MACROS: Final = """
    CREATE OR REPLACE MACRO price(m, s, t, l) AS (
        SELECT usd FROM prices WHERE model = m AND side = s AND tier = t AND is_long = l);
    CREATE OR REPLACE MACRO usd_of(m, t, u, c, w, o) AS round(
        u::DECIMAL(20) * price(m, 'input', t, false)
        + c::DECIMAL(20) * coalesce(price(m, 'cached_input', t, false), 0)
        + w::DECIMAL(20) * coalesce(price(m, 'cache_write', t, false), 0)
        + o::DECIMAL(20) * price(m, 'output', t, false), 2);
    CREATE OR REPLACE MACRO paid(m) AS (
        SELECT least(1, round(sum(billed_usd), 2)::DOUBLE / round(sum(expected_usd), 2)::DOUBLE)
        FROM price_check WHERE model = m AND expected_usd > 0);
"""
CACHE_READS: Final = """
    WITH days AS (
        SELECT day, sum(input_tokens) AS i, sum(input_cached_tokens) AS c,
            sum(input_cache_write_tokens) AS w
        FROM usage WHERE api_key_id || ' ' || model = $subject GROUP BY day),
    whole AS (SELECT sum(i) AS i, sum(c) AS c, sum(w) AS w FROM days),
    weeks AS (
        SELECT a.day, sum(b.i) AS i, sum(b.c) AS c, sum(b.w) AS w
        FROM days a JOIN days b ON b.day BETWEEN a.day AND a.day + 6
        GROUP BY a.day HAVING count(*) = 7 ORDER BY sum(b.c) / sum(b.i) DESC, a.day LIMIT 1),
    mixed AS (
        SELECT whole.*, floor(whole.i * weeks.c / weeks.i) AS c2, ceil(whole.i * weeks.w / weeks.i)
            AS w2 FROM whole, weeks)
    SELECT (usd_of($model, 'standard', i - c - w, c, w, 0)
        - usd_of($model, 'standard', i - c2 - w2, c2, w2, 0)) * paid($model) FROM mixed
"""
BATCH_OR_FLEX: Final = """
    WITH whole AS (
        SELECT sum(input_uncached_tokens) AS u, sum(input_cached_tokens) AS c,
            sum(input_cache_write_tokens) AS w, sum(output_tokens) AS o
        FROM usage WHERE api_key_id || ' ' || model = $subject)
    SELECT (usd_of($model, 'standard', u, c, w, o) - usd_of($model, 'batch', u, c, w, o)) / 2
        * paid($model) FROM whole
"""
CHEAPER_SUCCESSOR: Final = """
    WITH counted AS (SELECT * REPLACE (quantity::DECIMAL(20) AS quantity) FROM spend)
    SELECT (round(sum(quantity * price(s.model, usage_type, 'standard', false)), 2)
        - round(sum(quantity * price(n.successor, usage_type, 'standard', false)), 2))
        * paid($model)
    FROM counted s JOIN successors n USING (model)
    WHERE coalesce(project_id, 'no project') || ' ' || s.model = $subject
        AND service_tier = 'standard' AND NOT is_long_context
"""
LONG_CONTEXT: Final = """
    SELECT sum(quantity * (price(model, usage_type, service_tier, true)
        - price(model, usage_type, service_tier, false))) * paid($model)
    FROM spend WHERE line_item = $subject
"""
NOTHING: Final = "SELECT 0 WHERE $subject IS NOT NULL AND coalesce($model, '') IS NOT NULL"
QUERIES: Final = dict(
    zip(
        RULES,
        (CACHE_READS, BATCH_OR_FLEX, CHEAPER_SUCCESSOR, NOTHING, NOTHING, LONG_CONTEXT),
        strict=True,
    )
)


@pytest.mark.parametrize("rule", RULES)
def test_a_saving_can_be_worked_out_again_from_the_tables(
    rule: str, found: pl.DataFrame, sql: duckdb.DuckDBPyConnection
) -> None:
    sql.execute(MACROS)
    rows = found.filter(rule=rule).rows(named=True)
    assert rows
    for row in rows:
        again = worked_out(sql, row)
        assert abs(row["saving_usd"] - again) <= Decimal("0.005"), row["because"]  # to a cent


def worked_out(sql: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> Decimal:
    about = {"subject": row["subject"], "model": row["model"]}
    (usd,) = sql.execute(QUERIES[row["rule"]], about).fetchone() or (None,)
    assert usd is not None
    return Decimal(str(usd))


def test_the_rows_keep_the_contract_and_the_most_dollars_come_first(found: pl.DataFrame) -> None:
    assert Optimization.broken_rules(found) == []
    assert found["saving_usd"].is_sorted(descending=True)
    assert set(found["rule"]) == set(RULES)


def test_a_saving_is_never_more_than_was_billed_for_it(found: pl.DataFrame) -> None:
    priced = found.filter(pl.col("saving_usd") > 0)
    assert priced.filter(pl.col("saving_usd") > pl.col("billed_usd")).is_empty()


def test_a_discount_shows_in_the_sentence_of_its_model_only(found: pl.DataFrame) -> None:
    discounted = found.filter(pl.col("because").str.contains("billed / "))
    assert set(discounted["model"]) == {"gpt-4.1"}


def test_the_order_of_the_tables_rows_does_not_matter(found: pl.DataFrame) -> None:
    month = a_month()
    turned = Month(month.usage.reverse(), month.spend.reverse(), month.keys, month.projects)
    assert insights(turned.facts).equals(found)


def test_a_month_without_spend_has_no_rows() -> None:
    assert Month().all_facts == []
