"""The data the page's script reads: JSON in a script element that no name can break out of. Pure.

Daily cents are written in base 36 with zeros left out, which halves the file.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from openai_costs.kernel.formatting import shared_cents
from openai_costs.outputs.report.page_model import Series
from openai_costs.outputs.report.rankings import cell_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from decimal import Decimal

    from openai_costs.outputs.report.page_model import Period, ReportFacts, View


_DIGITS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"


def island(facts: ReportFacts) -> str:
    """Return the JSON text; `<`, `>` and `&` only ever as escapes."""
    text = json.dumps(_data(facts), ensure_ascii=True, separators=(",", ":"))
    escapes = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"}
    for sign, escape in escapes.items():
        text = text.replace(sign, escape)
    return text


def base36(values: Iterable[int]) -> str:
    """Return comma-separated base-36 numbers, nothing for zero, no commas at the end."""
    return ",".join(_base36(value) for value in values).rstrip(",")


def _base36(value: int) -> str:
    text, left = "", abs(value)
    while left:
        left, digit = divmod(left, 36)
        text = _DIGITS[digit] + text
    return f"-{text}" if value < 0 else text


def _data(facts: ReportFacts) -> dict[str, Any]:
    return {
        "first": str(facts.days[0]) if facts.days else None,
        "days": len(facts.days),
        "dimensions": [{"title": each.title, "members": each.members} for each in facts.dimensions],
        "series": [[_series(each) for each in connection] for connection in facts.series],
        "views": [_view(facts, each) for each in facts.views],
    }


def _series(series: Series) -> dict[str, Any]:
    members = {str(member): base36(values) for member, values in series.members.items()}
    return {"total": base36(series.total), "members": members}


def _view(facts: ReportFacts, view: View) -> dict[str, Any]:
    return {
        "connections": view.connections,
        "texts": {"total": view.total, "scope": view.scope, "completeness": view.completeness},
        "states": view.states,
        "headlines": view.headlines,
        "questions": view.questions,
        "periods": [_period(facts, each) for each in view.periods],
    }


def _period(facts: ReportFacts, period: Period) -> dict[str, Any]:
    return {
        "id": period.id,
        "title": period.title,
        "compared": period.compared,
        "first": period.first,
        "last": period.last,
        "tables": [
            [[row.member, *row.cells] for row in cell_rows(dimension, ranking)]
            for dimension, ranking in zip(facts.dimensions, period.rankings, strict=True)
        ],
    }


# Cents per day for the chart: the named members and the total of one connection and cut. Pure.
# Each day is cut to cents once, so that its members and the rest add up to the day's total.

_NOT_NAMED: Final = -1


def series(cells: pl.DataFrame, days: Sequence[date], positions: Mapping[str, int]) -> Series:
    """Return the series of one connection in one dimension.

    Args:
        cells: day, member, billed_usd of that connection and dimension.
        days: The page's days, without gaps.
        positions: The members to keep apart, and their position in the dimension.
    """
    place = {day: i for i, day in enumerate(days)}
    total = [0] * len(days)
    members: dict[int, list[int]] = {}
    for day, parts in _by_day(cells, positions).items():
        for member, value in zip(parts, shared_cents(list(parts.values())), strict=True):
            total[place[day]] += value
            if member != _NOT_NAMED:
                members.setdefault(member, [0] * len(days))[place[day]] = value
    return Series(tuple(total), {key: tuple(members[key]) for key in sorted(members)})


def _by_day(cells: pl.DataFrame, positions: Mapping[str, int]) -> dict[date, dict[int, Decimal]]:
    member = pl.col("member").replace_strict(positions, default=_NOT_NAMED, return_dtype=pl.Int64)
    grouped = (
        cells.group_by("day", member.alias("member"))
        .agg(pl.col("billed_usd").sum())
        .sort("day", "member")
    )
    by_day: dict[date, dict[int, Decimal]] = {}
    for day, position, usd in grouped.select("day", "member", "billed_usd").iter_rows():
        by_day.setdefault(day, {})[position] = usd
    return by_day
