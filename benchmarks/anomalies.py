"""Run the shipped detector over any file of daily series, in causal replay.

    python benchmarks/anomalies.py --input series.csv --output detections.csv

Reads series_id,day,cost and writes series_id,day,is_anomaly,score,expected,lower,upper: one row per
day of each series, from its first spending on, each judged by earlier days alone. A sum whose rise
a person or key explains is no anomaly of its own: the person or key reports it.
"""

import argparse
import sys
from pathlib import Path

import polars as pl

from openai_costs.questions.anomalies.detector import Group, detect_in_groups
from openai_costs.questions.anomalies.thresholds import SIGMAS, Thresholds

READ = {"series_id": pl.String, "day": pl.Date, "cost": pl.Float64}
WRITTEN = ("series_id", "day", "is_anomaly", "score", "expected", "lower", "upper")


def main(arguments: list[str] | None = None) -> int:
    """Judge every day of every series."""
    asked = _parser().parse_args(arguments)
    spend = pl.read_csv(asked.input, columns=list(READ), schema_overrides=READ)
    thresholds = Thresholds(sensitivity=asked.sensitivity, minimum_usd=asked.minimum_usd)
    found = detect_in_groups([Group(spend, thresholds, {})])
    is_reported = (pl.col("is_anomaly") & ~pl.col("is_explained")).cast(pl.Int8)
    reported = found.with_columns(is_anomaly=is_reported).select(WRITTEN)
    reported.write_csv(asked.output, float_precision=6)
    flagged = int(reported["is_anomaly"].sum())
    print(f"{reported['series_id'].n_unique()} series, {reported.height} days, {flagged} flagged")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Judge daily series in causal replay.")
    parser.add_argument("--input", type=Path, required=True, help="series_id,day,cost")
    parser.add_argument("--output", type=Path, required=True, help="where detections go")
    parser.add_argument("--sensitivity", choices=list(SIGMAS), default="normal")
    parser.add_argument("--minimum-usd", type=float, default=Thresholds.minimum_usd)
    return parser


if __name__ == "__main__":
    sys.exit(main())
