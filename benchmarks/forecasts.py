"""Forecast every series of a file to the end of the month.

    python benchmarks/forecasts.py --input series.csv --as-of 2026-11-15 --output forecast.csv

Reads series_id,day,cost up to and including the day of --as-of, later rows are ignored; writes
series_id,forecast,low80,high80,low95,high95: the total of the month that day lies in.
"""

import argparse
import sys
from datetime import date, timedelta
from pathlib import Path

import polars as pl

from openai_costs.questions.budgets.forecast import forecast

READ = {"series_id": pl.String, "day": pl.Date, "cost": pl.Float64}


def month_of(day: date) -> tuple[date, date]:
    """Return the first and the last day of the month."""
    after = (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day.replace(day=1), after - timedelta(days=1)


def main(arguments: list[str] | None = None) -> int:
    """Forecast every series."""
    parser = argparse.ArgumentParser(description="Forecast series to the end of the month.")
    parser.add_argument("--input", type=Path, required=True, help="series_id,day,cost")
    parser.add_argument("--as-of", type=date.fromisoformat, required=True, help="last known day")
    parser.add_argument("--output", type=Path, required=True, help="where forecasts go")
    asked = parser.parse_args(arguments)
    spend = pl.read_csv(asked.input, columns=list(READ), schema_overrides=READ)
    told = forecast(spend, asked.as_of, *month_of(asked.as_of))
    told.write_csv(asked.output, float_precision=6)
    print(f"{told.height} series, as of {asked.as_of}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
