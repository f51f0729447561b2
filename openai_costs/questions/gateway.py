"""Up to which day the gateway is known: findings about later days would be guesses."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

import polars as pl

from openai_costs.kernel.days import DayRange, is_settled
from openai_costs.questions.coverage import of_settled_days
from openai_costs.questions.rules import Facts
from openai_costs.settings import Gateway, Upstream
from openai_costs.settings.gateway import days_in_use
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import UNLISTED, GatewayTokens
from openai_costs.tables.mart.coverage import Coverage

# On which days there was a gateway, and which of them its meter was read for. Pure.

GRACE = timedelta(hours=1)
"""Gateways write what they metered in batches, some seconds late; an hour is plenty."""


def meter_days(batches: Iterable[Batch]) -> pl.DataFrame:
    """Return the days of stored batches of core.gateway_spend: day, is_settled.

    A day from which rows were set aside is not settled: what they hold may be what is missing.
    """
    read = []
    for batch in batches:
        partial = set(batch.frame.filter("is_partial")["day"])
        read += [
            (key.day, is_settled(key.day, read_at, GRACE) and key.day not in partial)
            for key, read_at in batch.read_at.items()
        ]
    schema = {"day": pl.Date, "is_settled": pl.Boolean}
    return pl.DataFrame(read, schema=schema, orient="row").sort("day")


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
    return registry_until_of(lake, facts.settings.gateway)


def registry_until_of(lake: Lake, gateway: Gateway) -> date:
    """Return the same for the gateway of some settings.

    A registry from which rows were set aside is no whole one, and a token that only the meter names
    was in none.
    """
    if not gateway.has_registry:
        return date.max
    listed = lake.read(GatewayTokens).filter(
        pl.col("connection") == gateway.name,
        pl.col("status") != UNLISTED,
        ~pl.col("is_partial"),
    )
    return max(listed["last_seen_day"], default=date.min)


def judged_days(lake: Lake, gateway: Gateway, asked: DayRange) -> DayRange | None:
    """Return the days whose keys may be judged; None where no registry was ever read whole.

    Args:
        lake: Where tables are.
        gateway: Its settings.
        asked: The days of a run.
    """
    is_known = not gateway.has_registry or registry_until_of(lake, gateway) > date.min
    return days_in_use(gateway, asked) if is_known else None


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
            rows = lake.read(GatewaySpend, [day]).filter(connection=gateway.name)
            if not rows["is_partial"].any():
                return day
    return date.min


# What behind a gateway is OpenAI's, and which of its keys settings declare to be so. Pure.

PROVIDERS = ("openai", "text-completion-openai")


def is_openai() -> pl.Expr:
    """Return whether a row of the meter went to OpenAI; one that does not say is taken to."""
    return pl.col("upstream_provider").is_in(PROVIDERS).fill_null(True)


def is_declared_key(upstreams: Sequence[Upstream]) -> pl.Expr:
    """Return whether settings declare a row's api_key_id to be one of the gateway's."""
    keys = [one.api_key_id for one in upstreams if one.api_key_id]
    return pl.col("api_key_id").is_in(keys).fill_null(False)


def is_declared_project(upstreams: Sequence[Upstream]) -> pl.Expr:
    """Return whether settings declare all keys of a row's project_id to be the gateway's."""
    projects = [one.project_id for one in upstreams if one.project_id and not one.api_key_id]
    return pl.col("project_id").is_in(projects).fill_null(False)
