"""Which team each dollar of a project and key is of, as the attribution has it. Pure.

A dollar has one team, decided once, in mart.spend_attribution. This module carries that team over
to the ledger's projects and keys, exactly in both directions: the rows of a project, key, model and
usage type add up to the ledger, and the rows of a team add up to the attribution.

The two meet row by row, except where the provider names users and projects only apart: there the
attribution has dollars without a project that the ledger has in one. Such dollars are allocated to
the projects in proportion, model by model. Not here: which team a user or key is of (names.py).
"""

from typing import Final

import polars as pl

ITEM: Final = ["connection", "provider", "day", "model", "usage_type"]
CELL: Final = [*ITEM, "project_id", "api_key_id"]
_USD: Final = pl.col("billed_usd")


def split_by_team(ledger: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """Return the ledger's dollars: the columns of `CELL`, team, billed_usd.

    Args:
        ledger: core.spend of any number of days.
        attribution: mart.spend_attribution of the same days; rows of other slices are ignored.
    """
    cells = ledger.group_by(CELL).agg(_USD.sum())
    here = attribution.join(cells.select("connection", "day").unique(), on=["connection", "day"])
    teams = here.group_by(*CELL, "team").agg(_USD.sum())
    differing = _differing(cells, teams)
    known = teams.join(differing, on=CELL, how="anti", nulls_equal=True)
    allocated = _allocated(differing, teams)
    split = pl.concat([known, allocated.select(known.columns)]).filter(_USD != 0)
    # A line of 0 dollars has no one to be attributed to, and is still a line of the ledger.
    nothing = cells.filter(_USD == 0).join(split, on=CELL, how="anti", nulls_equal=True)
    return pl.concat([split, nothing.with_columns(billed_usd=_USD - _USD)], how="diagonal")


def _differing(cells: pl.DataFrame, teams: pl.DataFrame) -> pl.DataFrame:
    """Return the cells of which ledger and attribution have other sums: `CELL`, cell_usd."""
    attributed = teams.group_by(CELL).agg(attributed_usd=_USD.sum())
    both = cells.join(attributed, on=CELL, how="full", nulls_equal=True, coalesce=True)
    sums = both.with_columns(_USD.fill_null(0), pl.col("attributed_usd").fill_null(0))
    return sums.filter(pl.col("attributed_usd") != _USD).select(*CELL, cell_usd="billed_usd")


def _allocated(cells: pl.DataFrame, teams: pl.DataFrame) -> pl.DataFrame:
    """Return the dollars of some cells by team, exact per cell and per team of each item.

    Every cell but the largest takes its share of every team but the largest; what is left makes the
    sums of the largest cell and of the largest team right.
    """
    both = _largest_first(cells, "cell_usd", "cell").join(
        _largest_first(_of_teams(cells, teams), "team_usd", "nth_team"), on=ITEM, nulls_equal=True
    )
    of_cell, of_team = [*ITEM, "cell"], [*ITEM, "nth_team"]
    is_first_cell, is_first_team = pl.col("cell") == 0, pl.col("nth_team") == 0
    rest_of_cell = pl.col("cell_usd") - _USD.sum().over(of_cell)
    rest_of_team = pl.col("team_usd") - _USD.sum().over(of_team)
    nothing = pl.col("cell_usd") - pl.col("cell_usd")
    return (
        both.with_columns(
            billed_usd=pl.when(is_first_cell | is_first_team).then(nothing).otherwise(_share())
        )
        .with_columns(
            billed_usd=pl.when(is_first_team & ~is_first_cell)
            .then(rest_of_cell)
            .when(is_first_cell & ~is_first_team)
            .then(rest_of_team)
            .otherwise(_USD)
        )
        .with_columns(
            billed_usd=pl.when(is_first_cell & is_first_team).then(rest_of_cell).otherwise(_USD)
        )
    )


def _share() -> pl.Expr:
    """The team's dollars in proportion to the cell's; none where amounts of both signs meet."""
    total = pl.col("cell_usd").sum().over([*ITEM, "nth_team"])
    has_one_sign = pl.all_horizontal(
        pl.min_horizontal("cell_usd", "team_usd").min().over(ITEM) >= 0, total > 0
    )
    share = pl.col("cell_usd") / pl.when(total > 0).then(total)
    return pl.when(has_one_sign).then(pl.col("team_usd") * share).otherwise(total - total)


def _of_teams(cells: pl.DataFrame, teams: pl.DataFrame) -> pl.DataFrame:
    """Return `ITEM`, team, team_usd of some cells; what the attribution lacks is of no team."""
    attributed = teams.join(cells, on=CELL, how="semi", nulls_equal=True)
    by_team = attributed.group_by(*ITEM, "team").agg(team_usd=_USD.sum())
    billed = cells.group_by(ITEM).agg(pl.col("cell_usd").sum())
    summed = by_team.group_by(ITEM).agg(pl.col("team_usd").sum())
    both = billed.join(summed, on=ITEM, how="left", nulls_equal=True)
    lacking = both.select(
        *ITEM,
        team=pl.lit(None, pl.String),
        team_usd=pl.col("cell_usd") - pl.col("team_usd").fill_null(0),
    )
    return pl.concat([by_team, lacking]).group_by(*ITEM, "team").agg(pl.col("team_usd").sum())


def _largest_first(rows: pl.DataFrame, usd: str, position: str) -> pl.DataFrame:
    """Return rows with their position among those of their item, the most dollars first."""
    others = [name for name in rows.columns if name not in {*ITEM, usd}]
    order = rows.sort(
        *ITEM,
        pl.col(usd).abs(),
        *others,
        descending=[*[False] * len(ITEM), True, *[False] * len(others)],
    )
    return order.with_columns(pl.int_range(pl.len()).over(ITEM).alias(position))
