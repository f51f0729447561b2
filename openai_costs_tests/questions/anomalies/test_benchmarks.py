"""The two benchmark commands keep their formats: others score what they write."""

from __future__ import annotations

import runpy
from pathlib import Path

import polars as pl
import pytest

from openai_costs_tests.questions.anomalies.series import flat, frame, on

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def series(tmp_path: Path) -> Path:
    path = tmp_path / "series.csv"
    ada, tenfold = [*flat(60), 500.0], [*flat(60, 10.0), 500.0]
    frame(org=ada, user_ada=ada, model_m=tenfold).write_csv(path)
    return path


def run(script: str, *arguments: str) -> None:
    assert runpy.run_path(str(BENCHMARKS / script))["main"](arguments) == 0


def test_detections_are_who_made_them_and_every_tenfold_day(series: Path, tmp_path: Path) -> None:
    out = tmp_path / "detections.csv"
    run("anomalies.py", "--input", str(series), "--output", str(out))
    lines = out.read_text().splitlines()
    assert lines[0] == "series_id,day,is_anomaly,score,expected,lower,upper"
    assert len(lines) == 1 + 3 * 61
    found = pl.read_csv(out, try_parse_dates=True).filter(pl.col("is_anomaly") == 1)
    assert found.select("series_id", "day").rows() == [("model:m", on(60)), ("user:ada", on(60))]


def test_forecasts_are_written_as_promised(series: Path, tmp_path: Path) -> None:
    out = tmp_path / "forecast.csv"
    run("forecasts.py", "--input", str(series), "--as-of", "2026-02-15", "--output", str(out))
    lines = out.read_text().splitlines()
    assert lines[0] == "series_id,forecast,low80,high80,low95,high95"
    assert [line.split(",")[0] for line in lines[1:]] == ["model:m", "org", "user:ada"]
