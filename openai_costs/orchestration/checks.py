"""Checks judge the data, with one verdict per day even in a run over many days.

A failed check means: do not rely on this table. It never judges the spending; a finding does that.
Not here: what a check compares its numbers with (the folder that owns the table).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import groupby

import dagster as dg

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.errors import CurrencyRefused
from openai_costs.orchestration.verdict_scope import EVERYTHING, Scope
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Replaced, Slice


@dataclass(frozen=True)
class Rule:
    """A check: its name, its promise, how severe a failure is, one verdict per day or per run."""

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
    """The result of a rule for one day."""

    rule: Rule
    day: date
    passed: bool
    because: str
    figures: Mapping[str, str | int] = field(default_factory=dict)
    severity: dg.AssetCheckSeverity | None = None
    """The severity of this failure, where it differs from the rule's own."""
    scope: Scope = EVERYTHING


AND = "; "
WARN = dg.AssetCheckSeverity.WARN
CONTRACT = Rule("contract", "Every row meets the table's contract (docs/tables.md).")
CURRENCY = Rule("currency", "Every amount is in dollars.")
DERIVED = replace(CONTRACT, is_daily=False)
"""The contract of a table derived from others, once per run: every event costs time, and the days
already have the verdicts of the tables they are derived from."""
KNOWN_FIELDS = Rule(
    "known_fields", "The provider's pages contain no unknown field or object.", WARN
)

Judge = Callable[[Lake, DayRange], Iterable[Verdict]]
ChecksBuilder = Callable[[dg.PartitionsDefinition[str]], dg.AssetChecksDefinition]
AnyContext = dg.AssetExecutionContext | dg.AssetCheckExecutionContext


def verdicts(rules: Sequence[Rule], replaced: Replaced) -> Iterator[Verdict]:
    """Yield the verdicts of the rules on each day that a write replaced or refused."""
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
            metadata={**verdict.figures, **verdict.scope.figures()},
            partition=str(verdict.day) if verdict.rule.is_daily else None,
        )


def finished(asset: dg.AssetKey, rules: Sequence[Rule]) -> Iterator[dg.Output[None]]:
    """Yield the empty outputs that tell Dagster which checks have run."""
    for rule in rules:
        name = rule.spec(asset, None).get_python_identifier()
        yield dg.Output(None, output_name=name)


def run_days(context: AnyContext) -> DayRange:
    """Return the UTC days of a run.

    Raises:
        dagster.Failure: The run has no partitions.
    """
    tags = context.run.tags
    single = tags.get("dagster/partition")
    first = single or tags.get("dagster/asset_partition_range_start")
    last = single or tags.get("dagster/asset_partition_range_end")
    if first is None or last is None:
        raise dg.Failure(
            "This run has no days. Choose partitions and launch it again.", allow_retries=False
        )
    return DayRange(date.fromisoformat(first), date.fromisoformat(last))


def day_checks(
    asset: dg.AssetKey, rules: Sequence[Rule], reads: Sequence[dg.AssetKey] = ()
) -> Callable[[Judge], ChecksBuilder]:
    """Return a decorator: a function that judges days becomes an asset's checks.

    Args:
        asset: The asset that is judged.
        rules: The rules that the function gives verdicts on.
        reads: Other assets that it compares the asset with.
    """

    def attach(judge: Judge) -> ChecksBuilder:
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

    return attach


def _verdict(rule: Rule, replaced: Replaced, day: date, keys: Sequence[Slice]) -> Verdict:
    texts = {key: text for key in keys if (text := _FAILURES[rule.name](replaced, key))}
    failures = defaultdict[str, list[str]](list)
    for key, text in texts.items():
        failures[key.connection].append(text)
    return Verdict(
        rule,
        day,
        passed=not texts,
        because=AND.join(texts.values()) or rule.promise,
        figures={"rows": sum(replaced.rows.get(key, 0) for key in keys)},
        scope=Scope(
            sorted({key.connection for key in keys}),
            {name: AND.join(its) for name, its in failures.items()},
        ),
    )


def _contract(replaced: Replaced, key: Slice) -> str:
    error = replaced.refused.get(key)
    return "" if error is None or isinstance(error, CurrencyRefused) else str(error)


def _currency(replaced: Replaced, key: Slice) -> str:
    error = replaced.refused.get(key)
    return str(error) if isinstance(error, CurrencyRefused) else ""


def _known_fields(replaced: Replaced, key: Slice) -> str:
    remark = replaced.remarks.get(key)
    return f"{key.connection}: {remark}" if remark else ""


_FAILURES: Mapping[str, Callable[[Replaced, Slice], str]] = {
    CONTRACT.name: _contract,
    CURRENCY.name: _currency,
    KNOWN_FIELDS.name: _known_fields,
}
