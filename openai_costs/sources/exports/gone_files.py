"""Rows of a kept day whose files are gone: what stays of them when the day is kept again. Pure."""

from collections.abc import Container, Iterator, Sequence
from typing import Any

import polars as pl

from openai_costs.sources.exports.dialects import Dialect, dated, facts
from openai_costs.sources.exports.evidence import (
    CONTROL,
    ROWS,
    DayPart,
    Source,
    sums,
)
from openai_costs.sources.exports.kept_parts import rows_of, totals
from openai_costs.sources.exports.ownership import CELL, HeldRun
from openai_costs.sources.exports.sheets import ROW
from openai_costs.storage.archive import KeptRead


def kept_parts(read: KeptRead, dialects: Container[str]) -> Iterator[DayPart]:
    """Yield the parts of a kept read that are of some kinds of exports.

    Raises:
        PageRefused: One has changed.
    """
    known = totals(read.bodies[CONTROL], read.page_of(CONTROL))
    for name, part in read.manifest.parts.items():
        source = Source.of(part)
        if name.startswith(ROWS) and source.dialect in dialects:
            its = [one for one in known if one.source == source.path]
            yield DayPart(source, rows_of(read.bodies[name], read.page_of(name)), its)


def still_held(
    part: DayPart, dialect: Dialect, runs: Sequence[HeldRun], paths: Container[str]
) -> DayPart | None:
    """Return what stays of a kept part whose file is gone; None where nothing does.

    Args:
        part: The kept part.
        dialect: Its kind.
        runs: The runs that are there.
        paths: The files that are there: a part of one of them was read anew.
    """
    if part.source.path in paths:
        return None
    known = dated(facts(part.source.path, part.rows.drop(ROW), dialect))
    known = known.with_columns(row=part.rows[ROW])
    at = part.source.instant
    newer = [one for one in runs if not (at and one.run.ran_at and one.run.ran_at < at)]
    is_free = [
        not any(_has(one, cell) for one in newer) for cell in known.select(*CELL).iter_rows()
    ]
    free = known.filter(pl.Series(is_free, dtype=pl.Boolean))
    if free.is_empty():
        return None
    rows = part.rows.join(free.select(ROW), on=ROW, how="semi", maintain_order="left")
    return DayPart(part.source, rows, sums(part.source.path, free))


def _has(one: HeldRun, cell: tuple[Any, ...]) -> bool:
    """Return whether a run covers a cell, or holds rows of it that are taken."""
    return one.covers(cell[2], cell[3]) or cell in one.taken
