"""The checks of spend: reads agree, nothing is counted twice, every dollar is attributed once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.formatting import counted, dollars, exact_dollars, listed, total_usd
from openai_costs.kernel.money import FLOAT_NOISE
from openai_costs.orchestration.checks import WARN, Rule, Verdict, day_checks
from openai_costs.orchestration.table_assets import asset_key
from openai_costs.questions.spend.control_totals import (
    attributed,
    compared,
    day_sums,
    fell_silent,
    line_counts,
    method_sums,
)
from openai_costs.questions.spend.settled_totals import LARGE_PCT, Change, changes
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.restatements import Restatements
from openai_costs.tables.mart.spend import Spend as MartSpend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import ATTRIBUTIONS
from openai_costs.tables.mart.spend_by_user import SpendByUser as MartSpendByUser

UNPARSED_LIMIT_PCT = Decimal(5)
TIES_OUT = Rule(
    "ties_out", "Page, ledger and user view equal the control total; the difference is exactly 0."
)
DUPLICATES = Rule("duplicates", "No two ledger rows of a day have the same key.")
ROWS_ARRIVED = Rule("rows_arrived", "A settled day after a day with spend has spend too.", WARN)
ATTRIBUTED = Rule(
    "attribution_ties_out",
    "Spend, attribution and spend by user equal the control total; the difference is exactly 0.",
    is_daily=False,
)
SETTLED_TOTAL = Rule(
    "settled_total_kept",
    f"No settled day lost its dollars or changed by more than {LARGE_PCT} %.",
)
DAYS_LISTED = 5
READS = {
    "the page": "page_usd",
    "core.spend": "ledger_usd",
    "core.spend_by_user": "user_usd",
}
MARTS = {
    "mart.spend": "spend_usd",
    "mart.spend_attribution": "attribution_usd",
    "mart.spend_by_user": "user_usd",
}
UNPARSED = Rule(
    "unparsed_dollars", "At least 95 % of the day's dollars have a recognized label.", WARN
)


@day_checks(
    asset_key(Spend),
    (TIES_OUT, DUPLICATES, ROWS_ARRIVED, UNPARSED),
    reads=(asset_key(SpendByUser), asset_key(SpendControl)),
)
def ledger_checks(lake: Lake, days: DayRange) -> Iterator[Verdict]:
    """Judge the ledger of each day, as many rows at a time as fit in memory."""
    pages, totals, counts = [], [], []
    for batch in lake.batches(Spend, days):
        pages.append(batch.page_sums())
        totals.append(day_sums(batch.frame))
        counts.append(line_counts(batch.frame))
    users = [day_sums(batch.frame) for batch in lake.batches(SpendByUser, days)]
    control = lake.read(SpendControl, [days.first - ONE_DAY, *days])
    sums = compared(control, pl.concat(pages), pl.concat(totals), pl.concat(users))
    yield from _sums_agree(sums.filter(pl.col("day") >= days.first))
    yield from _lines_are_sound(control.filter(pl.col("day") >= days.first), pl.concat(counts))
    yield from (verdict for verdict in _rows_arrived(sums) if verdict.day >= days.first)


@day_checks(
    asset_key(MartSpendByUser),
    (ATTRIBUTED,),
    reads=(asset_key(MartSpend), asset_key(SpendAttribution), asset_key(SpendControl)),
)
def attribution_checks(lake: Lake, days: DayRange) -> Iterator[Verdict]:
    """Judge the marts of all days at once: every event costs a run time."""
    spend, users, methods = (
        pl.concat([sums(batch.frame) for batch in lake.batches(mart, days)])
        for mart, sums in (
            (MartSpend, day_sums),
            (MartSpendByUser, day_sums),
            (SpendAttribution, method_sums),
        )
    )
    beside = attributed(lake.read(SpendControl, days), spend, methods, users)
    yield _attribution_agrees(beside, methods, days.last)


@day_checks(asset_key(Restatements), (SETTLED_TOTAL,), reads=(asset_key(SpendControl),))
def restatement_checks(lake: Lake, days: DayRange) -> Iterator[Verdict]:
    """Judge how much the total of each day has changed since it had settled."""
    changed = changes(lake.read(Restatements, days))
    for day in sorted(set(lake.read(SpendControl, days)["day"])):
        yield _total_kept(day, [one for one in changed if one.day == day])


def _total_kept(day: date, changed: Sequence[Change]) -> Verdict:
    notable = [one for one in changed if one.size != "small"]
    is_error = any(one.size == "very large" for one in notable)
    totals = {
        "previous_usd": str(total_usd([one.previous_usd for one in changed])),
        "current_usd": str(total_usd([one.current_usd for one in changed])),
    }
    return Verdict(
        SETTLED_TOTAL,
        day,
        passed=not notable,
        because=" ".join(map(str, notable or changed)) or SETTLED_TOTAL.promise,
        figures=totals if changed else {},
        severity=None if is_error else WARN,
    )


def _attribution_agrees(sums: pl.DataFrame, methods: pl.DataFrame, newest: date) -> Verdict:
    wrong = sums.filter(pl.col("largest_gap_usd") != 0)
    differing = [f"{row['day']} {_difference(row, MARTS)}" for row in wrong.iter_rows(named=True)]
    is_noise = bool((wrong["largest_gap_usd"] < FLOAT_NOISE).all())
    usd = dict(methods.group_by("attribution").agg(pl.col("usd").sum()).iter_rows())
    return Verdict(
        ATTRIBUTED,
        newest,
        passed=not differing,
        because=listed(differing, DAYS_LISTED, "day", "; ") or ATTRIBUTED.promise,
        figures={f"{method}_usd": str(usd.get(method, 0)) for method in ATTRIBUTIONS},
        severity=WARN if is_noise else None,
    )


def _sums_agree(sums: pl.DataFrame) -> Iterator[Verdict]:
    gap = pl.col("largest_gap_usd")
    differing = defaultdict[date, list[str]](list)
    for row in sums.filter(gap != 0).iter_rows(named=True):
        differing[row["day"]].append(_difference(row, READS))
    days = sums.group_by("day", maintain_order=True).agg(
        pl.col("control_usd", "ledger_usd").sum(),
        # A provisional day can change between two requests: only a settled one must agree.
        must_agree=(pl.col("is_settled") & (gap != 0)).any(),
        is_noise=(gap < FLOAT_NOISE).all(),
    )
    for day, control, ledger, must_agree, is_noise in days.iter_rows():
        if differing[day] and not must_agree:
            differing[day].append("the day is provisional, so this is not a failure yet")
        yield Verdict(
            TIES_OUT,
            day,
            passed=not must_agree,
            because="; ".join(differing[day]) or TIES_OUT.promise,
            figures={"control_usd": str(control), "ledger_usd": str(ledger)},
            severity=WARN if is_noise else None,
        )


def _rows_arrived(sums: pl.DataFrame) -> Iterator[Verdict]:
    """A day without spend after a day with spend is valid, but may not have been billed yet."""
    silent = {day: list[str]() for day in sums["day"]}
    judged = fell_silent(sums).filter("fell_silent").select("day", "connection")
    for day, connection in judged.iter_rows():
        silent[day].append(connection)
    for day, names in silent.items():
        because = f"$0.00 on {day} after a day with spend: {', '.join(names)}." if names else ""
        yield Verdict(ROWS_ARRIVED, day, not names, because or ROWS_ARRIVED.promise)


def _difference(row: dict[str, Decimal], others: Mapping[str, str]) -> str:
    control = row["control_usd"]
    gaps = {name: row[usd] - control for name, usd in others.items()}
    sums = [
        f"{name} has {exact_dollars(control + gap)} (difference {exact_dollars(gap)})"
        for name, gap in gaps.items()
        if gap
    ]
    return f"{row['connection']}: the control total is {exact_dollars(control)}, {', '.join(sums)}"


def _lines_are_sound(control: pl.DataFrame, counts: pl.DataFrame) -> Iterator[Verdict]:
    by_day = counts.group_by("day").agg(pl.col("duplicates", "unparsed_usd", "usd").sum())
    read = control.select("day").unique().join(by_day, on="day", how="left").sort("day")
    for row in read.iter_rows(named=True):
        twice = row["duplicates"] or 0
        unparsed, usd = row["unparsed_usd"] or Decimal(0), row["usd"] or Decimal(0)
        why = f"{counted(twice, 'ledger row')} of {row['day']} repeat the key of another."
        yield Verdict(DUPLICATES, row["day"], twice == 0, why if twice else DUPLICATES.promise)
        share = Decimal(100) * unparsed / usd if usd else Decimal(0)
        because = (
            f"{dollars(unparsed)} of {dollars(usd)} on {row['day']} ({share:.2f} %) have an "
            "unrecognized label, or none."
        )
        figures = {"unparsed_usd": str(unparsed), "unparsed_pct": f"{share:.4f}"}
        yield Verdict(UNPARSED, row["day"], share <= UNPARSED_LIMIT_PCT, because, figures)
