"""On which days there was a gateway, and which of them its meter was read for. Pure."""

from collections.abc import Iterable
from datetime import timedelta

import polars as pl

from openai_costs.days import DayRange, is_settled
from openai_costs.sections import Gateway
from openai_costs.slices import Batch

GRACE = timedelta(hours=1)
"""Gateways write what they metered in batches, some seconds late; an hour is plenty."""


def days_in_use(gateway: Gateway, asked: DayRange) -> DayRange | None:
    """Return the days on which there was a gateway; None when there was none on any."""
    first = max(asked.first, gateway.start or asked.first)
    return DayRange(first, asked.last) if gateway.is_there and first <= asked.last else None


def meter_days(batches: Iterable[Batch]) -> pl.DataFrame:
    """Return the days of stored batches of core.gateway_spend: day, is_settled."""
    read = [
        (key.day, is_settled(key.day, read_at, GRACE))
        for batch in batches
        for key, read_at in batch.read_at.items()
    ]
    schema = {"day": pl.Date, "is_settled": pl.Boolean}
    return pl.DataFrame(read, schema=schema, orient="row").sort("day")
