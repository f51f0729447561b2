"""What each day is judged by, as a digest: other settings, tokens or reads give another one. Pure.

The rows of a day have it, so what is stored says which days are compared otherwise now, whichever
run reads the tokens and whatever becomes of it. Not of the dollars: they are read in the run that
compares them.
"""

from hashlib import sha256

import polars as pl

from openai_costs.questions.gateway_coverage import coverage_by_token, owned
from openai_costs.questions.gateway_routes import Routes
from openai_costs.questions.model_names import undated_model
from openai_costs.settings import Gateway

LINE = ("day", "project_id", "api_key_id", "model")
"""The columns of core.spend that decide what covers a line."""
REQUEST = ("day", "token_id", "upstream_provider", "model")
"""The columns of core.gateway_spend that decide on which bill a request is."""


def judged_by(
    lines: pl.DataFrame,
    requests: pl.DataFrame,
    meter_days: pl.DataFrame,
    lists: tuple[pl.DataFrame, pl.DataFrame],
    gateway: Gateway,
) -> pl.DataFrame:
    """Return day and judged_by, of the days that have a line or a request.

    A key that a new token names too was covered on the same days already, so most changes of the
    tokens give few days another digest.

    Args:
        lines: `LINE` of the bill.
        requests: `REQUEST` of the meter.
        meter_days: day, is_settled: the days of the meter that were read.
        lists: core.gateway_tokens and core.api_keys.
        gateway: The settings.
    """
    tokens, keys = lists
    routes = Routes(tokens, gateway.upstreams, gateway.models)
    covered = coverage_by_token(lines.select(LINE).unique().with_columns(undated_model()), routes)
    on_bills = owned(requests.select(REQUEST).unique(), keys, routes)
    judged = [_by_day(one) for one in (covered, on_bills)]
    texts = pl.concat([*judged, _by_day(meter_days).join(pl.concat(judged), on="day", how="semi")])
    found = texts.group_by("day", maintain_order=True).agg("text").rows()
    digests = [(day, _digest(gateway.judged_by, *some)) for day, some in found]
    return pl.DataFrame(digests, {"day": pl.Date, "judged_by": pl.String}, orient="row")


def _by_day(rows: pl.DataFrame) -> pl.DataFrame:
    """Return one text of each day's rows, whatever their order."""
    row = pl.struct(pl.exclude("day")).struct.json_encode()
    return (
        rows.select("day", text=row)
        .unique()
        .sort("day", "text")
        .group_by("day", maintain_order=True)
        .agg(pl.col("text").str.join("\n"))
    )


def _digest(*texts: str) -> str:
    return sha256("\n\n".join(texts).encode()).hexdigest()[:12]
