"""The checks of core.usage: no day is missing, counts add up, usage explains what was billed.

One verdict a run each: usage explains the ledger, and its days have no verdicts of their own.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg
import polars as pl

from openai_costs.kernel.days import ONE_DAY, Clock, DayRange, consecutive
from openai_costs.kernel.formatting import dollars, listed
from openai_costs.orchestration.checks import WARN, Rule, Verdict, evaluations, finished, run_days
from openai_costs.orchestration.table_assets import asset_key
from openai_costs.questions.provider_scope import of_openai
from openai_costs.questions.usage.consistency import (
    SLICE,
    billed_tokens,
    contradictions,
    disagreements,
    negative_counts,
    used_tokens,
)
from openai_costs.settings.load import Settings
from openai_costs.sources.kept_days import first_not_deleted, latest
from openai_costs.sources.registry import provider_of
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.core.usage import Usage

MOST_LISTED = 10
SEPARATOR = "; "
CONTIGUOUS = Rule(
    "contiguous",
    "No day of usage is missing between a connection's first read day and yesterday (UTC).",
    WARN,
    is_daily=False,
)
NOT_NEGATIVE = Rule("tokens_non_negative", "No count is below zero.", is_daily=False)
ADD_UP = Rule(
    "tokens_add_up",
    "Input is cached, cache writes and uncached; each of them and output the sum of modalities.",
    is_daily=False,
)
COVERS_COSTS = Rule(
    "covers_costs",
    "Every model billed on a settled day has usage, within 2 % of the tokens billed.",
    WARN,
    is_daily=False,
)
RULES = (CONTIGUOUS, NOT_NEGATIVE, ADD_UP, COVERS_COSTS)


def usage_checks(days: dg.PartitionsDefinition[str]) -> dg.AssetChecksDefinition:
    """Build the checks."""
    asset = asset_key(Usage)
    reads = [asset_key(Spend), asset_key(SpendControl)]

    @dg.multi_asset_check(
        name="usage_checks",
        specs=[rule.spec(asset, days, reads) for rule in RULES],
        required_resource_keys={"lake", "settings", "clock"},
    )
    def evaluate(context: dg.AssetCheckExecutionContext) -> Iterator[object]:
        """Judge what is stored of usage."""
        resources = context.resources
        judged = judge(resources.lake, resources.settings, resources.clock, run_days(context))
        yield from evaluations(asset, judged)
        yield from finished(asset, RULES)

    return evaluate


def judge(lake: Lake, settings: Settings, clock: Clock, days: DayRange) -> Iterator[Verdict]:
    """Yield one verdict per rule on the days of a run, about all connections, asked or not."""
    with_usage = [one for one in settings.connections if provider_of(one).usage]
    skipped = [one.name for one in with_usage if one.access == "costs_only"]
    asked = [one.name for one in with_usage if one.name not in skipped]
    skips = f" Not asked for usage, access is costs_only: {', '.join(skipped)}." if skipped else ""
    kept = {one.name: provider_of(one).kept_days for one in with_usage}
    today, not_deleted = clock().date(), first_not_deleted(settings, lake, clock().date())
    first = {name: _first_kept(kept[name], not_deleted(name), today) for name in asked}
    yield _contiguous(lake, first, days, today, skips)
    yield from _sound(lake, days)
    yield _covered(lake, asked, days, skips)


def _contiguous(
    lake: Lake, first_kept: Mapping[str, date], days: DayRange, today: date, skips: str
) -> Verdict:
    """Judge the gaps of each connection, without days that nothing reads again."""
    gaps = [
        f"{name}: {gap}"
        for name, first in first_kept.items()
        for gap in consecutive(
            day for day in _missing(lake.days(Usage, name), today - ONE_DAY) if day >= first
        )
    ]
    because = (
        f"{listed(gaps, MOST_LISTED, separator=SEPARATOR)} missing: backfill them."
        if gaps
        else "No gap."
    )
    return Verdict(CONTIGUOUS, days.last, not gaps, because + skips, {"gaps": len(gaps)})


def _first_kept(kept_days: int | None, not_deleted: date | None, today: date) -> date:
    """Return the first day that a provider and the settings keep."""
    by_provider = today - ONE_DAY * kept_days if kept_days else None
    return latest(by_provider, not_deleted) or date.min


def _missing(stored: set[date], yesterday: date) -> set[date]:
    """Return the days from the first that is stored to yesterday that are not."""
    return set(DayRange(min(stored), yesterday)) - stored if stored else set()


def _sound(lake: Lake, days: DayRange) -> Iterator[Verdict]:
    negative, wrong = [], []
    for batch in lake.batches(Usage, days):
        negative.append(negative_counts(batch.frame))
        wrong.append(contradictions(batch.frame))
    for rule, found in ((NOT_NEGATIVE, pl.concat(negative)), (ADD_UP, pl.concat(wrong))):
        sentences = [
            f"{connection}, {day}, {endpoint}, {model}: {sentence}"
            for connection, day, endpoint, model, sentence in found.iter_rows()
        ]
        because = listed(sentences, MOST_LISTED, separator=SEPARATOR) or rule.promise
        yield Verdict(rule, days.last, found.is_empty(), because, {"rows": found.height})


def _covered(lake: Lake, asked: list[str], days: DayRange, skips: str) -> Verdict:
    """Judge the settled days: costs and usage of an open day were read at different moments."""
    settled = lake.read(SpendControl, days).filter("is_settled", pl.col("connection").is_in(asked))
    billed = pl.concat(
        [billed_tokens(of_openai(batch.frame)) for batch in lake.batches(Spend, days)]
    )
    used = pl.concat([used_tokens(of_openai(batch.frame)) for batch in lake.batches(Usage, days)])
    found = disagreements(billed.join(settled.select(SLICE), on=SLICE, how="semi"), used)
    gaps = list(map(_gap, found.iter_rows(named=True)))
    because = listed(gaps, MOST_LISTED, separator=SEPARATOR) or COVERS_COSTS.promise
    return Verdict(
        COVERS_COSTS, days.last, found.is_empty(), because + skips, {"gaps": found.height}
    )


def _gap(row: dict[str, Any]) -> str:
    where = f"{row['connection']}, {row['day']}, {row['model']}"
    billed = row["billed_tokens"]
    tokens = f"{billed:,.0f} tokens" if billed is not None else "no quantity"
    usd = f"{dollars(row['billed_usd'])} ({tokens})"
    if row["used_tokens"] is None:
        return f"{where}: billed {usd}, no usage"
    share = f", {row['gap_pct']:+.1f} %" if row["gap_pct"] is not None else ""
    return f"{where}: billed {usd}, used {row['used_tokens']:,.0f} tokens{share}"


CHECKS = (usage_checks,)
