"""The rows of `mart.spend_anomalies`, from flagged days with their explanations. Pure."""

from decimal import Decimal

import polars as pl

from openai_costs.questions.anomalies.explanation import Explained
from openai_costs.questions.anomalies.kinds import by_name
from openai_costs.questions.anomalies.series_ids import kind_of
from openai_costs.tables.mart.spend_anomalies import SpendAnomalies


def rows(explained: list[Explained]) -> pl.DataFrame:
    """Return mart.spend_anomalies.

    Args:
        explained: What `explain` returns, a flagged day each.
    """
    anomalies = pl.DataFrame(
        [_row(one) for one in explained], schema=SpendAnomalies.types(), orient="row"
    )
    return anomalies.sort("day", "connection", "series_kind", "series_id")


def _row(one: Explained) -> dict[str, object]:
    flag, series = one.flag, one.series
    return {
        "day": flag["day"],
        "connection": series.connection,
        "provider": one.provider,
        "series_kind": kind_of(series.level),
        "series_id": series.name or series.connection,
        "series_name": one.name,
        "kind": by_name(flag["incident_kind"]).published_as,
        "is_told": flag["is_reported"],
        **{name: flag[name] for name in ("incident_id", "since_day", "direction")},
        "actual_usd": flag["cost"],
        **{f"{name}_usd": flag[name] for name in ("expected", "lower", "upper")},
        "impact_usd": flag["cost"] - flag["expected"],
        "score": Decimal(str(flag["score"])).quantize(Decimal("0.001")),
        "causes": one.causes,
        "team": one.team,
        "owner": one.owner,
    }
