"""Which days are in flight: some run is between writing core and mart, or was killed there."""

from datetime import date

import polars as pl

from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_by_user import SpendByUser
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.spend import Spend as MartSpend
from openai_costs.tables.mart.spend_attribution import SpendAttribution
from openai_costs.tables.mart.spend_by_user import SpendByUser as MartSpendByUser

TOGETHER = (Spend, SpendByUser, SpendControl, MartSpend, SpendAttribution, MartSpendByUser)
"""The daily tables that add up to one another: published from the same read, or not at all."""


def slices_in_flight(lake: Lake) -> list[tuple[str, date]]:
    """Return the slices whose tables do not all come from the same read of the provider."""
    stored = [lake.slices(table) for table in TOGETHER]
    reads = pl.concat(stored).group_by("connection", "day")
    agreement = reads.agg(tables=pl.len(), moments=pl.col("read_at").n_unique())
    torn = agreement.filter((pl.col("tables") < len(TOGETHER)) | (pl.col("moments") > 1))
    return torn.select("connection", "day").sort("connection", "day").rows()
