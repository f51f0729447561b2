"""Who and what spent how much: a table per dimension, and the daily series behind the chart. Pure.

A member is listed for what it spent or for what it spent the period before: the one that stopped
explains a change as well as the one that started. The rows of a table add up to its total, and the
members of a day to that day, to the cent.
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
from openai_costs.kernel.redaction import without_domains
from openai_costs.outputs.namesakes import distinguished

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from datetime import date

    from openai_costs.outputs.report.page_days import Window

REST: Final = -1
"""The member that stands for everything a ranking does not list."""

_LONGEST_NAME: Final = 80


class Cut(NamedTuple):
    """A dimension: its id and title, the columns of its table, and what null is called."""

    id: str
    title: str
    table: str
    key: str
    name: str
    none: str


CUTS: Final = (
    Cut("project", "Project", "spend", "project_id", "project_name", "(no project)"),
    Cut("user", "User", "by_user", "user_id", "user_name", "(no user)"),
    Cut("team", "Team", "by_user", "team", "team", "(no team)"),
    Cut("key", "API key", "spend", "api_key_id", "api_key_name", "(no key)"),
    Cut("model", "Model", "spend", "model", "model", "(no model)"),
    Cut("usage_type", "Usage type", "spend", "usage_type", "usage_type", "(no usage type)"),
)


class Members(NamedTuple):
    """The members of a dimension, by id ("" for none): a number for each, and its name."""

    positions: dict[str, int]
    names: dict[str, str]


class Row(NamedTuple):
    """One line of a table.

    Args:
        member: The number of the member; `REST` for everything else and for the total.
        cents: Spend of the period.
        previous_cents: Spend of the period before; None when there is none to compare.
        cells: Name, USD, share, change in USD, change in percent, as shown.
    """

    member: int
    cents: int
    previous_cents: int | None
    cells: tuple[str, str, str, str, str]


class Ranking(NamedTuple):
    """A table: the largest members and everything else, and the total they add up to exactly."""

    rows: tuple[Row, ...]
    total: Row


class Series(NamedTuple):
    """Cents per day of one connection in one dimension; the members and the rest make the total."""

    total: tuple[int, ...]
    members: Mapping[int, tuple[int, ...]]


def amounts_by_member(spend: pl.DataFrame, by_user: pl.DataFrame) -> pl.DataFrame:
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


def members_of(spend: pl.DataFrame, by_user: pl.DataFrame) -> dict[str, Members]:
    """Return the members of each dimension, by the dimension's id."""
    tables = {"spend": spend, "by_user": by_user}
    return {cut.id: _members(tables[cut.table], cut) for cut in CUTS}


def ranking(amounts: pl.DataFrame, window: Window, cut: Cut, members: Members, top: int) -> Ranking:
    """Return the table of one dimension in a window; each column adds up to its total.

    Args:
        amounts: dimension, connection, day, member, billed_usd of the connections in view.
        window: The days to add up.
        cut: The dimension.
        members: Its members.
        top: How many to list; one more is listed rather than a rest of one.
    """
    spent = _spent(amounts.filter(dimension=cut.id), window)
    shown = spent.height if spent.height <= top + 1 else top
    listed = spent.head(shown).sort("usd", "member", descending=[True, False])
    keys, rest = listed["member"].to_list(), spent.slice(shown)
    numbers = [members.positions[key] for key in keys] + [REST] * bool(rest.height)
    names = [members.names[key] for key in keys] + [f"Everything else ({rest.height})"]
    exact = pl.concat([listed, rest.sum()] if rest.height else [listed])
    now = shared_cents(exact["usd"].to_list())
    before = shared_cents(exact["previous_usd"].to_list()) if window.before else [None] * len(now)
    total = _row(REST, "Total", sum(now), _total(before) if window.before else None, sum(now))
    rows = zip(numbers, names, now, before, strict=False)
    return Ranking(tuple(_row(*row, total.cents) for row in rows), total)


def daily_series(
    amounts: pl.DataFrame, days: Sequence[date], members: Members, listed: AbstractSet[int]
) -> Series:
    """Return the series of one connection in one dimension.

    Each day is cut to cents once, so that its members and the rest add up to the day's total.

    Args:
        amounts: day, member, billed_usd of that connection and dimension.
        days: The page's days, without gaps.
        members: The members of the dimension.
        listed: The numbers of the members to keep apart.
    """
    shown = {key: number for key, number in members.positions.items() if number in listed}
    member = pl.col("member").replace_strict(shown, default=REST, return_dtype=pl.Int64)
    grouped = amounts.group_by("day", member.alias("number")).agg(pl.col("billed_usd").sum())
    place = {day: i for i, day in enumerate(days)}
    total, apart = [0] * len(days), {number: [0] * len(days) for number in sorted(shown.values())}
    for (day,), parts in grouped.sort("day", "number").partition_by("day", as_dict=True).items():
        usd = parts["billed_usd"].to_list()
        for number, cents in zip(parts["number"], shared_cents(usd), strict=True):
            total[place[day]] += cents
            if number != REST:
                apart[number][place[day]] = cents
    spent = {number: tuple(values) for number, values in apart.items() if any(values)}
    return Series(tuple(total), spent)


def _members(table: pl.DataFrame, cut: Cut) -> Members:
    """Name each id as it was last called: a renamed project goes by its newest name."""
    key, name = pl.col(cut.key).fill_null(""), pl.col(cut.name)
    newest = (
        table.select("day", key.alias("key"), name.alias("name"))
        .sort("key", "day", "name")
        .group_by("key", maintain_order=True)
        .agg(pl.col("name").drop_nulls().last())
    )
    called = {key: _short(without_domains(name or key)) for key, name in newest.iter_rows()}
    names = distinguished(called | ({"": cut.none} if "" in called else {}))
    return Members({key: i for i, key in enumerate(names)}, names)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\u2026"


def _spent(amounts: pl.DataFrame, window: Window) -> pl.DataFrame:
    """member, usd, previous_usd; those that moved most dollars first."""
    usd = pl.col("billed_usd")
    is_now, is_before = pl.col("day").is_in(window.days), pl.col("day").is_in(window.before)
    weight = pl.max_horizontal(pl.col("usd").abs(), pl.col("previous_usd").abs())
    return (
        amounts.filter(is_now | is_before)
        .group_by("member")
        .agg(usd=usd.filter(is_now).sum(), previous_usd=usd.filter(is_before).sum())
        .filter((pl.col("usd") != 0) | (pl.col("previous_usd") != 0))
        .sort(weight, "member", descending=[True, False])
    )


def _total(parts: Sequence[int | None]) -> int:
    return sum(part or 0 for part in parts)


def _row(member: int, name: str, cents: int, previous: int | None, whole: int) -> Row:
    change = NONE if previous is None else signed_amount(cents - previous)
    cells = (name, amount(cents), share(cents, whole), change, _change_share(cents, previous))
    return Row(member, cents, previous, cells)


def _change_share(cents: int, previous: int | None) -> str:
    if previous is None:
        return NONE
    return "new" if previous == 0 and cents else change_share(cents, previous)
