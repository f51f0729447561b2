"""Publication as an asset: the database, its views, and whether it is current."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
import polars as pl
from upath import UPath

from openai_costs.kernel.days import ONE_DAY, Clock, DayRange
from openai_costs.kernel.formatting import listed
from openai_costs.orchestration.checks import CONTRACT, CURRENCY
from openai_costs.orchestration.table_assets import OWNERS, asset_key
from openai_costs.outputs.publish.bi import VIEWS, View
from openai_costs.outputs.publish.database import Published, publish
from openai_costs.outputs.publish.empty_database import view_types
from openai_costs.outputs.publish.preview import preview
from openai_costs.questions.coverage import (
    complete_through,
    former_connections,
    missing_ranges,
    never_read,
    of_costs,
    since_first_read,
)
from openai_costs.questions.spend.verification import withheld_text
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.mart.coverage import Coverage

DATABASE = dg.AssetKey(["published", "duckdb"])
GROUP = "publish"
LATE_AFTER = timedelta(hours=30)
"""A daily refresh that did not publish for this long is late."""

MOST_GAPS = 10
"""How many ranges of missing days a check lists."""


def published_database() -> dg.AssetsDefinition:
    """Build the asset that publishes."""

    @dg.asset(
        key=DATABASE,
        deps=[asset_key(table) for table in all_contracts()],
        description="The database for readers. A DuckDB file and Parquet tables, brought up to "
        "date with the lake beside the old ones and renamed into place.",
        backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
        group_name=GROUP,
        kinds={"duckdb", "parquet"},
        owners=list(OWNERS),
        freshness_policy=dg.FreshnessPolicy.time_window(fail_window=LATE_AFTER),
        pool="publish",
    )
    def duckdb(
        context: dg.AssetExecutionContext,
        lake: dg.ResourceParam[Lake],
        home: dg.ResourceParam[UPath],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[dg.MaterializeResult[Any]]:
        done = publish(home, lake, publication_key(settings))
        for view in VIEWS:  # no run makes them: without an event they would look abandoned
            context.log_event(dg.AssetMaterialization(dg.AssetKey(["bi", view.name])))
        yield dg.MaterializeResult(metadata=_figures(done, lake))
        refused = _refused_in(context)
        unpublished = f"Published, but some days of this run were refused: {refused}"
        reasons = [withheld_text(done.withheld), unpublished if refused else ""]
        if any(reasons):
            raise dg.Failure(" ".join(filter(None, reasons)), allow_retries=False)

    return duckdb


@dg.asset_check(
    asset=DATABASE,
    description="Every connection is published through yesterday (UTC).",
)
def through_yesterday(
    lake: dg.ResourceParam[Lake], clock: dg.ResourceParam[Clock]
) -> dg.AssetCheckResult:
    """Judge whether every connection has yesterday."""
    yesterday = clock().date() - ONE_DAY
    costs = of_costs(lake.read(Coverage))
    late = ", ".join(costs.filter(state="missing", day=yesterday)["connection"].to_list())
    is_known = not costs.filter(pl.col("day") >= yesterday).is_empty()
    return dg.AssetCheckResult(
        passed=is_known and not late,
        severity=dg.AssetCheckSeverity.WARN,
        description=_lateness(costs, late, yesterday, is_known=is_known),
    )


def _lateness(costs: pl.DataFrame, late: str, yesterday: date, *, is_known: bool) -> str:
    """Return what is known of yesterday: where no run was since, no table says anything of it."""
    if not is_known:
        days: list[date] = costs["day"].sort().to_list()
        ends = f"{Coverage.full_name()} ends with {days[-1]}" if days else "No day was ever read"
        unknown = f"{ends}, so nothing is known of {yesterday}."
        return f"{unknown} To read it, run openai-costs backfill."
    if late:
        return f"{yesterday} is missing for {late}."
    return f"Every connection is published through {yesterday}."


@dg.asset_check(
    asset=asset_key(Coverage),
    description="No day is missing between a connection's first read day and yesterday (UTC).",
)
def contiguous(lake: dg.ResourceParam[Lake], clock: dg.ResourceParam[Clock]) -> dg.AssetCheckResult:
    """Judge whether the days that were read are without a gap that a backfill can fill."""
    is_past = (pl.col("day") < clock().date()) & pl.col("reason").is_null()
    past = of_costs(lake.read(Coverage)).filter(is_past)
    gaps, unread = missing_ranges(since_first_read(past)), never_read(past)
    missing = [f"{name}: {DayRange(first, last)}" for name, first, last in gaps.iter_rows()]
    named = listed(missing, MOST_GAPS, "range", "; ")
    firsts, lasts = (gaps[name].to_list() for name in ("first_day", "last_day"))
    ends = f"--from {min(firsts)} --to {max(lasts)}" if missing else ""
    return dg.AssetCheckResult(
        passed=not missing,
        description=f"Days are missing. {named}. To read them, run openai-costs backfill {ends}."
        if missing
        else _no_gap(unread, max(past["day"], default=None)),
        metadata={"gaps": gaps.height},
    )


def _no_gap(unread: Sequence[str], last: date | None) -> str:
    """Return what a green verdict says: not that days are there that were never read."""
    through = f"No day is missing through {last}" if last else "No day was ever read"
    if not unread:
        return f"{through}."
    names = listed(unread, MOST_GAPS)
    return f"{through}, since the first read of a connection. Never read: {names}."


CHECKS = (through_yesterday, contiguous)


def views() -> list[dg.AssetSpec]:
    """Return the views of the schema `bi`: they live in the database, nothing runs them."""
    return [
        dg.AssetSpec(
            dg.AssetKey(["bi", view.name]),
            deps=[DATABASE],
            description=view.about,
            group_name=GROUP,
            kinds={"duckdb"},
            owners=list(OWNERS),
            metadata={"dagster/column_schema": _columns(view)},
        )
        for view in VIEWS
    ]


def _columns(view: View) -> dg.TableSchema:
    types = view_types()  # without a type, Dagster calls every column a string
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name, type=types[view.name, name], description=text)
            for name, text in view.columns.items()
        ]
    )


def _figures(done: Published, lake: Lake) -> dict[str, Any]:
    known = lake.read(Coverage)
    coverage, former = of_costs(known), former_connections(known)
    connected = done.daily.filter(~pl.col("connection").is_in(former))
    daily = connected.group_by("day").agg(billed_usd=pl.col("usd").sum()).sort("day")
    through = complete_through(coverage)
    waiting = since_first_read(coverage).filter(state="missing")
    return {
        "path": dg.MetadataValue.path(str(done.path)),
        "rows": sum(done.rows.values()),
        "size_bytes": done.size_bytes,
        "is_rebuilt": done.is_rebuilt,
        "spend_usd": round(float(daily["billed_usd"].sum()), 2),
        "data_through": str(through) if through else "no day yet",
        "days_in_flight": len(done.in_flight),
        "days_withheld": len({one.key for one in done.withheld}),
        "preview": dg.MetadataValue.md(preview(daily, through, waiting.height, former)),
    }


def _refused_in(context: dg.AssetExecutionContext) -> str:
    """Return what earlier steps of this run refused to write; empty if nothing."""
    events = context.instance.get_records_for_run(
        context.run.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    refused = {
        evaluation.description or ""
        for record in events
        if (evaluation := record.event_log_entry.dagster_event.asset_check_evaluation_data)
        and evaluation.check_name in {CONTRACT.name, CURRENCY.name}
        and not evaluation.passed
    }
    return " ".join(sorted(refused)[:5])
