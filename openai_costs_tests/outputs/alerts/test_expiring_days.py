from datetime import date, datetime

import polars as pl
import pytest

from openai_costs.outputs.alerts.expiring_days import expiring
from openai_costs.tables.mart.coverage import Coverage

TODAY = date(2026, 11, 28)


def coverage(read_at: datetime | None) -> pl.DataFrame:
    row = {
        "connection": "work",
        "source": "costs",
        "day": date(2026, 11, 1),
        "state": "settled",
        "read_at": read_at,
        "is_connected": True,
    }
    return pl.DataFrame([row], schema_overrides=Coverage.types())


@pytest.mark.parametrize(
    ("read_on", "days"), [(date(2026, 11, 8), []), (date(2026, 11, 7), [21]), (None, [])]
)
def test_twenty_of_thirty_days_without_a_read_are_reported_before_anything_is_lost(
    read_on: date | None, days: list[int]
):
    read_at = datetime.combine(read_on, datetime.min.time()) if read_on else None
    found = expiring(coverage(read_at), {"work": 30}, TODAY, "data")
    assert found["observed"].to_list() == days
    assert all("from 2026-12-07 on a day is lost" in text for text in found["because"])


def test_days_that_are_lost_already_are_dated():
    (text,) = expiring(
        coverage(datetime.combine(date(2026, 10, 20), datetime.min.time())), {"work": 30}, TODAY, ""
    )["because"]
    assert "days are lost since 2026-11-19" in text


def test_a_provider_that_keeps_its_days_has_no_finding():
    read_at = datetime.combine(date(2026, 1, 1), datetime.min.time())
    assert expiring(coverage(read_at), {}, TODAY, "").is_empty()
