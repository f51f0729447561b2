"""Up to which day the gateway is known: findings about later days would be guesses."""

from datetime import date, timedelta

import polars as pl

from openai_costs.days import DayRange, is_settled
from openai_costs.findings import Facts
from openai_costs.lake import Lake
from openai_costs.metered_days import GRACE
from openai_costs.slices import Slice
from openai_costs.spend.coverage import of_settled_days
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.mart.coverage import Coverage

LOOK_BACK = timedelta(days=30)
"""Findings of a question about the gateway are those of its last days."""


def judged_lately(lake: Lake, facts: Facts, table: type[Contract], until: date) -> pl.DataFrame:
    """Return the rows of a daily table that can be judged: of the last days, settled, and known.

    Args:
        lake: Where tables are.
        facts: The settings, and the instant.
        table: The table of a question about the gateway.
        until: The last day that the gateway is known for.
    """
    first, last = facts.today - LOOK_BACK, min(facts.today, until)
    if not facts.settings.gateway.is_there or last < first:
        return table.no_rows()
    return of_settled_days(lake.read(table, DayRange(first, last)), lake.read(Coverage))


def registry_until(lake: Lake, facts: Facts) -> date:
    """Return the day of the newest registry: without one every key looks like a bypass.

    Without a gateway in the settings there is no end: every day is judged, and nothing found. Nor
    is there one where the settings are all the registry there is.
    """
    gateway = facts.settings.gateway
    if not gateway.has_registry:
        return date.max
    listed = lake.read(GatewayTokens).filter(pl.col("connection") == gateway.name)
    return max(listed["last_seen_day"], default=date.min)


def meter_until(lake: Lake, facts: Facts) -> date:
    """Return the newest day that the meter was completely read for and the registry is known.

    Without a meter in the settings there is no end either: what one once found is over.
    """
    gateway = facts.settings.gateway
    known = registry_until(lake, facts)
    if not gateway.has_meter:
        return known
    for day in sorted(lake.days(GatewaySpend, gateway.name), reverse=True):
        read_at = lake.read_at(GatewaySpend, Slice(gateway.name, day))
        if day <= known and read_at and is_settled(day, read_at, GRACE):
            return day
    return date.min
