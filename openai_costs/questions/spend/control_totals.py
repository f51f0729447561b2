"""Control totals: the sums of a day that must agree, and counts of its lines. Pure."""

from collections.abc import Mapping

import polars as pl

from openai_costs.questions.credits import is_credit
from openai_costs.tables.core.spend import Spend

SLICE = ["connection", "day"]
GRAIN = list(Spend.Config.unique)


def day_sums(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one row per connection and day: usd, the exact sum of billed_usd."""
    return rows.group_by(SLICE).agg(usd=pl.col("billed_usd").sum())


def method_sums(attribution: pl.DataFrame) -> pl.DataFrame:
    """Return one row per connection, day and method of attribution: usd."""
    return attribution.group_by(*SLICE, "attribution").agg(usd=pl.col("billed_usd").sum())


def line_counts(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return one row per connection and day: duplicates, unparsed_usd, usd.

    `duplicates` is how many rows repeat the key of another; `unparsed_usd` the dollars of lines
    whose label was not recognized. Credits and refunds count in neither sum of dollars: their
    labels need not name a model, and none cancels a charge.
    """
    is_unparsed = pl.col("usage_type").is_null() & pl.col("model").is_null()
    size = pl.col("billed_usd").abs().filter(~is_credit())
    return ledger.group_by(SLICE).agg(
        duplicates=pl.len() - pl.struct(GRAIN).n_unique(),
        unparsed_usd=size.filter(is_unparsed.filter(~is_credit())).sum(),
        usd=size.sum(),
    )


def compared(
    control: pl.DataFrame, pages: pl.DataFrame, ledger: pl.DataFrame, users: pl.DataFrame
) -> pl.DataFrame:
    """Return the sums of each day side by side.

    A control row proves that the day was read: no ledger rows then means that nothing was spent.

    Args:
        control: core.spend_control.
        pages: connection, day, page_usd: what the ledger's page added up to before cleaning.
        ledger: `day_sums` of core.spend.
        users: `day_sums` of core.spend_by_user.

    Returns:
        One row per control row: control_usd, page_usd, ledger_usd, user_usd, largest_gap_usd,
        is_settled.
    """
    others = {"page_usd": pages, "ledger_usd": ledger, "user_usd": users}
    return _beside(control, others, pl.col("control_usd"))


def attributed(
    control: pl.DataFrame, spend: pl.DataFrame, methods: pl.DataFrame, users: pl.DataFrame
) -> pl.DataFrame:
    """Return the sums of the marts of each day side by side.

    A day that is not settled is held to mart.spend: its control total is of another moment.

    Args:
        control: core.spend_control.
        spend: `day_sums` of mart.spend.
        methods: `method_sums` of mart.spend_attribution.
        users: `day_sums` of mart.spend_by_user.

    Returns:
        One row per control row: control_usd, spend_usd, attribution_usd, user_usd,
        largest_gap_usd, is_settled.
    """
    attribution = methods.group_by(SLICE).agg(pl.col("usd").sum())
    others = {"spend_usd": spend, "attribution_usd": attribution, "user_usd": users}
    held_to = pl.when("is_settled").then("control_usd").otherwise("spend_usd")
    return _beside(control, others, held_to)


def _beside(
    control: pl.DataFrame, others: Mapping[str, pl.DataFrame], held_to: pl.Expr
) -> pl.DataFrame:
    rows = control.rename({"billed_usd": "control_usd"})
    for name, sums in others.items():
        rows = rows.join(sums.rename({sums.columns[-1]: name}), on=SLICE, how="left")
    gaps = [(pl.col(name) - held_to).abs() for name in others]
    return (
        rows.with_columns(pl.col(*others).fill_null(0))
        .with_columns(largest_gap_usd=pl.max_horizontal(gaps))
        .sort("day", "connection")
    )


def fell_silent(sums: pl.DataFrame) -> pl.DataFrame:
    """Return `compared` rows with fell_silent: nothing on a settled day after a day with spend."""
    before = pl.col("control_usd").shift().over("connection", order_by="day")
    return sums.with_columns(
        fell_silent=pl.col("is_settled")
        & ((pl.col("ledger_usd") == 0) & (before != 0)).fill_null(False)
    )
