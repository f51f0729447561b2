"""Rows of a kept day whose files are gone: what stays of them when the day is kept again. Pure."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
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
    at = part.source.instant
    newer = [one for one in runs if not (at and one.run.ran_at and one.run.ran_at < at)]
    return _where(part, dialect, lambda cell: not any(_has(one, cell) for one in newer))


def without_replaced(
    part: DayPart, dialects: Mapping[str, Dialect], stays: Iterable[DayPart]
) -> DayPart | None:
    """Return what counts of a part beside parts that stay of newer runs, whose files are gone.

    The older run of an export may be there still: what the newer one replaced counts once.

    Args:
        part: A part of a file that is there.
        dialects: The kinds by name.
        stays: What `still_held` returns.
    """
    at = part.source.instant
    newer = [one for one in stays if at and one.source.instant and at < one.source.instant]
    if not newer:
        return part
    replaced = {
        cell
        for one in newer
        for cell in _known(one, dialects[one.source.dialect]).select(*CELL).iter_rows()
    }
    return _where(part, dialects[part.source.dialect], lambda cell: cell not in replaced)


def _where(
    part: DayPart, dialect: Dialect, counts: Callable[[tuple[Any, ...]], bool]
) -> DayPart | None:
    """Return the rows of a part whose cells count; None where there are none."""
    known = _known(part, dialect)
    is_counted = [counts(cell) for cell in known.select(*CELL).iter_rows()]
    left = known.filter(pl.Series(is_counted, dtype=pl.Boolean))
    if left.is_empty():
        return None
    rows = part.rows.join(left.select(ROW), on=ROW, how="semi", maintain_order="left")
    return DayPart(part.source, rows, sums(part.source.path, left))


def _known(part: DayPart, dialect: Dialect) -> pl.DataFrame:
    """Return the dated facts of a part's rows, with their number in the file."""
    known = dated(facts(part.source.path, part.rows.drop(ROW), dialect))
    return known.with_columns(row=part.rows[ROW])


def _has(one: HeldRun, cell: tuple[Any, ...]) -> bool:
    """Return whether a run covers a cell, or holds rows of it that are taken."""
    return one.covers(cell[2], cell[3]) or cell in one.taken
