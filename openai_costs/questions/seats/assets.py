"""Seats as an asset: take, call, return."""

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal

import dagster as dg
import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.kernel.sql_text import literal
from openai_costs.orchestration.table_assets import whole_table_asset
from openai_costs.questions.coverage import former_connections, newest_settled, of_connected
from openai_costs.questions.seats.seats import WINDOW_DAYS, Membership
from openai_costs.questions.seats.seats import seats as held
from openai_costs.settings import Seats as Prices
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.admin_keys import AdminKeys
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.invites import Invites
from openai_costs.tables.core.project_members import ProjectMembers
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.coverage import Coverage
from openai_costs.tables.mart.seats import Seats
from openai_costs.tables.mart.spend_attribution import SpendAttribution

MEMBERS = (Users, Invites, ServiceAccounts, ProjectMembers, ApiKeys, AdminKeys)
_SPENDERS = """
    SELECT connection, user_id,
        coalesce(sum(billed_usd) FILTER ({lately}), 0)::DECIMAL(38,18),
        max(day) FILTER (billed_usd <> 0)
    FROM stored WHERE user_id IS NOT NULL GROUP BY ALL
"""
_SPENT_DAYS = """
    SELECT connection, user_id, day, sum(billed_usd)::DECIMAL(38,18)
    FROM stored WHERE user_id IS NOT NULL AND ({lately}) GROUP BY ALL
"""
_SUBSCRIPTIONS = """
    SELECT connection, line_item, sum(billed_usd)::DECIMAL(38,18)
    FROM stored
    WHERE ({lately}) AND line_item IS NOT NULL
        AND usage_type IS NULL AND api_key_id IS NULL AND quantity_unit IS DISTINCT FROM 'tokens'
    GROUP BY ALL
"""


@whole_table_asset(
    Seats,
    group="seats",
    kinds={"polars", "deltalake"},
    reads=(*MEMBERS, Engineers, SpendAttribution, Spend, Coverage),
)
def seats(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> pl.DataFrame:
    """Lay members, invites and service accounts beside the known engineers."""
    members, people = membership(lake, settings.seats), lake.read(Engineers)
    return held(members, people, settings.directory, settings.seats)


WHOLE_ASSETS = (seats,)


def membership(lake: Lake, prices: Prices) -> Membership:
    """Return what the lake knows of the organizations' members."""
    as_of = _as_of(lake)
    coverage = lake.read(Coverage)
    users, invites, accounts, members, keys, admins = (
        of_connected(lake.read(table), coverage) for table in MEMBERS
    )
    return Membership(
        users=users,
        invites=invites,
        service_accounts=accounts,
        project_members=members,
        api_keys=keys,
        admin_keys=admins,
        spenders=_spenders(lake, as_of),
        spent_days=_spent_days(lake, as_of),
        subscriptions=_subscriptions(lake, as_of, prices),
        as_of_days=as_of,
        read_from={one: min(lake.days(Spend, one)) for one in as_of},
    )


def _as_of(lake: Lake) -> dict[str, date]:
    """Return the newest settled day of each connection, or its newest while none has settled."""
    coverage = lake.read(Coverage)
    names = set(lake.connections(Spend)) - set(former_connections(coverage))
    newest = {one: max(days) for one in sorted(names) if (days := lake.days(Spend, one))}
    settled = dict(newest_settled(coverage).iter_rows())
    return {one: settled.get(one, day) for one, day in newest.items()}


def _lately(as_of: Mapping[str, date]) -> str:
    """Return whether a day lies in its connection's window, in SQL."""
    ends = sorted(as_of.items())
    inside = (f"connection = {literal(one)} AND {_within(day)}" for one, day in ends)
    return " OR ".join(inside) or "false"


def _within(end: date) -> str:
    return f"day BETWEEN DATE '{end - timedelta(days=WINDOW_DAYS - 1)}' AND DATE '{end}'"


def _spenders(lake: Lake, as_of: Mapping[str, date]) -> pl.DataFrame:
    schema = {
        "connection": pl.String(),
        "user_id": pl.String(),
        "spend_30d_usd": MONEY,
        "last_day": pl.Date(),
    }
    return lake.ask(SpendAttribution, _SPENDERS.format(lately=_lately(as_of)), pl.Schema(schema))


def _spent_days(lake: Lake, as_of: Mapping[str, date]) -> pl.DataFrame:
    schema = {
        "connection": pl.String(),
        "user_id": pl.String(),
        "day": pl.Date(),
        "billed_usd": MONEY,
    }
    return lake.ask(SpendAttribution, _SPENT_DAYS.format(lately=_lately(as_of)), pl.Schema(schema))


def _subscriptions(lake: Lake, as_of: Mapping[str, date], prices: Prices) -> dict[str, Decimal]:
    """Return the dollars of lines whose label is that of a seat, by connection.

    What is billed by tokens or with a key is not a seat, whatever its model is called
    (`chatgpt-4o-latest, input`).
    """
    schema = {"connection": pl.String(), "line_item": pl.String(), "billed_usd": MONEY}
    lines = lake.ask(Spend, _SUBSCRIPTIONS.format(lately=_lately(as_of)), pl.Schema(schema))
    label = pl.col("line_item").str.to_lowercase()
    words = [word.casefold() for word in prices.subscription_labels]
    found = lines.filter(label.str.contains_any(words)) if words else lines.clear()
    return dict(found.group_by("connection").agg(pl.col("billed_usd").sum()).iter_rows())
