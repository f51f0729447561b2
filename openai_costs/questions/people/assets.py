"""People as an asset: take, call, return."""

import dagster as dg
import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.orchestration.table_assets import whole_table_asset
from openai_costs.questions.people.people import Accounts
from openai_costs.questions.people.people import people as joined
from openai_costs.settings.load import Settings
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.engineers import Engineers
from openai_costs.tables.core.service_accounts import ServiceAccounts
from openai_costs.tables.core.spend import COUNTED, Spend
from openai_costs.tables.core.users import Users
from openai_costs.tables.mart.deleted_months import DeletedMonths
from openai_costs.tables.mart.people import People
from openai_costs.tables.mart.spend_attribution import SpendAttribution

_BILLED = """
    SELECT connection, provider, user_id, CAST(sum(billed_usd) AS DECIMAL(38, 18)),
           min(day), max(day)
    FROM stored GROUP BY ALL ORDER BY ALL
"""
_UNBILLED = f"""
    SELECT connection, user_id, cost_basis, CAST(sum(billed_usd) AS DECIMAL(38, 18))
    FROM stored WHERE NOT ({COUNTED}) GROUP BY ALL ORDER BY ALL
"""  # noqa: S608 - our own words
_ACCOUNT = {"connection": pl.String(), "user_id": pl.String()}
_OF_BILLED = pl.Schema(
    {
        "connection": pl.String(),
        "provider": pl.String(),
        "user_id": pl.String(),
        "billed_usd": MONEY,
        "first_day": pl.Date(),
        "last_day": pl.Date(),
    }
)
_OF_UNBILLED = pl.Schema({**_ACCOUNT, "cost_basis": pl.String(), "usd": MONEY})


@whole_table_asset(
    People,
    group="people",
    kinds={"polars", "deltalake"},
    # Added up when old months are gone, or its dollars would be those of more days than are kept.
    reads=(SpendAttribution, Spend, Users, ServiceAccounts, Engineers, DeletedMonths),
)
def people(
    context: dg.AssetExecutionContext,
    lake: dg.ResourceParam[Lake],
    settings: dg.ResourceParam[Settings],
) -> pl.DataFrame:
    """Join the accounts of all vendors, and add up what each person costs."""
    accounts = Accounts(
        users=lake.read(Users),
        service_accounts=lake.read(ServiceAccounts),
        billed=lake.ask(SpendAttribution, _BILLED, _OF_BILLED),
        unbilled=lake.uncounted().ask(Spend, _UNBILLED, _OF_UNBILLED),
    )
    providers = {one.name: one.provider for one in settings.connections}
    return joined(accounts, lake.read(Engineers), settings.directory, providers)


WHOLE_ASSETS = (people,)
