"""Series of the ledger: what an organisation and everything in it cost, day by day. Pure."""

from collections.abc import Iterable, Mapping
from itertools import permutations
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.money import MONEY
from openai_costs.questions.series import ID, LEVELS_APART

WHOLE = "org"
COLUMNS = {
    "project": "project_id",
    "user": "user_id",
    "key": "api_key_id",
    "model": "model",
    "usage_type": "usage_type",
}
"""The column of each level."""
KINDS = {WHOLE: "organization", "key": "api_key"}
"""What levels are called in tables and settings, where it is another word."""
FACTS = ("name", "team", "owner")


class Seen(NamedTuple):
    """What some days of one connection say.

    Args:
        spend: series_id, day, cost.
        belongs: child, parent: series that met in a line of the bill.
        about: series_id, name, team, owner, usd, day: how it was called, and whose it is.
    """

    spend: pl.DataFrame
    belongs: pl.DataFrame
    about: pl.DataFrame


def seen(spend: pl.DataFrame, attribution: pl.DataFrame) -> Seen:
    """Return what some days say. Users are those of the attribution, all else is as billed.

    Args:
        spend: mart.spend of one connection.
        attribution: mart.spend_attribution of the same days.
    """
    parts = [_daily(attribution if level == "user" else spend, level) for level in COLUMNS]
    billed = pl.concat([_whole(spend), *parts])
    return Seen(billed, _belongs(attribution, spend), _about(spend, attribution))


def together(parts: Iterable[Seen]) -> Seen:
    """Return what several stretches of days say together."""
    spend, belongs, about = zip(*parts, strict=True)
    summed = (pl.col("usd").sum().cast(MONEY), pl.col("day").max())
    newest = pl.concat(about).group_by(ID, *FACTS).agg(summed)
    return Seen(pl.concat(spend), pl.concat(belongs).unique(), newest)


def facts_about(about: pl.DataFrame) -> pl.DataFrame:
    """Return series_id, name, team, owner: the newest name; team and owner of most dollars."""
    newest = about.drop_nulls("name").sort("day", "name")
    found = about.select(pl.col(ID).unique().sort())
    for fact, rows in (
        ("name", newest),
        ("team", _by_dollars(about, "team")),
        ("owner", _by_dollars(about, "owner")),
    ):
        said = rows.group_by(ID, maintain_order=True).agg(pl.col(fact).last())
        found = found.join(said, on=ID, how="left")
    return found


def filled(spend: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    """Return the series on every day of the calendar, with what stands in for unknown days."""
    told = spend.rename({"day": "as_of"}).join(calendar, on="as_of", how="inner")
    return told.select(ID, "day", "cost")


def id_of(level: str, column: str) -> pl.Expr:
    """Return the series_id of a column's values at a level."""
    return pl.concat_str(pl.lit(level + LEVELS_APART), column)


def _daily(rows: pl.DataFrame, level: str) -> pl.DataFrame:
    column = COLUMNS[level]
    some = rows.filter(pl.col(column).is_not_null())
    daily = some.group_by(column, "day").agg(cost=pl.col("billed_usd").sum())
    return daily.select(id_of(level, column).alias(ID), "day", pl.col("cost").cast(MONEY))


def _whole(rows: pl.DataFrame) -> pl.DataFrame:
    daily = rows.group_by("day").agg(cost=pl.col("billed_usd").sum())
    return daily.select(pl.lit(WHOLE).alias(ID), "day", pl.col("cost").cast(MONEY))


def _belongs(attribution: pl.DataFrame, spend: pl.DataFrame) -> pl.DataFrame:
    """Pairs of series that met; everything belongs to the whole."""
    pairs = []
    for child, parent in permutations(COLUMNS, 2):
        rows = attribution if "user" in (child, parent) else spend
        pairs.append(_met(rows, child, parent))
    for level, column in COLUMNS.items():
        rows = attribution if level == "user" else spend
        some = rows.filter(pl.col(column).is_not_null())
        pairs.append(some.select(child=id_of(level, column), parent=pl.lit(WHOLE)))
    return pl.concat(pairs).unique()


def _met(rows: pl.DataFrame, child: str, parent: str) -> pl.DataFrame:
    columns = COLUMNS[child], COLUMNS[parent]
    met = rows.select(columns).drop_nulls().unique()
    return met.select(child=id_of(child, columns[0]), parent=id_of(parent, columns[1]))


def _about(spend: pl.DataFrame, attribution: pl.DataFrame) -> pl.DataFrame:
    """What lines say of series: a name, a team, who spends by it."""
    has_name = ~pl.col("user_name").str.contains("@").fill_null(value=True)
    person = pl.when(has_name).then("user_name").otherwise("user_id")
    told = (
        _said(spend, "project", name="project_name", team="team"),
        _said(spend, "key", name="api_key_name", team="team"),
        _said(attribution, "key", owner=person),
        _said(attribution, "user", name="user_name", team="team", owner=person),
    )
    return pl.concat(told)


def _said(rows: pl.DataFrame, level: str, **facts: str | pl.Expr) -> pl.DataFrame:
    column = COLUMNS[level]
    unsaid = {name: pl.lit(None, pl.String) for name in FACTS if name not in facts}
    some = rows.filter(pl.col(column).is_not_null()).select(
        "billed_usd", "day", id_of(level, column).alias(ID), **facts, **unsaid
    )
    spent = pl.col("billed_usd").sum().cast(MONEY)
    return some.group_by(ID, *FACTS).agg(usd=spent, day=pl.col("day").max())


def _by_dollars(about: pl.DataFrame, fact: str) -> pl.DataFrame:
    summed = about.drop_nulls(fact).group_by(ID, fact).agg(pl.col("usd").sum())
    return summed.sort("usd", fact)


def kind_of(level: str) -> str:
    """Return what tables and settings call a level."""
    return KINDS.get(level, level)


def level_called(kind: str) -> str:
    """Return the level that tables and settings call so."""
    called: Mapping[str, str] = {name: level for level, name in KINDS.items()}
    return called.get(kind, kind)
