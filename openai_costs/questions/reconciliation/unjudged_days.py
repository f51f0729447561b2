"""The days that would be compared with the gateway otherwise now than when they were made."""

from collections.abc import Sequence
from datetime import date

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange, consecutive
from openai_costs.questions.gateway import all_meter_days, is_openai, judged_days
from openai_costs.questions.provider_scope import ON_ITS_BILL, OPENAI
from openai_costs.questions.reconciliation.capture import BILL, Reads, with_states
from openai_costs.questions.reconciliation.day_boundary import REACH_DAYS
from openai_costs.questions.reconciliation.judged_by import LINE, REQUEST, judged_by
from openai_costs.settings import Gateway
from openai_costs.settings.connection import Connection
from openai_costs.settings.load import Settings
from openai_costs.sources.account_notes import with_own_days
from openai_costs.storage.lake import Lake
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.gateway_tokens import GatewayTokens
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.cost_reconciliation import CostReconciliation
from openai_costs.tables.mart.gateway_capture import GatewayCapture

_JUDGED = ("day", "judged_by")


def days_to_compare_again(lake: Lake, settings: Settings) -> list[DayRange]:
    """Return the days that bill and meter would be compared otherwise now, by key or as sums."""
    gateway = settings.gateway
    by_key = (*unjudged_days(lake, gateway), *days_judged_otherwise(lake, gateway))
    return [*by_key, *days_of_other_bills(lake, gateway, with_own_days(settings))]


def days_of_other_bills(
    lake: Lake, gateway: Gateway, connections: Sequence[Connection]
) -> list[DayRange]:
    """Return the days of mart.gateway_capture that have settled otherwise by the bills of now.

    A connection that came to the settings, or left them, changes whether the days that it was not
    read for are whole.
    """
    captured = lake.read(GatewayCapture).filter(connection=gateway.name)
    stored = captured.select("day", "provider", "is_settled")
    if stored.is_empty():
        return []
    read = lake.read(SpendControl).select("connection", "day", "is_settled")
    reads = Reads(read, all_meter_days(lake), connections)
    now = with_states(stored.drop("is_settled"), _distinct(lake, Spend, BILL), reads)
    otherwise = now.join(stored, on=stored.columns, how="anti")
    return consecutive(otherwise["day"].unique().to_list())


def unjudged_days(lake: Lake, gateway: Gateway) -> list[DayRange]:
    """Return the days of bill or meter that the registry covers and mart.cost_reconciliation lacks.

    The registry may be read after the bill, on the first day for instance: every line of a day that
    is compared has a row, and so have metered dollars of a day without a line. A day without any
    was not compared.
    """
    billed = _slices(lake, Spend, ON_ITS_BILL)
    compared = _slices(lake, CostReconciliation, f"provider = '{OPENAI}'")
    metered = _distinct(lake, GatewaySpend, ("day", "upstream_provider"), "metered_usd > 0")
    lacking = (
        billed.join(compared, on=["connection", "day"], how="anti").select("day"),
        metered.filter(is_openai()).select("day").join(compared, on="day", how="anti"),
    )
    missing = pl.concat(lacking)["day"].unique()
    if missing.is_empty():
        return []
    ranges = consecutive(missing.to_list())
    asked = judged_days(lake, gateway, DayRange(ranges[0].first, ranges[-1].last))
    if asked is None:
        return []
    return consecutive(missing.filter(missing.is_between(asked.first, asked.last)).to_list())


def days_judged_otherwise(lake: Lake, gateway: Gateway) -> list[DayRange]:
    """Return the compared days that settings, tokens and reads of the meter judge otherwise now.

    Without this, those of now would judge the trailing days alone, until all days are made again.
    Days beside them are returned too: what the gateway counts on a day may be billed on the next.
    """
    stored = _distinct(lake, CostReconciliation, _JUDGED)
    if stored.is_empty():
        return []
    now = judged_by(
        _distinct(lake, Spend, LINE, ON_ITS_BILL),
        _distinct(lake, GatewaySpend, REQUEST),
        all_meter_days(lake),
        (lake.read(GatewayTokens), lake.read(ApiKeys)),
        gateway,
    )
    is_out_of_use = pl.col("day") < (gateway.start or date.min)
    is_other = pl.col("judged_by").ne_missing(pl.col("judged_by_now"))  # older rows have none
    otherwise = stored.join(now, on="day", suffix="_now").filter(
        is_other | is_out_of_use | pl.lit(not gateway.is_there)
    )
    beside = (
        day + ONE_DAY * by for day in otherwise["day"] for by in range(-REACH_DAYS, REACH_DAYS + 1)
    )
    return consecutive({*beside} & {*stored["day"]})


def _distinct(
    lake: Lake, table: type[Contract], columns: Sequence[str], which: str = "true"
) -> pl.DataFrame:
    question = f"SELECT DISTINCT {', '.join(columns)} FROM stored WHERE {which}"  # noqa: S608 - our own words
    return lake.ask(table, question, table.no_rows().select(columns).schema)


def _slices(lake: Lake, table: type[Contract], which: str) -> pl.DataFrame:
    return _distinct(lake, table, ("connection", "day"), which)
