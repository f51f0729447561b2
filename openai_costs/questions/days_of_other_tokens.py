"""The days that the gateway's tokens judge otherwise than before: on another bill, or on none."""

from datetime import date
from functools import partial

import polars as pl

from openai_costs.questions.gateway_coverage import coverage_by_token, owned
from openai_costs.questions.gateway_routes import Routes
from openai_costs.questions.model_names import undated_model
from openai_costs.questions.provider_scope import ON_ITS_BILL
from openai_costs.settings import Gateway
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.api_keys import ApiKeys
from openai_costs.tables.core.gateway_spend import GatewaySpend
from openai_costs.tables.core.spend import Spend

_LINE = ("day", "project_id", "api_key_id", "model")
_REQUEST = ("day", "token_id", "upstream_provider", "model")
_LINES = f"SELECT DISTINCT {', '.join(_LINE)} FROM stored WHERE {ON_ITS_BILL}"  # noqa: S608 - our own words
_REQUESTS = f"SELECT DISTINCT {', '.join(_REQUEST)} FROM stored"  # noqa: S608 - our own words


def days_of_other_tokens(
    lake: Lake, gateway: Gateway, before: pl.DataFrame, now: pl.DataFrame
) -> set[date]:
    """Return the stored days on which a line or a request is on another bill than before.

    A key that a new token names too was covered on the same days already, so most changes of the
    tokens are of few days.

    Args:
        lake: Where tables are.
        gateway: The settings.
        before: core.gateway_tokens as they were.
        now: As they are.
    """
    lines = lake.ask(Spend, _LINES, Spend.no_rows().select(_LINE).schema)
    requests = lake.ask(GatewaySpend, _REQUESTS, GatewaySpend.no_rows().select(_REQUEST).schema)
    judged = (
        partial(coverage_by_token, lines.with_columns(model=undated_model())),
        partial(owned, requests, lake.read(ApiKeys)),
    )
    was, is_now = (Routes(one, gateway.upstreams, gateway.models) for one in (before, now))
    return {day for judge in judged for day in _differing(judge(was), judge(is_now))}


def _differing(one: pl.DataFrame, other: pl.DataFrame) -> pl.Series:
    return one.join(other, on=one.columns, how="anti", nulls_equal=True)["day"]
