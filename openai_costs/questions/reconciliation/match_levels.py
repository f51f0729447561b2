"""What both sides of a gap are matched on: a key, a project, the gateway's keys, or nothing. Pure.

What covers a line of the bill is decided in questions/gateway_coverage.py, for bypass and
reconciliation alike. Here lines are added up to what they are compared with: on the level `project`
all keys of the project that no token names, on the level `gateway` all keys that settings leave to
choose from.
"""

import polars as pl

from openai_costs.questions.gateway_coverage import coverage_by_token
from openai_costs.questions.gateway_routes import Routes


def levelled(lines: pl.DataFrame, routes: Routes, metered: pl.DataFrame) -> pl.DataFrame:
    """Return bill lines with `level`: key, project, gateway, unmapped, or null where none covers.

    Lines on the levels `project` and `gateway` have no api_key_id left, on the latter no project_id
    either, and are added up.

    Args:
        lines: `billed_lines`.
        routes: What settings and the registry say together.
        metered: `owned`, of the same days.
    """
    covered = coverage_by_token(lines, routes, metered)
    level = pl.col("level")
    is_pooled = level == "gateway"
    pooled = covered.with_columns(
        api_key_id=pl.when(~(is_pooled | (level == "project")).fill_null(False)).then("api_key_id"),
        project_id=pl.when(~is_pooled.fill_null(False)).then("project_id"),
    )
    return _added_up(pooled, [*lines.columns, "level"])


def _added_up(lines: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    sums = ("billed_usd", "credit_usd", "billed_tokens")
    tokens = pl.col("billed_tokens")
    return (
        lines.group_by([name for name in columns if name not in sums])
        .agg(
            pl.col("billed_usd", "credit_usd").sum(),
            billed_tokens=pl.when(tokens.is_not_null().all()).then(tokens.sum()),
        )
        .select(columns)
    )
