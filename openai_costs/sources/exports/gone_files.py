"""A kept day beside files that are there: what stays of files that are gone, and what counts. Pure.

A run that is gone goes on replacing the older ones of its export in all that it covered.
"""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from openai_costs.sources.exports.covered import Covered
from openai_costs.sources.exports.dialects import Dialect, dated, facts
from openai_costs.sources.exports.evidence import (
    CONTROL,
    ROWS,
    DayPart,
    Source,
    covered_by,
    sums,
)
from openai_costs.sources.exports.kept_parts import rows_of, totals
from openai_costs.sources.exports.layout import is_of
from openai_costs.sources.exports.ownership import CELL, Cell, HeldRun, Run
from openai_costs.sources.exports.sheets import ROW
from openai_costs.storage.archive import KeptRead


@dataclass(frozen=True)
class KeptDay:
    """What is kept of a day.

    Args:
        parts: Its rows, by file.
        covered: The runs that had covered it; empty in a read of an earlier version.
        dialects: The kinds of exports by name.
    """

    parts: Sequence[DayPart]
    covered: Covered
    dialects: Mapping[str, Dialect]

    @classmethod
    def of(cls, read: KeptRead, dialects: Iterable[Dialect]) -> "KeptDay":
        """Return what a read says of some kinds of exports.

        Raises:
            PageRefused: A part has changed.
        """
        known = {one.name: one for one in dialects}
        return cls([*_parts(read, known)], covered_by(read.manifest), known)

    def loses(
        self, runs: Sequence[HeldRun], paths: Container[str], beside: Mapping[str, Container[str]]
    ) -> bool:
        """Return whether a run replaces rows of files that are gone: takes what `stays` does."""
        gone = [one for one in self.parts if one.source.path not in paths]
        stays = self.stays(runs, paths, beside)
        return sum(one.rows.height for one in stays) < sum(one.rows.height for one in gone)

    def stays(
        self, runs: Sequence[HeldRun], paths: Container[str], beside: Mapping[str, Container[str]]
    ) -> list[DayPart]:
        """Return what stays of the parts whose files are gone.

        Args:
            runs: The runs that are there.
            paths: The files that are there: a part of one of them was read anew.
            beside: The files and exports that were kept together with each file that is gone.
        """
        gone = [one for one in self.parts if one.source.path not in paths]
        return [
            one
            for part in gone
            if (one := self._unreplaced(part, runs, beside.get(part.source.path, ())))
        ]

    def counted(
        self, there: Iterable[DayPart], stays: Iterable[DayPart], unsaid: Container[str]
    ) -> list[DayPart]:
        """Return what counts of files that are there, beside newer runs whose files are gone.

        The older run of an export may be there still. What the newer one replaced counts once, and
        what it had no more does not count.

        Args:
            there: The parts of files that are there.
            stays: What stays of files that are gone.
            unsaid: Files of runs that a newer one has replaced, of which the day does not say
                whether they were replaced in it: they give it what they, or older ones, gave it.
        """
        return [one for part in there if (one := self._counts(part, stays, unsaid))]

    def _unreplaced(
        self, part: DayPart, runs: Sequence[HeldRun], beside: Container[str]
    ) -> DayPart | None:
        """Return the rows of a file that is gone whose cells no newer run replaces.

        A run of another export replaces those that it has rows of. Where it has rows of the billing
        account and the month, it is the same export, which has another folder or another name now,
        and replaces them all: unless days were kept from the two beside each other.
        """
        at, path = part.source.instant, part.source.path
        newer = [one for one in runs if not (at and one.run.ran_at and one.run.ran_at < at)]
        said = [one for one in newer if one.run.ran_at or one.run.is_listed]
        own = [one for one in said if is_of(one.run.export, path)]
        others = [
            one for one in newer if (one.run.export if one in said else one.run.name) in beside
        ]

        def is_replaced(cell: Cell) -> bool:
            its = [one for one in newer if not self._is_over(one.run, cell.month)]
            covering = (one for one in its if cell.month in one.months_of(cell.day))
            return any(cell in one.taken for one in its) or any(
                one in own or ((cell.payer, cell.month) in one.accounts and one not in others)
                for one in covering
            )

        return self._where(part, lambda cell: not is_replaced(cell))

    def _is_over(self, run: Run, month: date) -> bool:
        """Return whether a newer run of its export had covered the day."""
        return bool(run.ran_at and run.ran_at < self.covered.get((run.export, month), run.ran_at))

    def _counts(
        self, part: DayPart, stays: Iterable[DayPart], unsaid: Container[str]
    ) -> DayPart | None:
        at, its = part.source.instant, {one.month for one in part.sums}
        newer = [one for one in stays if at and one.source.instant and at < one.source.instant]
        taken_away = {
            month
            for (export, month), ran_at in self.covered.items()
            if at and at < ran_at and f"{month:%Y-%m}" in its and is_of(export, part.source.path)
        }
        is_unsaid = part.source.path in unsaid
        if not newer and not taken_away and not is_unsaid:
            return part
        before = [
            one
            for one in self.parts
            if one.source.path == part.source.path
            or (at and one.source.instant and one.source.instant < at)
        ]
        replaced, given = self._cells(newer), self._cells(before)
        return self._where(
            part,
            lambda cell: (
                cell not in replaced
                and cell.month not in taken_away
                and (cell in given or not is_unsaid)
            ),
        )

    def _cells(self, parts: Iterable[DayPart]) -> set[Cell]:
        known = (self._known(one).select(*CELL) for one in parts)
        return {Cell(*cell) for its in known for cell in its.iter_rows()}

    def _where(self, part: DayPart, counts: Callable[[Cell], bool]) -> DayPart | None:
        """Return the rows of a part whose cells count; None where there are none."""
        known = self._known(part)
        is_counted = [counts(Cell(*cell)) for cell in known.select(*CELL).iter_rows()]
        left = known.filter(pl.Series(is_counted, dtype=pl.Boolean))
        if left.is_empty():
            return None
        rows = part.rows.join(left.select(ROW), on=ROW, how="semi", maintain_order="left")
        return DayPart(part.source, rows, sums(part.source.path, left))

    def _known(self, part: DayPart) -> pl.DataFrame:
        """Return the dated facts of a part's rows, with their number in the file."""
        dialect = self.dialects[part.source.dialect]
        known = dated(facts(part.source.path, part.rows.drop(ROW), dialect))
        return known.with_columns(row=part.rows[ROW])


def _parts(read: KeptRead, dialects: Container[str]) -> Iterator[DayPart]:
    """Yield the parts of a kept read that are of some kinds of exports."""
    known = totals(read.bodies[CONTROL], read.page_of(CONTROL))
    for name, part in read.manifest.parts.items():
        source = Source.of(part)
        if name.startswith(ROWS) and source.dialect in dialects:
            its = [one for one in known if one.source == source.path]
            yield DayPart(source, rows_of(read.bodies[name], read.page_of(name)), its)
