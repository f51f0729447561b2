"""Hangs a table's contract on its asset: key, columns, owner, description, and checks day by day.

`table_asset` turns a function that returns batches into a daily asset that validates and replaces
each (connection, day) and records a verdict and figures per day, also in a ranged run. The
decorators return a builder that waits for the partitions, so that modules need no settings.
Not here: checks that compare tables (checks.py), what a table holds (tables/).
"""

import functools
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from decimal import Decimal
from inspect import Parameter, Signature, signature
from typing import Any

import dagster as dg
import polars as pl

from openai_costs.kernel.days import DayRange
from openai_costs.orchestration.checks import DERIVED, Rule, evaluations, finished, verdicts
from openai_costs.orchestration.day_figures import record_days
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Batches, Replaced, Slice
from openai_costs.tables.contract import Contract, find_contract

DAILY = dg.DailyPartitionsDefinition
OWNERS = ("team:finops",)

Builder = Callable[[DAILY], dg.AssetsDefinition]
"""Makes the asset once the partitions are known."""

# Per-day checks and single-run backfills are what this project is built on; Dagster calls both
# young. openai_costs_tests/test_upstream.py pins what we rely on.
for young in (dg.BetaWarning, dg.PreviewWarning):
    warnings.filterwarnings("ignore", category=young)


class StoredBatches:
    """The stored slices of a table for the days of a run; can be iterated again."""

    def __init__(self, lake: Lake, table: type[Contract], days: DayRange) -> None:
        self._lake, self._table, self._days = lake, table, days

    def __iter__(self) -> Iterator[Batch]:
        return self._lake.batches(self._table, self._days)


class LakeIOManager(dg.IOManager):
    """Hands stored slices to an asset. They are written day by day, by `table_asset`."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def handle_output(self, context: dg.OutputContext, obj: None) -> None:
        """Do nothing: the slices were replaced by commits before the output was given."""

    def load_input(self, context: dg.InputContext) -> StoredBatches:
        """Return the stored slices of the days this run is about."""
        table = find_contract(*context.asset_key.path)
        days = [date.fromisoformat(key) for key in context.asset_partition_keys]
        return StoredBatches(self._lake, table, DayRange(min(days), max(days)))


def asset_key(table: type[Contract]) -> dg.AssetKey:
    """Return `schema/table`."""
    return dg.AssetKey([table.schema_name(), table.table_name()])


def described(table: type[Contract]) -> dict[str, Any]:
    """Return what every asset of a table says about itself."""
    columns = [
        dg.TableColumn(
            name,
            type=str(kind),
            description=f"{text} [{unit}]" if unit else text,
            constraints=dg.TableColumnConstraints(nullable=nullable),
        )
        for name, kind, unit, text, nullable in table.describe()
    ]
    return {
        "key": asset_key(table),
        "description": table.about(),
        "owners": list(OWNERS),
        "metadata": {"dagster/column_schema": dg.TableSchema(columns=columns)},
    }


def table_asset(  # noqa: PLR0913 - what a table's asset says about itself
    table: type[Contract],
    *,
    group: str,
    kinds: set[str],
    reads: Sequence[type[Contract]] = (),
    rules: Sequence[Rule] = (DERIVED,),
    is_explanation: bool = False,
    **options: Any,  # noqa: ANN401 - handed on to dagster.asset
) -> Callable[[Callable[..., Batches]], Builder]:
    """Return a decorator: a function that returns batches becomes the table's daily asset.

    Args:
        table: The contract.
        group: The question the asset answers: its folder.
        kinds: Technologies shown on the asset.
        reads: Tables the function takes as arguments, in the order of the arguments.
        rules: What is judged for every day of the table.
        is_explanation: Whether it explains the ledger: refusals turn checks red, and end no run.
        options: Further options of `dagster.asset`.
    """

    def hang(calculate: Callable[..., Batches]) -> Builder:
        def materialize(context: dg.AssetExecutionContext, **inputs: Any) -> Iterator[Any]:  # noqa: ANN401 - what the asset asks for
            lake, wanted = _lake_and(inputs, calculate)
            replaced = lake.replace(table, calculate(context, **wanted))
            _record(context, table, replaced, reads)
            judged = list(verdicts(rules, replaced))
            if replaced.refused and not replaced.rows and not is_explanation:
                yield from evaluations(asset_key(table), judged)
                raise dg.Failure(str(next(iter(replaced.refused.values()))), allow_retries=False)
            yield dg.Output(None)
            yield from evaluations(asset_key(table), judged)
            yield from finished(asset_key(table), rules)

        def build(days: DAILY) -> dg.AssetsDefinition:
            asset: dg.AssetsDefinition = dg.asset(
                **described(table),
                **options,
                ins=_inputs(calculate, reads),
                partitions_def=days,
                backfill_policy=dg.BackfillPolicy.single_run(),
                group_name=group,
                kinds=kinds,
                io_manager_key="lake_io",
                check_specs=[rule.spec(asset_key(table), days) for rule in rules],
            )(_looks_like(calculate, materialize))
            return asset

        return build

    return hang


def whole_table_asset(
    table: type[Contract], *, group: str, kinds: set[str], reads: Sequence[type[Contract]]
) -> Callable[[Callable[..., pl.DataFrame]], dg.AssetsDefinition]:
    """Return a decorator: a function that returns a frame becomes an asset computed as a whole.

    For small tables that look at all days at once.
    """

    def hang(calculate: Callable[..., pl.DataFrame]) -> dg.AssetsDefinition:
        def materialize(
            context: dg.AssetExecutionContext,
            **inputs: Any,  # noqa: ANN401 - what the asset asks for
        ) -> dg.MaterializeResult[Any]:
            lake, wanted = _lake_and(inputs, calculate)
            with lake.alone(table):
                frame = calculate(context, **wanted)
                lake.replace_whole(table, frame)
            return dg.MaterializeResult(metadata={"dagster/row_count": frame.height})

        asset: dg.AssetsDefinition = dg.asset(
            **described(table),
            deps=[asset_key(one) for one in reads],
            backfill_policy=dg.BackfillPolicy.single_run(),  # or no --partition-range run has it
            group_name=group,
            kinds=kinds,
        )(_looks_like(calculate, materialize))
        return asset

    return hang


def _looks_like(
    calculate: Callable[..., Any], materialize: Callable[..., Any]
) -> Callable[..., Any]:
    """Give a wrapper the name and arguments of what it wraps, and the lake, which it needs itself.

    Dagster reads an asset's inputs and resources off its signature.
    """
    asks = signature(calculate)
    lake = Parameter("lake", Parameter.KEYWORD_ONLY, annotation=dg.ResourceParam[Lake])
    ordered = [*asks.parameters.values(), *([] if "lake" in asks.parameters else [lake])]
    functools.update_wrapper(materialize, calculate)
    materialize.__annotations__.pop("return", None)
    del materialize.__wrapped__  # type: ignore[attr-defined]  # Dagster must see our signature
    materialize.__signature__ = asks.replace(parameters=ordered, return_annotation=Signature.empty)  # type: ignore[attr-defined]
    return materialize


def _lake_and(inputs: dict[str, Any], calculate: Callable[..., Any]) -> tuple[Lake, dict[str, Any]]:
    """Return the lake, and the inputs that the wrapped function itself asks for."""
    asked = signature(calculate).parameters
    return inputs["lake"], {name: value for name, value in inputs.items() if name in asked}


def _inputs(
    calculate: Callable[..., Batches], reads: Sequence[type[Contract]]
) -> dict[str, dg.AssetIn]:
    """Match the tables a function reads with its arguments, which follow the context."""
    names = list(signature(calculate).parameters)[1:]
    return {
        name: dg.AssetIn(key=asset_key(one), dagster_type=dg.Any)
        for name, one in zip(names, reads, strict=False)
    }


def _record(
    context: dg.AssetExecutionContext,
    table: type[Contract],
    replaced: Replaced,
    reads: Sequence[type[Contract]],
) -> None:
    """Record each day's figures on the asset, and on the newest where its columns come from."""
    by_day = defaultdict[date, list[Slice]](list)
    for key in replaced.rows:
        by_day[key.day].append(key)
    figures = {day: _figures(replaced, of_day) for day, of_day in sorted(by_day.items())}
    if reads and figures:
        figures[max(figures)]["dagster/column_lineage"] = lineage(table, reads)
    record_days(context, asset_key(table), figures)


def _figures(replaced: Replaced, of_day: Sequence[Slice]) -> dict[str, Any]:
    figures: dict[str, Any] = {
        "dagster/partition_row_count": sum(replaced.rows[key] for key in of_day),
        "connections": ", ".join(key.connection for key in of_day),
    }
    if replaced.totals_usd:
        spent = sum((replaced.totals_usd[key] for key in of_day), Decimal(0))
        figures |= {
            "spend_usd": round(float(spent), 2),
            "spend_usd_exact": f"{spent.normalize():f}",
        }
    return figures


def lineage(table: type[Contract], reads: Sequence[type[Contract]]) -> dg.TableColumnLineage:
    """Return where columns come from: one name is one thing, so the same name upstream."""
    return dg.TableColumnLineage(
        {
            column: [
                dg.TableColumnDep(asset_key=asset_key(one), column_name=column)
                for one in reads
                if column in one.types()
            ]
            for column in table.types()
        }
    )
