"""The days that would be compared with the gateway otherwise now than when they were made."""

from datetime import date

import polars as pl

from openai_costs.kernel.days import DayRange, consecutive
from openai_costs.questions.gateway import judged_days
from openai_costs.questions.provider_scope import ON_ITS_BILL, OPENAI
from openai_costs.settings import Gateway
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation

_OTHERWISE = """
    SELECT DISTINCT day FROM stored
    WHERE judged_by IS DISTINCT FROM '{judged_by}' OR day < DATE '{start}' OR {is_gone}
"""
_SLICES = "SELECT DISTINCT connection, day FROM stored WHERE {}"


def days_to_compare_again(lake: Lake, gateway: Gateway) -> list[DayRange]:
    """Return the days that mart.cost_reconciliation would have otherwise now."""
    return [*unjudged_days(lake, gateway), *days_judged_otherwise(lake, gateway)]


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


def days_judged_otherwise(lake: Lake, gateway: Gateway) -> list[DayRange]:
    """Return the days that other settings compared, or that there is no gateway on any more.

    A key that is declared now was the gateway's before. Without this, the settings of now would
    judge the trailing days alone, until all days are made again.
    """
    question = _OTHERWISE.format(
        judged_by=gateway.judged_by, start=gateway.start or date.min, is_gone=not gateway.is_there
    )
    schema = CostReconciliation.no_rows().select("day").schema
    return consecutive(lake.ask(CostReconciliation, question, schema)["day"])


def _slices(lake: Lake, table: type[Contract], which: str) -> pl.DataFrame:
    return lake.ask(
        table, _SLICES.format(which), table.no_rows().select("connection", "day").schema
    )
