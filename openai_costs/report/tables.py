"""A ranking as cells of a table: formatted once, for the HTML and the script alike. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from openai_costs.report.dollars import NONE, amount, change_share, share, signed
from openai_costs.report.facts import REST

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_costs.report.facts import Dimension, Ranking, Row


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
    change = NONE if row.previous_cents is None else signed(row.cents - row.previous_cents, "")
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
