"""On what the two sides can be matched: a key, a project, or nothing. Pure.

A token whose OpenAI key is known matches that key. Where the gateway knows a project only, all keys
of that project which no token names are matched together. What settings declare to be the
gateway's and no token was ever mapped to is `unmapped`. Everything else has no gateway token.
"""

from collections.abc import Sequence

import polars as pl

from openai_costs.questions.gateway import coverage_by_token
from openai_costs.settings import Upstream


def levelled(
    lines: pl.DataFrame, tokens: pl.DataFrame, upstreams: Sequence[Upstream] = ()
) -> pl.DataFrame:
    """Return bill lines with `level`: key, project, unmapped, or null where no token covers them.

    Lines on the level `project` have no api_key_id left, and are added up.

    Args:
        lines: `billed_lines`.
        tokens: core.gateway_tokens.
        upstreams: The keys and projects that settings declare.
    """
    covered = coverage_by_token(lines, tokens, upstreams)
    return _added_up(covered, [*lines.columns, "level"])


def _added_up(lines: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    without_key = pl.when(pl.col("level").ne_missing("project")).then(pl.col("api_key_id"))
    sums = ("billed_usd", "billed_tokens")
    grain = [name for name in columns if name not in sums]
    tokens = pl.col("billed_tokens")
    return (
        lines.with_columns(api_key_id=without_key)
        .group_by(grain)
        .agg(
            pl.col("billed_usd").sum(),
            billed_tokens=pl.when(tokens.is_not_null().all()).then(tokens.sum()),
        )
        .select(columns)
    )
