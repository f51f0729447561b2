"""The days that could be compared with the gateway now, and were not when they were made."""

import polars as pl

from openai_costs.kernel.days import DayRange, consecutive
from openai_costs.questions.gateway import judged_days
from openai_costs.questions.provider_scope import ON_ITS_BILL, OPENAI
from openai_costs.settings import Gateway
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation

_SLICES = "SELECT DISTINCT connection, day FROM stored WHERE {}"


def unjudged_days(lake: Lake, gateway: Gateway) -> list[DayRange]:
    """Return the days with spend that the registry covers and mart.cost_reconciliation has not.

    The registry may be read after the bill, on the first day for instance: every line of a day that
    is compared has a row, so a day without any was not.
    """
    billed = _slices(lake, Spend, ON_ITS_BILL)
    compared = _slices(lake, CostReconciliation, f"provider = '{OPENAI}'")
    missing = billed.join(compared, on=["connection", "day"], how="anti")["day"]
    if missing.is_empty():
        return []
    ranges = consecutive(missing.to_list())
    asked = judged_days(lake, gateway, DayRange(ranges[0].first, ranges[-1].last))
    if asked is None:
        return []
    return consecutive(missing.filter(missing.is_between(asked.first, asked.last)).to_list())


def _slices(lake: Lake, table: type[Contract], which: str) -> pl.DataFrame:
    return lake.ask(
        table, _SLICES.format(which), table.no_rows().select("connection", "day").schema
    )
