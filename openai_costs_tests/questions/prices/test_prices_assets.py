"""The price check and what builds on it, run by Dagster over stored slices."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest
from upath import UPath

from openai_costs.orchestration.table_assets import LakeIOManager, asset_key
from openai_costs.questions.optimization.assets import optimization
from openai_costs.questions.prices.assets import price_check, price_checks
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.optimization import Optimization
from openai_costs.tables.mart.price_check import PriceCheck
from openai_costs_tests.org import NOW, QUIET, calm
from openai_costs_tests.questions.optimization.month import (
    FIRST,
    LAST,
    MONTH,
    billed,
    coverage,
    every_day,
)
from openai_costs_tests.questions.optimization.month import line as one_line

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

    from openai_costs.tables.contract import Contract


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """A month with two lines on its last day, one of them of a model that nobody knows."""
    made = Lake(UPath(tmp_path))
    nova = one_line("gpt-99-nova, input", "6", "1000000")
    store(made, Spend, billed(one_line("gpt-4.1, input", "2", "1000000"), nova))
    store(made, Usage, every_day(1_000_000, output=1_000_000))
    made.replace_whole(Coverage, coverage())
    return made


def store(lake: Lake, table: type[Contract], frame: pl.DataFrame) -> None:
    lake.replace(table, [Batch(frame, {Slice("acme", day): NOW for day in MONTH})])


def run(lake: Lake) -> dg.ExecuteInProcessResult:
    with calm():
        days = dg.DailyPartitionsDefinition(FIRST.isoformat(), end_offset=1)
        of_lake = {"dagster/io_manager_key": "lake_io"}
        stored = [
            dg.AssetSpec(asset_key(table), partitions_def=days, metadata=of_lake)
            for table in (Spend, Usage)
        ]
        defs = dg.Definitions(
            assets=[price_check(days), optimization, *stored],
            asset_checks=[price_checks(days)],
            jobs=[dg.define_asset_job("both", [asset_key(PriceCheck), asset_key(Optimization)])],
            resources={"lake": lake, "lake_io": LakeIOManager(lake)},
        )
        tags = {
            "dagster/asset_partition_range_start": str(FIRST),
            "dagster/asset_partition_range_end": str(LAST),
        }
        return defs.resolve_job_def("both").execute_in_process(tags=tags, run_config=QUIET)


def test_the_share_of_dollars_that_was_checked_is_a_number_of_the_day(lake: Lake) -> None:
    shares = {
        event.partition: event.materialization.metadata["checked_pct"].value
        for event in run(lake).all_events
        if event.is_step_materialization and "checked_pct" in event.materialization.metadata
    }
    assert shares == {str(LAST): 25.0}
    assert lake.read(PriceCheck)["expected_usd"].to_list() == [Decimal(2), None]


def test_a_model_without_a_price_is_reported_with_its_dollars_once_a_run(lake: Lake) -> None:
    said = [one for one in verdicts(run(lake)) if one.check_name == "known_prices"]
    assert [(one.passed, one.partition, one.description) for one in said] == [
        (False, None, "genai-prices 0.2.3 does not know gpt-99-nova of openai ($6.00).")
    ]
    assert said[0].severity is dg.AssetCheckSeverity.WARN
    assert said[0].metadata["unpriced_usd"].value == "$6.00"


def test_what_could_be_saved_is_measured_from_the_lake(lake: Lake) -> None:
    run(lake)
    found = lake.read(Optimization)
    assert found.select("rule", "subject", "saving_usd").rows() == [
        ("optimization.batch_or_flex", "k gpt-4.1", Decimal(75)),
        ("optimization.cheaper_successor", "p gpt-4.1", Decimal("1.9")),
    ]


def verdicts(result: dg.ExecuteInProcessResult) -> list[Any]:
    return [
        event.asset_check_evaluation_data
        for event in result.all_events
        if event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ]
