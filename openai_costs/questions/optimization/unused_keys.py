"""Keys and projects that are unused, or exist twice. Pure.

They cost nothing while they are idle: removing them removes a risk. Their rows have a saving of 0.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import polars as pl

from openai_costs.kernel.days import midnight
from openai_costs.kernel.formatting import dollars
from openai_costs.questions.optimization.facts import Facts, Saving

IDLE: Final = "optimization.idle"
DUPLICATE: Final = "optimization.duplicate"
NOTHING: Final = Decimal(0)
ACTIVE: Final = pl.col("is_current") & (pl.col("status") == "active")


def idle(facts: Facts) -> Iterator[Saving]:
    """Yield projects without spend in the whole period, and such keys of the other projects.

    Where no day was measured by key, only a key whose last use is known can be called idle.
    """
    if not facts.is_whole:
        return
    projects = _resting(facts, facts.projects, "project_id")
    keys = facts.keys.join(projects, left_on="project_id", right_on="id", how="anti")
    if facts.lines["api_key_id"].null_count() == facts.lines.height:
        keys = keys.drop_nulls("last_used_at")
    is_unused = pl.col("last_used_at").is_null() | _is_before(facts, "last_used_at")
    for row in projects.iter_rows(named=True):
        yield _idle(facts, "project", row)
    for row in _resting(facts, keys.filter(is_unused), "api_key_id").iter_rows(named=True):
        yield _idle(facts, "api_key", row)


def duplicate(facts: Facts) -> Iterator[Saving]:
    """Yield the names that several keys of one owner and project, or several projects, share."""
    owned = facts.keys.drop_nulls("owner_id")
    yield from _twice(facts, "api_key", owned, ["project_id", "owner_id", "name"])
    yield from _twice(facts, "project", facts.projects, ["name"])


def _resting(facts: Facts, things: pl.DataFrame, column: str) -> pl.DataFrame:
    """Return the active things, older than the period, that no dollar and no token names."""
    spent = facts.lines.filter(pl.col("billed_usd") != 0)[column]
    used = facts.tokens[column] if column in facts.tokens.columns else spent
    named = pl.concat([spent, used]).drop_nulls().unique().to_list()
    is_resting = _is_before(facts, "created_at") & ~pl.col("id").is_in(named)
    return things.filter(ACTIVE, is_resting).sort("id")


def _is_before(facts: Facts, column: str) -> pl.Expr:
    return pl.col(column) < midnight(facts.period.first).replace(tzinfo=None)


def _idle(facts: Facts, kind: str, row: dict[str, Any]) -> Saving:
    used = row.get("last_used_at")
    last = f", last used {used:%Y-%m-%d}" if used else ""
    because = (
        f"Created {row['created_at']:%Y-%m-%d}{last}; no spend in the {len(facts.period)} days "
        f"from {facts.period}. Removing it saves no money, but closes access that no one monitors."
    )
    return Saving(IDLE, kind, row["id"], row["name"], None, NOTHING, NOTHING, because)


def _twice(facts: Facts, kind: str, things: pl.DataFrame, shared: list[str]) -> Iterator[Saving]:
    named = things.filter(ACTIVE).drop_nulls("name").sort("created_at", "id")
    groups = named.group_by(shared, maintain_order=True).agg("id")
    bills = dict(facts.lines.group_by(f"{kind}_id").agg(pl.col("billed_usd").sum()).iter_rows())
    what = "keys of one owner and project" if kind == "api_key" else "projects"
    for row in groups.filter(pl.col("id").list.len() > 1).iter_rows(named=True):
        billed = {one: bills.get(one, NOTHING) for one in row["id"]}
        amounts = ", ".join(f"{one} {dollars(usd)}" for one, usd in billed.items())
        because = (
            f"{len(billed)} active {what} share this name. Billed in the period: {amounts}. Remove "
            "those that are not needed, or give each a name of its own."
        )
        first, name = row["id"][0], row["name"]
        yield Saving(DUPLICATE, kind, first, name, None, billed[first], NOTHING, because)
