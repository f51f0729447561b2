"""Sets damaged files of a home aside, so that what they held can be rebuilt.

A damaged data file leaves its table by a commit, a table without a usable log goes as a whole; both
are kept in `set_aside/`. Damaged entries of the record are replaced by what the lake knows of them.
Not here: making days again (cli/healing.py, orchestration/repairs.py).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date

import polars as pl
from deltalake.exceptions import CommitFailedError
from upath import UPath

from openai_costs.storage.delta import DeltaTables
from openai_costs.storage.delta_faults import StorageFailed, as_ours
from openai_costs.storage.files import SET_ASIDE, set_file_aside
from openai_costs.storage.lake import Lake
from openai_costs.storage.layout import set_misplaced_aside
from openai_costs.storage.locks import held
from openai_costs.storage.opened_lakes import close_all
from openai_costs.storage.slice_log import KEY, LOG, SLICES, SliceLog
from openai_costs.storage.stored_slices import StoredSlices
from openai_costs.storage.table_damage import TableDamage, damaged_tables


@dataclass
class Repaired:
    """What was set aside, and what has to be rebuilt.

    Args:
        lines: What was wrong, a sentence each without a full stop.
        days: The days that lost rows.
        lost_all: Whether any day may have lost rows.
        lost_tables: Whether a table without days was set aside.
    """

    lines: list[str] = field(default_factory=list)
    days: set[date] = field(default_factory=set)
    lost_all: bool = False
    lost_tables: bool = False

    def again(self, kept: set[date]) -> set[date]:
        """Return which of the days that have kept pages must be rebuilt."""
        if self.lost_all:
            return kept
        days = self.days & kept
        if self.lost_tables and not days and kept:
            return {max(kept)}  # any day makes the tables without days again
        return days


def repair(home: UPath, *, is_deep: bool = False) -> Repaired:
    """Set what is in the way of others, or damaged in the lake and in the record, aside.

    Args:
        home: The home.
        is_deep: Read every data file of an object store too; those on a disk are always read.

    Raises:
        OSError: The machine does not let files be read or moved.
    """
    done, lake = Repaired(set_misplaced_aside(home)), Lake(home)
    done.lines += lake.recorded.restore()
    for damage in damaged_tables(home / "lake", is_deep=is_deep):
        with held(home / "lake" / ".repair.lock"):
            _set_aside(home, damage, done)
            close_all()  # a table that is made in its place is another one
    return done


def _set_aside(home: UPath, damage: TableDamage, done: Repaired) -> None:
    done.lines += damage.why
    tables, name = DeltaTables(home / "lake"), damage.name
    before = _known_slices(tables, name)
    aside = home / SET_ASIDE / "lake"
    for file in damage.files:
        if file.exists():
            set_file_aside(file, aside / name)
    is_there = (home / "lake" / name).exists()
    if is_there and not (damage.files and _without_missing_files(tables, name)):
        set_file_aside(home / "lake" / name, (aside / name).parent)
    done.lost_all |= name == LOG or before is None
    if name == LOG or before is None:
        return
    done.lost_tables |= before.is_empty()
    done.days |= _lost(before, home / "lake", name)


def _without_missing_files(tables: DeltaTables, name: str) -> bool:
    """Take files that are not there out of a table by a commit; return whether that was done."""
    try:
        with as_ours(tables.root / name):
            tables.get(name).repair()
    except (StorageFailed, CommitFailedError):
        return False
    return True


def _known_slices(tables: DeltaTables, name: str) -> pl.DataFrame | None:
    """Return the slices of a table by the log of slices; None where that cannot be read."""
    try:
        entries = SliceLog(tables).entries(name)
    except StorageFailed:
        return None
    logged = entries.drop_nulls("connection").sort("version", maintain_order=True)
    return logged.unique(KEY, keep="last").select(SLICES.names())


def _lost(before: pl.DataFrame, root: UPath, name: str) -> set[date]:
    """Return the days of which a table has fewer rows now, or none."""
    _, now = StoredSlices(DeltaTables(root)).of(name)
    missing = before.join(now, on=[*KEY, "rows"], how="anti")
    return set(missing["day"])


def described(lines: Iterable[str]) -> Iterator[str]:
    """Yield what was set aside for a person."""
    for line in lines:
        yield f"Set aside, and rebuilt from what is kept: {line}."
