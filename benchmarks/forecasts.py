"""Forecast every series of a file to the end of the month.

    python benchmarks/forecasts.py --input series.csv --as-of 2026-11-15 --output forecast.csv

Reads series_id,day,cost up to and including the day of --as-of, later rows are ignored; writes
series_id,forecast,low80,high80,low95,high95: the total of the month that day lies in.
"""

import argparse
import sys
from datetime import date
from pathlib import Path

import polars as pl

from openai_costs.kernel.days import DayRange, month_of
from openai_costs.kernel.money import MONEY
from openai_costs.questions.budgets.forecast import DOLLARS
from openai_costs.questions.budgets.month_end import from_settled_days

READ = {"series_id": pl.String, "day": pl.Date, "cost": pl.Float64}
WRITTEN = ("forecast", "low80", "high80", "low95", "high95")


def forecasts(spend: pl.DataFrame, as_of: date) -> pl.DataFrame:
    """Return the columns that are written, of every series that spent until that day."""
    settled = [*DayRange(min(spend["day"]), as_of)]
    usd = pl.col("cost").cast(MONEY)
    dollars = spend.with_columns(billed_usd=usd, charged_usd=usd)
    made = from_settled_days(dollars, settled, month_of(as_of)).drop_nulls().sort("series_id")
    names = zip(WRITTEN, DOLLARS.values(), strict=True)
    return made.select("series_id", **{short: pl.col(name).cast(float) for short, name in names})


def main(arguments: list[str] | None = None) -> int:
    """Forecast every series."""
    parser = argparse.ArgumentParser(description="Forecast series to the end of the month.")
    parser.add_argument("--input", type=Path, required=True, help="series_id,day,cost")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, help="last known day")
    parser.add_argument("--output", type=Path, required=True, help="where forecasts go")
    asked = parser.parse_args(arguments)
    spend = pl.read_csv(asked.input, columns=list(READ), schema_overrides=READ)
    told = forecasts(spend, asked.as_of)
    told.write_csv(asked.output, float_precision=6)
    print(f"{told.height} series, as of {asked.as_of}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
