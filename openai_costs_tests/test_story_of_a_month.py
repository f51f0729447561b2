"""The sample organisation over a whole month: what the questions that need one make of it.

One connection, read once, names first; the shorter story with all its moments is test_story.py.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import duckdb
import polars as pl
import pytest

from openai_costs.kernel.formatting import to_cents
from openai_costs.orchestration.jobs import DIRECTORY, REFRESH
from openai_costs.tables.core.spend import Spend as Ledger
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs_tests.org import (
    EMPTY_DAY,
    FACTS,
    TODAY,
    House,
    Ran,
    added,
    connection,
    house,
    of_names,
    tidewater,
    usd,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

FIRST, LAST = TODAY - timedelta(days=31), TODAY - timedelta(days=2)
MILLION: Final = 1_000_000
QUESTIONS: Final = ("mart/price_check", "mart/optimization")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[House, Ran]:
    made = house(tmp_path_factory.mktemp("month") / "home")
    made.connections = (connection("tidewater", start=FIRST),)
    made.serve("tidewater", organisation=tidewater(days=40))
    assert made.run(FIRST, TODAY, job=DIRECTORY, only=of_names()).is_green
    ran = made.run(FIRST, TODAY, job=REFRESH, only=(*FACTS, *QUESTIONS))
    assert ran.is_green, ran.failures
    return made, ran


@pytest.fixture
def month(runs: tuple[House, Ran]) -> House:
    return runs[0]


@pytest.fixture
def savings(month: House) -> dict[tuple[str, str], Decimal]:
    """What each rule would save on each subject."""
    rows = month.lake.read(Optimization).select("rule", "subject", "saving_usd").rows()
    return {(rule.removeprefix("optimization."), subject): saved for rule, subject, saved in rows}


@pytest.fixture
def published(month: House) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(month.published), read_only=True) as sql:
        yield sql


def test_names_that_were_read_first_are_in_the_marts_without_a_second_run(month: House) -> None:
    rows = month.lake.read(Optimization).filter(subject="proj_hack_week")
    assert rows["subject_name"].to_list() == ["Hack week"]


@pytest.mark.parametrize(
    ("rule", "subject"),
    [
        ("batch_or_flex", "key_desk_prod gpt-5.4-mini-2026-03-17"),
        ("cache_reads", "key_desk_prod gpt-5.4-mini-2026-03-17"),
        ("cheaper_successor", "proj_place_search gpt-4.1-2025-04-14"),
        ("long_context", "priority | gpt-5.6-sol, input, long context"),
        ("long_context", "priority | gpt-5.6-sol, output, long context"),
    ],
)
def test_a_planted_saving_is_found(
    savings: dict[tuple[str, str], Decimal], rule: str, subject: str
) -> None:
    assert savings[rule, subject] > 1


def test_unused_and_duplicate_things_are_found_and_nothing_else(
    savings: dict[tuple[str, str], Decimal],
) -> None:
    forgotten = {key: usd for key, usd in savings.items() if key[0] in {"idle", "duplicate"}}
    assert forgotten == {
        ("idle", "proj_hack_week"): 0,
        ("idle", "key_labs_signe"): 0,
        ("idle", "key_labs_unused"): 0,
        ("duplicate", "key_studio_amrit"): 0,
        ("duplicate", "proj_voice_guide"): 0,
    }


def test_work_that_is_a_batch_already_is_no_candidate_for_one(
    savings: dict[tuple[str, str], Decimal],
) -> None:
    told = {subject.split()[0] for rule, subject in savings if rule == "batch_or_flex"}
    assert "key_evals_naima" not in told


def test_a_reader_works_out_the_surcharge_of_long_context_from_the_bill(
    savings: dict[tuple[str, str], Decimal], published: duckdb.DuckDBPyConnection
) -> None:
    for side, surcharge in (("input", 8), ("output", 20)):
        label = f"priority | gpt-5.6-sol, {side}, long context"
        question = f"""
            SELECT CAST(sum(quantity) AS BIGINT) FROM core.spend
            JOIN core.spend_control USING (connection, day)
            WHERE is_settled AND line_item = $label AND day BETWEEN '{FIRST}' AND '{LAST}'
        """  # noqa: S608 - our own dates
        ((tokens,),) = published.execute(question, {"label": label}).fetchall()
        assert savings["long_context", label] == to_cents(Decimal(tokens * surcharge) / MILLION)


def test_a_reader_works_out_what_waiting_would_save_from_usage(
    savings: dict[tuple[str, str], Decimal], published: duckdb.DuckDBPyConnection
) -> None:
    question = f"""
        SELECT sum(input_uncached_tokens), sum(input_cached_tokens), sum(output_tokens)
        FROM core.usage JOIN core.spend_control USING (connection, day)
        WHERE is_settled AND api_key_id = 'key_desk_prod' AND model = 'gpt-5.4-mini-2026-03-17'
          AND day BETWEEN '{FIRST}' AND '{LAST}'
    """  # noqa: S608 - our own dates
    ((fresh, cached, output),) = published.sql(question).fetchall()
    dollars = fresh * Decimal("0.75") + cached * Decimal("0.075") + output * Decimal("4.5")
    # Flex is half of it, and one token in two is taken to be able to wait.
    listed, flex = to_cents(dollars / MILLION), to_cents(dollars / MILLION / 2)
    saved = savings["batch_or_flex", "key_desk_prod gpt-5.4-mini-2026-03-17"]
    assert saved == to_cents((listed - flex) / 2)


def test_every_saving_shows_its_arithmetic(month: House) -> None:
    earning = month.lake.read(Optimization).filter(pl.col("saving_usd") > 0)
    assert earning["because"].str.contains("per million").all()


def test_every_line_of_the_bill_is_in_the_price_check_once(month: House) -> None:
    lines, checked = month.lake.read(Ledger), month.lake.read(PriceCheck)
    for when in lines["day"].unique():
        assert usd(checked, "tidewater", when) == usd(lines, "tidewater", when)
    total = added(checked["billed_usd"])
    assert total == added(month.lake.read(SpendControl)["billed_usd"])


def test_how_much_of_a_day_was_checked_is_a_number_on_that_day(runs: tuple[House, Ran]) -> None:
    made, ran = runs
    said = {
        event.partition: event.event_specific_data.materialization.metadata.get("checked_pct")
        for event in ran.result.all_events
        if event.is_step_materialization and event.asset_key.path == ["mart", "price_check"]
    }
    assert {when for when, value in said.items() if value is None} == {str(EMPTY_DAY)}
    rows = made.lake.read(PriceCheck).filter(day=LAST)
    priced = rows.filter(pl.col("expected_usd").is_not_null())
    share = added(priced["billed_usd"]) / added(rows["billed_usd"])
    assert said[str(LAST)].value == pytest.approx(float(100 * share), abs=0.005)  # two decimals
    assert said[str(LAST)].value < 100
