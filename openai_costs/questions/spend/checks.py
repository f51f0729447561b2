"""The checks of spend: the reads agree, nothing counts twice, every dollar is attributed once."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.formatting import dollars, listed
from openai_costs.orchestration.checks import WARN, Rule, Verdict, day_checks
from openai_costs.orchestration.table_assets import asset_key
from openai_costs.questions.spend.control_totals import (
    FLOAT_NOISE_USD,
    attributed,
    compared,
    day_sums,
    fell_silent,
    line_counts,
    method_sums,
)
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.spend import Spend as MartSpend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import ATTRIBUTIONS
from openai_costs.tables.mart.spend_by_user import SpendByUser as MartSpendByUser

UNPARSED_LIMIT_PCT = Decimal(5)
TIES_OUT = Rule("ties_out", "Page, ledger, user view and control total agree, difference 0.")
DUPLICATES = Rule("duplicates", "No ledger key occurs twice in a day.")
ROWS_ARRIVED = Rule("rows_arrived", "A day has rows when the day before had some.", WARN)
ATTRIBUTED = Rule(
    "attribution_ties_out",
    "Spend, attribution and spend by user agree with the control total, difference 0.",
    is_daily=False,
)
MOST_DAYS = 5
READS = {"page": "page_usd", "ledger": "ledger_usd", "user view": "user_usd"}
MARTS = {"spend": "spend_usd", "attribution": "attribution_usd", "by user": "user_usd"}
UNPARSED = Rule("unparsed_dollars", "At least 95 % of the day's dollars have a parsed label.", WARN)


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


def _attribution_agrees(sums: pl.DataFrame, methods: pl.DataFrame, newest: date) -> Verdict:
    wrong = sums.filter(pl.col("largest_gap_usd") != 0)
    days = [f"{row['day']} {_difference(row, MARTS)}" for row in wrong.iter_rows(named=True)]
    is_noise = bool((wrong["largest_gap_usd"] < FLOAT_NOISE_USD).all())
    usd = dict(methods.group_by("attribution").agg(pl.col("usd").sum()).iter_rows())
    return Verdict(
        ATTRIBUTED,
        newest,
        passed=not days,
        because=listed(days, MOST_DAYS, "day", "; ") or ATTRIBUTED.promise,
        figures={f"{method}_usd": str(usd.get(method, 0)) for method in ATTRIBUTIONS},
        severity=WARN if is_noise else None,
    )


def _sums_agree(sums: pl.DataFrame) -> Iterator[Verdict]:
    for (day,), rows in sums.group_by("day", maintain_order=True):
        wrong = rows.filter(pl.col("largest_gap_usd") != 0)
        sums_differ = [_difference(row, READS) for row in wrong.iter_rows(named=True)]
        # A day still filling up moves between two requests: only a settled one must agree.
        must_agree = wrong["is_settled"].any()
        is_noise = bool((rows["largest_gap_usd"] < FLOAT_NOISE_USD).all())
        if sums_differ and not must_agree:
            sums_differ.append("the day is provisional, so they need not agree yet")
        totals = {"control_usd": rows["control_usd"].sum(), "ledger_usd": rows["ledger_usd"].sum()}
        yield Verdict(
            TIES_OUT,
            day,
            passed=not must_agree,
            because="; ".join(sums_differ) or TIES_OUT.promise,
            figures={name: str(usd) for name, usd in totals.items()},
            severity=WARN if is_noise else None,
        )


def _rows_arrived(sums: pl.DataFrame) -> Iterator[Verdict]:
    """Warn of no spend after a day with spend: the day may not have been billed yet."""
    for (day,), rows in fell_silent(sums).group_by("day", maintain_order=True):
        silent = ", ".join(rows.filter("fell_silent")["connection"].to_list())
        because = f"{silent}: no spend, after a day with spend." if silent else ""
        yield Verdict(ROWS_ARRIVED, day, not silent, because or ROWS_ARRIVED.promise)


def _difference(row: dict[str, Decimal], others: Mapping[str, str]) -> str:
    control = row["control_usd"]
    sums = [f"{name} {row[usd]} ({row[usd] - control:+})" for name, usd in others.items()]
    return f"{row['connection']}: control {control} USD, {', '.join(sums)}"


def _lines_are_sound(control: pl.DataFrame, counts: pl.DataFrame) -> Iterator[Verdict]:
    by_day = counts.group_by("day").agg(pl.col("duplicates", "unparsed_usd", "usd").sum())
    read = control.select("day").unique().join(by_day, on="day", how="left").sort("day")
    for row in read.iter_rows(named=True):
        twice, unparsed, usd = row["duplicates"] or 0, row["unparsed_usd"] or 0, row["usd"] or 0
        yield Verdict(DUPLICATES, row["day"], twice == 0, f"{twice} keys occur twice.")
        share = Decimal(100) * unparsed / usd if usd else Decimal(0)
        amounts = f"{dollars(Decimal(unparsed))} of {dollars(Decimal(usd))}"
        because = f"{amounts} ({share:.2f} %) have a label that was not understood."
        figures = {"unparsed_usd": str(unparsed), "unparsed_pct": f"{share:.4f}"}
        yield Verdict(UNPARSED, row["day"], share <= UNPARSED_LIMIT_PCT, because, figures)
