"""How far the gateway is known, and which rows of its meter are OpenAI's.

Findings about days after the last reading of the gateway would be guesses.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange, is_settled
from openai_costs.questions.coverage import of_settled_days
from openai_costs.questions.rules import Facts
from openai_costs.settings import Gateway
from openai_costs.settings.gateway import days_in_use
from openai_costs.storage.lake import Lake
from openai_costs.storage.slices import Batch, Slice
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import REASSIGNED, UNLISTED, GatewayTokens
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.upstreams import UPSTREAMS

# For which days the meter was read.

_PARTIAL = "SELECT DISTINCT day FROM stored WHERE is_partial"
GRACE = timedelta(hours=1)
"""Gateways write what they metered in batches, some seconds late; an hour is enough."""


def meter_days(batches: Iterable[Batch]) -> pl.DataFrame:
    """Return the days of stored batches of core.gateway_spend: day, is_settled.

    A day from which rows were set aside is not settled: what they hold may be what is missing.
    """
    read = [_meter_days(one.read_at, one.frame.filter("is_partial")["day"]) for one in batches]
    return pl.concat([_meter_days({}, ()), *read]).sort("day")


def all_meter_days(lake: Lake) -> pl.DataFrame:
    """Return the same of all stored days, without their rows."""
    partial = lake.ask(GatewaySpend, _PARTIAL, pl.Schema({"day": pl.Date()}))["day"]
    return _meter_days(lake.reads(GatewaySpend), partial).sort("day")


def _meter_days(read_at: Mapping[Slice, datetime], partial: Iterable[date]) -> pl.DataFrame:
    lacking = set(partial)
    read = [
        (key.day, is_settled(key.day, at, GRACE) and key.day not in lacking)
        for key, at in read_at.items()
    ]
    return pl.DataFrame(read, {"day": pl.Date, "is_settled": pl.Boolean}, orient="row")


LOOKBACK = timedelta(days=30)
"""A finding about the gateway is of so many days, up to the newest day on which it holds."""
SPAN = "in the last 30 days, through {day}"
"""The same in the words of a rule."""


def since_lookback(_lake: Lake, facts: Facts) -> date:
    """Return the first day on which a finding about the gateway may hold for the last time."""
    return facts.today - LOOKBACK


def judged_lately(lake: Lake, facts: Facts, table: type[Contract], until: date) -> pl.DataFrame:
    """Return the rows of a daily table that can be judged: recent, settled, and up to `until`.

    Recent is what `of_last_days` needs for a finding that last held on `since_lookback`.

    Args:
        lake: The tables.
        facts: The settings and the current instant.
        table: The table of a question about the gateway.
        until: The last day for which the gateway is known.
    """
    first, last = since_lookback(lake, facts), min(facts.today, until)
    if not facts.settings.gateway.is_there or last < first:
        return table.no_rows()
    read = lake.read(table, DayRange(first - LOOKBACK + ONE_DAY, last))
    return of_settled_days(read, lake.read(Coverage))


def of_last_days(*finding: str | pl.Expr) -> pl.Expr:
    """Return whether a row is of the days that its finding is of: `SPAN`.

    Args:
        finding: The columns of which each value has its own finding.
    """
    return pl.col("day") > pl.col("day").max().over(finding) - LOOKBACK


def registry_until(lake: Lake, facts: Facts) -> date:
    """Return the day of the newest registry: after it every new key would look like a bypass.

    Without a gateway in the settings every day is judged, and no finding results. The same holds
    where the settings are the only registry.
    """
    return registry_until_of(lake, facts.settings.gateway)


def registry_until_of(lake: Lake, gateway: Gateway) -> date:
    """Return the same for the gateway of some settings.

    A registry from which rows were set aside is not whole, a token that only the meter names was
    in none, and what a token was before says nothing of the newest.
    """
    if not gateway.has_registry:
        return date.max
    listed = lake.read(GatewayTokens).filter(
        pl.col("connection") == gateway.name,
        ~pl.col("status").is_in([UNLISTED, REASSIGNED]),
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

    Without a meter in the settings every day is judged: earlier findings from one are closed.
    """
    gateway = facts.settings.gateway
    known = registry_until(lake, facts)
    if not gateway.has_meter:
        return known
    reads = {key.day: at for key, at in lake.reads(GatewaySpend).items() if key[0] == gateway.name}
    for day in sorted(reads, reverse=True):
        if day <= known and is_settled(day, reads[day], GRACE):
            rows = lake.read(GatewaySpend, [day]).filter(connection=gateway.name)
            if not rows["is_partial"].any():
                return day
    return date.min


# Which rows of a meter are OpenAI's.


def is_openai() -> pl.Expr:
    """Return whether a row of the meter went to OpenAI; a row without a provider is assumed to."""
    return pl.col("upstream_provider").is_in(UPSTREAMS["openai"]).fill_null(True)
