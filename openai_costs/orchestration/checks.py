"""Checks judge the data, one verdict per day, also in a run over many days.

A red check means: do not believe this table. It never judges the spending; that is a finding.
Not here: what the numbers of a check are compared with (the folder that owns the table).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

import dagster as dg

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import CurrencyRefused
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Replaced, Slice


@dataclass(frozen=True)
class Rule:
    """A check: its name, what it promises, how bad a failure is, one verdict a day or one a run."""

    name: str
    promise: str
    severity: dg.AssetCheckSeverity = dg.AssetCheckSeverity.ERROR
    is_daily: bool = True

    def spec(
        self,
        asset: dg.AssetKey,
        days: dg.PartitionsDefinition[str] | None,
        reads: Sequence[dg.AssetKey] = (),
    ) -> dg.AssetCheckSpec:
        """Return the check as Dagster knows it."""
        return dg.AssetCheckSpec(
            self.name,
            asset=asset,
            description=self.promise,
            partitions_def=days if self.is_daily else None,
            additional_deps=list(reads) or None,
        )


@dataclass(frozen=True)
class Verdict:
    """What a rule says about one day."""

    rule: Rule
    day: date
    passed: bool
    because: str
    figures: Mapping[str, str | int] = field(default_factory=dict)
    severity: dg.AssetCheckSeverity | None = None
    """How bad it is this time, where that differs from the rule's own severity."""


WARN = dg.AssetCheckSeverity.WARN
CONTRACT = Rule("contract", "Every row keeps the table's contract (docs/tables.md).")
CURRENCY = Rule("currency", "Every amount is in dollars.")
DERIVED = replace(CONTRACT, is_daily=False)
"""The contract of a table derived from others: every event costs a run time, and its days already
have the verdicts of the tables they come from."""
KNOWN_FIELDS = Rule("known_fields", "The page has no field or object that is new to us.", WARN)

Judge = Callable[[Lake, DayRange], Iterable[Verdict]]
ChecksBuilder = Callable[[dg.PartitionsDefinition[str]], dg.AssetChecksDefinition]
AnyContext = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


def verdicts(rules: Sequence[Rule], replaced: Replaced) -> Iterator[Verdict]:
    """Yield what the rules say of each day that a write touched or refused."""
    slices = sorted({*replaced.rows, *replaced.refused}, key=lambda key: (key.day, key.connection))
    by_day = {day: list(keys) for day, keys in groupby(slices, key=lambda key: key.day)}
    for rule in rules:
        if rule.is_daily:
            yield from (_verdict(rule, replaced, day, keys) for day, keys in by_day.items())
        elif slices:
            yield _verdict(rule, replaced, slices[-1].day, slices)


def evaluations(asset: dg.AssetKey, judged: Iterable[Verdict]) -> Iterator[dg.AssetCheckEvaluation]:
    """Yield verdicts as Dagster records them: one evaluation per day."""
    for verdict in judged:
        yield dg.AssetCheckEvaluation(
            asset_key=asset,
            check_name=verdict.rule.name,
            passed=verdict.passed,
            severity=verdict.severity or verdict.rule.severity,
            description=verdict.because,
            metadata=verdict.figures,
            partition=str(verdict.day) if verdict.rule.is_daily else None,
        )


def finished(asset: dg.AssetKey, rules: Sequence[Rule]) -> Iterator[dg.Output[None]]:
    """Yield the empty outputs by which Dagster knows that checks have run."""
    for rule in rules:
        name = rule.spec(asset, None).get_python_identifier()
        yield dg.Output(None, output_name=name)


def run_days(context: AnyContext) -> DayRange:
    """Return the UTC days a run is about."""
    tags = context.run.tags
    single = tags.get("dagster/partition")
    first = single or tags.get("dagster/asset_partition_range_start")
    last = single or tags.get("dagster/asset_partition_range_end")
    if first is None or last is None:
        raise dg.Failure("This run names no day: choose partitions to launch.", allow_retries=False)
    return DayRange(date.fromisoformat(first), date.fromisoformat(last))


def day_checks(
    asset: dg.AssetKey, rules: Sequence[Rule], reads: Sequence[dg.AssetKey] = ()
) -> Callable[[Judge], ChecksBuilder]:
    """Return a decorator: a function that judges days becomes an asset's checks.

    Args:
        asset: The asset judged.
        rules: The rules the function gives verdicts for.
        reads: Other assets it compares with.
    """

    def hang(judge: Judge) -> ChecksBuilder:
        def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[object]:
            """Judge the days of the run."""
            yield from evaluations(asset, judge(context.resources.lake, run_days(context)))
            yield from finished(asset, rules)

        def build(days: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
            return dg.multi_asset_check(
                name=getattr(judge, "__name__", "judge"),
                specs=[rule.spec(asset, days, reads) for rule in rules],
                required_resource_keys={"lake"},
            )(evaluate)

        return build

    return hang


def _verdict(rule: Rule, replaced: Replaced, day: date, keys: Sequence[Slice]) -> Verdict:
    said = [said for key in keys if (said := _OBJECTIONS[rule.name](replaced, key))]
    rows = sum(replaced.rows.get(key, 0) for key in keys)
    return Verdict(rule, day, not said, "; ".join(said) or rule.promise, {"rows": rows})


def _contract(replaced: Replaced, key: Slice) -> str:
    error = replaced.refused.get(key)
    return "" if error is None or isinstance(error, CurrencyRefused) else str(error)


def _currency(replaced: Replaced, key: Slice) -> str:
    error = replaced.refused.get(key)
    return str(error) if isinstance(error, CurrencyRefused) else ""


def _known_fields(replaced: Replaced, key: Slice) -> str:
    remark = replaced.remarks.get(key)
    return f"{key.connection}: {remark}" if remark else ""


_OBJECTIONS: Mapping[str, Callable[[Replaced, Slice], str]] = {
    CONTRACT.name: _contract,
    CURRENCY.name: _currency,
    KNOWN_FIELDS.name: _known_fields,
}
