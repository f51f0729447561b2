from __future__ import annotations

from datetime import date

import polars as pl

from openai_costs.questions.budgets.bands import banded

MONTH = {"as_of": date(2026, 6, 20), "start": date(2026, 6, 1), "end": date(2026, 6, 30)}
ASKED = {name: pl.lit(day) for name, day in MONTH.items()} | {
    "skipped": pl.lit(0),
    "ahead": pl.lit(10),
}


def past(series: str, errors: int) -> pl.DataFrame:
    """Forecasts of 100 dollars that were off by ten, above and below in turn."""
    actual = [110.0 if number % 2 else 90.0 for number in range(errors)]
    rows = {"series_id": series, "volatility": 0.1, "rest": 100.0, "actual": actual, "seen": 99}
    return pl.DataFrame(rows, schema_overrides={"actual": pl.Float64}).with_columns(**ASKED)


def test_a_series_with_few_errors_of_its_own_has_wider_bands() -> None:
    names = ["key:old", "key:young"]
    now = pl.DataFrame({"series_id": names, "volatility": 0.1, "rest": 100.0})
    now = now.with_columns(highest=20.0, **ASKED)
    before = pl.concat([past("key:old", 20), past("key:young", 1)])
    old, young = banded(now, before).sort("series_id").rows(named=True)
    assert old["rest"] == young["rest"]
    assert young["high80"] - young["low80"] > 1.5 * (old["high80"] - old["low80"])
