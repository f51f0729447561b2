"""The service tier of attributed dollars, carried over from the ledger. Pure.

The attribution says whose dollars they are, the ledger of which tier. Both have the same sum for
each line of the bill, so that a tier's dollars are the ledger's and a person's the attribution's,
to the last digit. Only where several people share lines of several tiers, each person has a share
of each tier in proportion. Not here: who has the dollars (questions/spend/attribution.py).
"""

from __future__ import annotations

from typing import Final

import polars as pl

ITEM: Final = ("connection", "day", "model", "usage_type")
CELL: Final = (*ITEM, "project_id", "api_key_id")
_LEVELS: Final = ((*CELL, "user_id"), CELL, ITEM)
"""What the two are matched by, the finest first; a bill that names users and projects only apart
meets its attribution at the last."""
_USD: Final = pl.col("billed_usd")
_OF_MATCH: Final = ("tiers", "service_tier")
_IS_ONE: Final = pl.col("tiers") == 1


def with_tiers(attribution: pl.DataFrame, ledger: pl.DataFrame) -> pl.DataFrame:
    """Return attributed dollars with their service_tier; null where the ledger has none.

    Args:
        attribution: The columns of `CELL`, user_id, billed_usd and any others.
        ledger: core.spend of the same days: those of `CELL`, user_id, service_tier, billed_usd.

    Returns:
        The rows of the attribution, some divided by tier: the sum of each is unchanged.
    """
    lines = ledger.group_by(*_LEVELS[0], "service_tier").agg(_USD.sum()).filter(_USD != 0)
    of_one, rows, lines = _of_one_tier(attribution, lines)
    rows, parts = rows.with_row_index("line"), [of_one]
    for level in _LEVELS:
        key = list(level)
        match = _matching(rows, lines, key)
        found = rows.join(match, on=key, how="left", nulls_equal=True)
        several = lines.join(match.filter(~_IS_ONE), on=key, how="semi", nulls_equal=True)
        shared = found.filter(~_IS_ONE).drop(_OF_MATCH)
        parts += [found.filter(_IS_ONE, _USD != 0), _divided(shared, several, key)]
        rows = found.filter(pl.col("tiers").is_null()).drop(_OF_MATCH)
        if rows.is_empty():
            break
        lines = lines.join(match, on=key, how="anti", nulls_equal=True)
    rest = rows.with_columns(service_tier=pl.lit(None, ledger.schema["service_tier"]))
    columns = [*attribution.columns, "service_tier"]
    return pl.concat([part.select(columns) for part in (*parts, rest)])


def _of_one_tier(
    attribution: pl.DataFrame, lines: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the rows of items that have one tier, with it; and what is left of both sides.

    Such an item has nothing to divide, whoever has its dollars: most bills have no others.
    """
    key = list(ITEM)
    theirs = lines.group_by(key).agg(
        pl.col("service_tier").first(), theirs=_USD.sum(), tiers=pl.col("service_tier").n_unique()
    )
    ours = attribution.group_by(key).agg(ours=_USD.sum())
    same = ours.join(theirs.filter(_IS_ONE), on=key, nulls_equal=True).filter(
        pl.col("ours") == pl.col("theirs")
    )
    found = attribution.filter(_USD != 0).join(
        same.select(*key, "service_tier"), on=key, nulls_equal=True
    )
    rows = attribution.join(same, on=key, how="anti", nulls_equal=True)
    return found, rows, lines.join(same, on=key, how="anti", nulls_equal=True)


def _matching(rows: pl.DataFrame, lines: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return the keys that have the same dollars on both sides, none of them a credit beside one.

    A credit and a charge of one line cannot be shared in proportion, unless only one side has
    several parts.

    Returns:
        Each key with its number of tiers, and one of these.
    """
    ours = rows.group_by(key).agg(ours=_USD.sum(), rows=pl.len(), least=_USD.min())
    theirs = lines.group_by(key).agg(
        pl.col("service_tier").first(),
        theirs=_USD.sum(),
        tiers=pl.col("service_tier").n_unique(),
        smallest=_USD.min(),
    )
    is_plain = (pl.col("rows") == 1) | _IS_ONE
    is_positive = (pl.col("least") >= 0) & (pl.col("smallest") >= 0) & (pl.col("ours") > 0)
    both = ours.join(theirs, on=key, nulls_equal=True)
    matching = both.filter(pl.col("ours") == pl.col("theirs"), is_plain | is_positive)
    return matching.select(*key, *_OF_MATCH)


def _divided(rows: pl.DataFrame, lines: pl.DataFrame, key: list[str]) -> pl.DataFrame:
    """Return rows divided by the tiers of their keys: exact per row, and per tier of each key.

    Every row but the largest takes its share of every tier but the largest; what is left makes the
    sums of the largest row and of the largest tier right.
    """
    tiers = lines.group_by(*key, "service_tier").agg(tier_usd=_USD.sum())
    ordered = _largest_first(tiers, "tier_usd", key, "nth_tier", "service_tier")
    both = _largest_first(rows, "billed_usd", key, "nth_row", "line").join(
        ordered, on=key, nulls_equal=True
    )
    first_row, first_tier = pl.col("nth_row") == 0, pl.col("nth_tier") == 0
    nothing = pl.col("tier_usd") - pl.col("tier_usd")
    total = pl.col("tier_usd").sum().over("line")
    share = _USD * (pl.col("tier_usd") / pl.when(total != 0).then(total))
    part = pl.when(first_row | first_tier).then(nothing).otherwise(share.fill_null(0))
    of_tier = [*key, "nth_tier"]
    rest_of_row = _USD - pl.col("part").sum().over("line")
    rest_of_tier = pl.col("tier_usd") - pl.col("part").sum().over(of_tier)
    return (
        both.with_columns(part=part)
        .with_columns(
            part=pl.when(first_row & ~first_tier).then(rest_of_tier).otherwise("part"),
        )
        .with_columns(part=pl.when(first_tier).then(rest_of_row).otherwise("part"))
        .with_columns(billed_usd=pl.col("part"))
        .filter(_USD != 0)
    )


def _largest_first(
    rows: pl.DataFrame, usd: str, key: list[str], position: str, tie: str
) -> pl.DataFrame:
    """Return rows with their position among those of their key, the most dollars first."""
    ordered = rows.sort(pl.col(usd).abs(), tie, descending=[True, False])
    return ordered.with_columns(pl.int_range(pl.len()).over(key).alias(position))
