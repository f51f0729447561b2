"""Days that are not settled and that no provider has any more. Pure."""

from collections.abc import Mapping
from datetime import date

import polars as pl

from openai_costs.questions.coverage import of_costs


def with_lost_days(frame: pl.DataFrame, kept_days: Mapping[str, int], today: date) -> pl.DataFrame:
    """Return mart.coverage with a reason for the days that no provider has any more.

    One that is not read again for another reason keeps that.

    Args:
        frame: mart.coverage.
        kept_days: After how many days a provider deletes one, by connection; without those whose
            provider keeps all.
        today: The current UTC day.
    """
    kept = pl.col("connection").replace_strict(dict(kept_days), default=None, return_dtype=pl.Int64)
    is_gone = (pl.lit(today) - pl.col("day")).dt.total_days() > kept
    is_lost = is_gone & (pl.col("state") != "settled")
    ending = (
        pl.when(pl.col("state") == "missing")
        .then(pl.lit("no one read this one in time."))
        .otherwise(pl.lit("this one was last read before it had settled."))
    )
    text = pl.format("The provider deletes a day after {} days, and {}", kept, ending)
    return frame.with_columns(reason=pl.coalesce("reason", pl.when(is_lost).then(text)))


def lost_days(frame: pl.DataFrame) -> dict[str, list[date]]:
    """Return the missing days of costs that can be read no more, oldest first, by connection.

    Args:
        frame: mart.coverage.
    """
    lost = of_costs(frame).filter(pl.col("reason").is_not_null(), state="missing").sort("day")
    return {str(name): days["day"].to_list() for (name,), days in lost.group_by("connection")}
