"""Dollars that one side has a day before or after the other. Pure.

The gateway dates a request by when it received it, the bill by when it was used: around midnight
UTC they differ. Two neighbouring days are exchanged when each is the other's best match, so that
the result does not depend on where a window of days begins.
"""

import polars as pl

POOL = ("connection", "project_id", "api_key_id", "model", "usage_type", "level")
ONE_SIDED = ("missing_on_meter_usd", "missing_on_bill_usd")
REACH_DAYS = 2
"""How many days on each side decide about a day: a neighbour, and the neighbour's other one."""


def exchanged(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows with what belongs to a neighbouring day in `day_boundary_usd`.

    Args:
        rows: day, the columns of the pool, is_settled, missing_on_meter_usd, missing_on_bill_usd
            and day_boundary_usd (0).
    """
    volume = pl.when("is_settled").then(pl.sum_horizontal(ONE_SIDED)).otherwise(0)
    found = rows.sort(*POOL, "day").with_columns(_volume=volume)
    found = found.with_columns(
        _before=_overlap(_neighbour("_volume", 1)), _after=_overlap(_neighbour("_volume", -1))
    )
    wants_after = (pl.col("_after") > 0) & (pl.col("_after") > pl.col("_before"))
    wants_before = (pl.col("_before") > 0) & ~wants_after
    found = found.with_columns(_wants_after=wants_after, _wants_before=wants_before)
    moved = (
        pl.when(pl.col("_wants_after") & _neighbour("_wants_before", -1).fill_null(False))
        .then("_after")
        .when(pl.col("_wants_before") & _neighbour("_wants_after", 1).fill_null(False))
        .then("_before")
        .otherwise(0)
    )
    moved = pl.when(pl.col("_volume") < 0).then(-moved).otherwise(moved)
    return _moved(found.with_columns(_moved=moved)).select(rows.columns)


def _neighbour(column: str, step: int) -> pl.Expr:
    """Return a column's value on the day before (1) or after (-1); null where there is none."""
    apart = (pl.col("day") - pl.col("day").shift(step)).dt.total_days()
    return pl.when(apart == step).then(pl.col(column).shift(step)).over(POOL, order_by="day")


def _overlap(other: pl.Expr) -> pl.Expr:
    """Return the dollars by which two days offset each other; 0 when they do not."""
    own = pl.col("_volume")
    is_opposite = (own > 0) & (other < 0) | (own < 0) & (other > 0)
    return pl.when(is_opposite).then(pl.min_horizontal(own.abs(), other.abs())).otherwise(0)


def _moved(rows: pl.DataFrame) -> pl.DataFrame:
    money = rows.schema["day_boundary_usd"]
    on_meter = pl.when(pl.col("_volume") > 0).then(pl.col("_moved")).otherwise(0)
    on_bill = pl.when(pl.col("_volume") < 0).then(pl.col("_moved")).otherwise(0)
    return rows.with_columns(
        missing_on_meter_usd=(pl.col("missing_on_meter_usd") - on_meter).cast(money),
        missing_on_bill_usd=(pl.col("missing_on_bill_usd") - on_bill).cast(money),
        day_boundary_usd=(pl.col("day_boundary_usd") + pl.col("_moved")).cast(money),
    )
