"""Who spent how much in a window: the largest members, everything else, the total. Pure.

A member is listed for what it spends or for what it spent the period before: the one that stopped
explains a change as well as the one that started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import polars as pl

from openai_costs.kernel.formatting import (
    NONE,
    amount,
    change_share,
    share,
    shared_cents,
    signed_amount,
)
from openai_costs.outputs.report.member_names import shown_names
from openai_costs.outputs.report.page_model import REST, Ranking, Row

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from decimal import Decimal

    from openai_costs.outputs.report.page_days import Window
    from openai_costs.outputs.report.page_model import Dimension


class Spent(NamedTuple):
    """Exact dollars of one member in a window and in the one before."""

    member: str
    usd: Decimal
    previous_usd: Decimal


class Ranked(NamedTuple):
    """The listed members of one dimension, dearest first, and everything else."""

    top: tuple[Spent, ...]
    rest: Spent | None
    rest_count: int


def ranked(cells: pl.DataFrame, window: Window, dimension: str, top: int) -> Ranked:
    """Return the `top` members of a window by dollars of either period.

    Args:
        cells: dimension, connection, day, member, billed_usd of the connections in view.
        window: The days to add up.
        dimension: Which cut.
        top: How many to list; one more is listed rather than a rest of one.
    """
    spent = _spent(cells.filter(pl.col("dimension") == dimension), window)
    shown = spent.height if spent.height <= top + 1 else top
    listed = spent.head(shown).sort("usd", "member", descending=[True, False])
    rest = spent.slice(shown)
    return Ranked(
        tuple(Spent(*row) for row in listed.select(Spent._fields).iter_rows()),
        Spent("", *rest.select("usd", "previous_usd").sum().row(0)) if rest.height else None,
        rest.height,
    )


def ranking(found: Ranked, positions: Mapping[str, int], *, is_compared: bool) -> Ranking:
    """Return the table in cents; each column adds up to its total.

    Args:
        found: Exact dollars.
        positions: Position of each member in its dimension.
        is_compared: Whether there is a period before.
    """
    spent = [*found.top, *([found.rest] if found.rest else [])]
    members = [positions[each.member] for each in found.top] + [REST] * (found.rest is not None)
    now = shared_cents([each.usd for each in spent])
    before = shared_cents([each.previous_usd for each in spent]) if is_compared else None
    previous: Sequence[int | None] = before if before is not None else [None] * len(spent)
    rows = tuple(Row(*row) for row in zip(members, now, previous, strict=True))
    total = Row(REST, sum(now), None if before is None else sum(before))
    return Ranking(rows, found.rest_count, total)


def _spent(cells: pl.DataFrame, window: Window) -> pl.DataFrame:
    """member, usd, previous_usd; those that moved most dollars first."""
    usd = pl.col("billed_usd")
    is_now, is_before = pl.col("day").is_in(window.days), pl.col("day").is_in(window.before)
    weight = pl.max_horizontal(pl.col("usd").abs(), pl.col("previous_usd").abs())
    return (
        cells.filter(is_now | is_before)
        .group_by("member")
        .agg(usd=usd.filter(is_now).sum(), previous_usd=usd.filter(is_before).sum())
        .filter((pl.col("usd") != 0) | (pl.col("previous_usd") != 0))
        .sort(weight, "member", descending=[True, False])
    )


# One frame for every table and chart: dollars per dimension, connection, day and member. Pure.


class Cut(NamedTuple):
    """A dimension and where it comes from."""

    id: str
    title: str
    table: str
    key: str
    name: str
    nobody: str


CUTS: Final = (
    Cut("project", "Project", "spend", "project_id", "project_name", "(no project)"),
    Cut("user", "User", "by_user", "user_id", "user_name", "(no user)"),
    Cut("team", "Team", "by_user", "team", "team", "(no team)"),
    Cut("key", "API key", "spend", "api_key_id", "api_key_name", "(no key)"),
    Cut("model", "Model", "spend", "model", "model", "(no model)"),
    Cut("usage_type", "Usage type", "spend", "usage_type", "usage_type", "(no usage type)"),
)


def cells(spend: pl.DataFrame, by_user: pl.DataFrame) -> pl.DataFrame:
    """Return dimension, connection, day, member (its id, "" for none), billed_usd (exact).

    Args:
        spend: mart.spend.
        by_user: mart.spend_by_user.
    """
    tables = {"spend": spend, "by_user": by_user}
    return pl.concat(
        tables[cut.table]
        .group_by(
            pl.lit(cut.id).alias("dimension"),
            "connection",
            "day",
            pl.col(cut.key).fill_null("").alias("member"),
        )
        .agg(pl.col("billed_usd").sum())
        for cut in CUTS
    )


def member_names(spend: pl.DataFrame, by_user: pl.DataFrame) -> dict[str, dict[str, str]]:
    """Return what to call each member, by dimension and id."""
    tables = {"spend": spend, "by_user": by_user}
    return {cut.id: shown_names(_newest(tables[cut.table], cut), cut.nobody) for cut in CUTS}


def _newest(table: pl.DataFrame, cut: Cut) -> dict[str, str | None]:
    """The newest name of each id; a renamed project goes by what it is called today."""
    key, name = pl.col(cut.key).fill_null(""), pl.col(cut.name)
    newest = (
        table.select("day", key.alias("key"), name.alias("name"))
        .sort("key", "day", "name")
        .group_by("key", maintain_order=True)
        .agg(pl.col("name").drop_nulls().last())
    )
    return dict(newest.iter_rows())


# A ranking as cells of a table: formatted once, for the HTML and the script alike. Pure.


class CellRow(NamedTuple):
    """A line of a table: whose it is, and name, USD, share, change in USD, change in percent."""

    member: int
    cells: tuple[str, str, str, str, str]


def cell_rows(dimension: Dimension, ranking: Ranking) -> Iterator[CellRow]:
    """Yield the lines, the total last."""
    for row in ranking.rows:
        rest = f"Everything else ({ranking.rest_count})"
        name = rest if row.member == REST else dimension.members[row.member]
        yield _cells(name, row, ranking.total)
    yield _cells("Total", ranking.total, ranking.total)


def _cells(name: str, row: Row, total: Row) -> CellRow:
    change = NONE if row.previous_cents is None else signed_amount(row.cents - row.previous_cents)
    return CellRow(
        row.member,
        (name, amount(row.cents), share(row.cents, total.cents), change, _change_share(row)),
    )


def _change_share(row: Row) -> str:
    if row.previous_cents is None:
        return NONE
    if row.previous_cents == 0 and row.cents:
        return "new"
    return change_share(row.cents, row.previous_cents)
