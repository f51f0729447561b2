"""The reconciliation and the capture rate as assets: take both sides of some days, call, return."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import dagster as dg
import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.orchestration.checks import run_days
from openai_costs.orchestration.table_assets import asset_key, table_asset
from openai_costs.questions.gateway import judged_days, meter_days
from openai_costs.questions.provider_scope import at_openai, of_openai
from openai_costs.questions.reconciliation.capture import Reads, capture
from openai_costs.questions.reconciliation.day_boundary import REACH_DAYS
from openai_costs.questions.reconciliation.reconcile import Sides, reconciliation
from openai_costs.settings.connection import Connection
from openai_costs.settings.gateway import days_in_use
from openai_costs.settings.load import Settings
from openai_costs.sources.account_notes import with_own_days
from openai_costs.storage.lake import ROWS_A_BATCH, Lake
from openai_costs.storage.slices import Batch, Batches, Slice
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.gateway_capture import GatewayCapture
from openai_costs.tables.mart.price_check import PriceCheck

SIDES = (Spend, Usage, GatewaySpend)
COMPARED = (Spend, SpendControl, Usage, GatewaySpend, GatewayTokens, ApiKeys, PriceCheck)
FEWEST_DAYS = 14
"""Days laid side by side at a time, or as many more as have few rows: bounds the memory of a run,
whatever the range."""


@table_asset(
    CostReconciliation,
    group="reconciliation",
    kinds={"polars", "deltalake"},
    deps=[asset_key(table) for table in COMPARED],
)
def cost_reconciliation(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Lay the bill beside the meter, some days at a time."""
    for days in _pieces(lake, run_days(context)):
        wanted, rows = judged_days(lake, settings.gateway, days), CostReconciliation.no_rows()
        if wanted is not None:
            rows = reconciliation(
                sides(lake, wanted, settings.connections), settings.gateway, list(wanted)
            )
        stored = lake.slices(CostReconciliation).filter(pl.col("day").is_in(list(days)))
        yield Batch(rows, _of_rows([rows, stored], _read_at(lake, days)))


@table_asset(
    GatewayCapture,
    group="reconciliation",
    kinds={"polars", "deltalake"},
    deps=[asset_key(table) for table in (Spend, SpendControl, GatewaySpend)],
)
def gateway_capture(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> Batches:
    """Lay the sum of each provider's bill beside the sum of the meter."""
    name = settings.gateway.name
    for days in _pieces(lake, run_days(context)):
        wanted = days_in_use(settings.gateway, days)
        rows = GatewayCapture.no_rows() if wanted is None else _captured(lake, wanted, settings)
        made = lake.days(GatewayCapture, name) | set(wanted or ())
        read_at = {key.day: at for key, at in _read_at(lake, days).items() if key.day in made}
        yield Batch(rows, {Slice(name, day): at for day, at in read_at.items()})


DAILY_ASSETS = (cost_reconciliation, gateway_capture)


def _captured(lake: Lake, days: DayRange, settings: Settings) -> pl.DataFrame:
    ledger = lake.read(Spend, days)
    bill_days = lake.read(SpendControl, days).select("connection", "day", "is_settled")
    read = meter_days(lake.batches(GatewaySpend, days))
    reads = Reads(bill_days, read, with_own_days(settings))
    return capture(ledger, lake.read(GatewaySpend, days), reads, settings.gateway.name)


def sides(lake: Lake, days: DayRange, connections: Sequence[Connection]) -> Sides:
    """Return both sides of some days, and of as many around them as decide about them.

    Args:
        lake: Where the tables are.
        days: The days.
        connections: The connections of the settings: those of other providers have no meter.
    """
    around = ONE_DAY * REACH_DAYS
    reach = DayRange(days.first - around, days.last + around)
    ledger = lake.read(Spend, reach)
    read = lake.read(SpendControl, reach).select("connection", "day", "is_settled")
    return Sides(
        ledger=of_openai(ledger),
        usage=of_openai(lake.read(Usage, reach)),
        meter=lake.read(GatewaySpend, reach),
        tokens=lake.read(GatewayTokens),
        keys=lake.read(ApiKeys),
        list_prices=of_openai(lake.read(PriceCheck, reach)),
        bill_days=at_openai(read, connections, ledger),
        meter_days=meter_days(lake.batches(GatewaySpend, reach)),
    )


def _pieces(lake: Lake, days: DayRange) -> Iterator[DayRange]:
    stored = pl.concat([lake.slices(one).select("day", "rows") for one in SIDES])
    rows = int(stored.filter(pl.col("day").is_between(days.first, days.last))["rows"].sum())
    length = max(FEWEST_DAYS, len(days) * ROWS_A_BATCH // max(rows, ROWS_A_BATCH))
    for number in range(0, len(days), length):
        first = days.first + ONE_DAY * number
        yield DayRange(first, min(days.last, first + ONE_DAY * (length - 1)))


def _read_at(lake: Lake, days: DayRange) -> dict[Slice, datetime]:
    """Return every slice of the days that either side was read for; the bill's read wins."""
    found: dict[Slice, datetime] = {}
    wanted = set(days)
    for table in (GatewaySpend, Spend):
        found |= {key: at for key, at in lake.reads(table).items() if key.day in wanted}
    return found


def _of_rows(
    frames: Sequence[pl.DataFrame], read_at: dict[Slice, datetime]
) -> dict[Slice, datetime]:
    """Add slices that neither side was read for: of a bill that was not read, or is not any more.

    Args:
        frames: The rows that are made, and those that they replace: of a bill that settings named.
        read_at: `_read_at`.
    """
    by_day: dict[date, datetime] = {key.day: at for key, at in read_at.items()}
    both = pl.concat([one.select("connection", "day") for one in frames]).unique()
    keys = (Slice(*key) for key in both.iter_rows())
    return {key: by_day[key.day] for key in keys if key.day in by_day} | read_at
