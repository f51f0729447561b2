"""The bill as FOCUS files: a folder for each month, which FinOps hubs read.

`published/focus/billing_period=2026-11/openai_costs.parquet` is the view bi.focus of that month. It
is written whole with a publication that changed the month's dollars; other months stay as they are,
also their names. A file that is missing or not as it was written is written again. Not here: what a
column is (bi/focus.py), the lines of a large month (focus_lines.py), the export that a person asks
for (focus_export.py).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import duckdb
from upath import UPath

from openai_costs.kernel.sql_text import literal
from openai_costs.outputs.publish.bi.focus import focus_rows
from openai_costs.outputs.publish.filling import Months
from openai_costs.outputs.publish.focus_lines import DayOfLines, days_with_lines, lines_of
from openai_costs.outputs.publish.parquet_copies import Copies, mark_in_place, mark_of
from openai_costs.outputs.publish.publication_state import last_state
from openai_costs.storage.files import remove_folder
from openai_costs.storage.layout import FOCUS
from openai_costs.storage.locks import StillHeld
from openai_costs.storage.moving import move_all_into_place
from openai_costs.tables.core.spend import Spend
from openai_costs.tables.mart.spend import Spend as MartSpend

FILE: Final = "openai_costs.parquet"
FORMAT: Final = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 40960, DICTIONARY_SIZE_LIMIT 1000"
"""DuckDB holds a group of rows in memory, and these rows have more than 60 columns. Dollars hardly
repeat: a short limit ends the search for a dictionary of them early."""

_NAME: Final = "focus/"
"""How the marks of these files begin among those of all copies."""


def build_focus(
    sql: duckdb.DuckDBPyConnection,
    home: UPath,
    scratch: Path,
    changed: Mapping[str, Months],
    last: Mapping[str, str],
) -> Copies:
    """Write the months that have to be replaced into a scratch folder.

    Args:
        sql: The database of the publication.
        home: Where the files of the last publication are.
        scratch: The folder.
        changed: The months that changed, by table.
        last: The marks of the copies as the last publication wrote them.
    """
    before = {name: mark for name, mark in last.items() if name.startswith(_NAME)}
    there = {name: mark_in_place(file) for name, file in _in_place(home).items()}
    sound = {name for name, mark in before.items() if there.get(name) == mark}
    moved = [changed[table.full_name()] for table in (Spend, MartSpend)]
    days = {f"{_NAME}{month}": some for month, some in days_with_lines(sql).items()}
    months = days.keys()
    wanted = {name for one in moved if one is not None for name in map(_NAME.__add__, one)}
    stale = months if None in moved else (wanted | (months - sound)) & months
    built = {name: _written(sql, scratch, name, days[name]) for name in sorted(stale)}
    marks = {name: before[name] for name in months - stale}
    marks |= {name: mark_of(home, file) for name, file in built.items()}
    return Copies(built, marks, there.keys() - months)


def no_focus(home: UPath) -> Copies:
    """Return that a publication has no such files: those in place go."""
    return Copies({}, {}, _in_place(home).keys())


def put_focus_in_place(home: UPath, focus: Copies, still_held: StillHeld) -> None:
    """Move files into place, one by one, and remove the months that have no rows any more."""
    built = {_place(home, name): file for name, file in focus.built.items()}
    move_all_into_place(built, still_held)
    for name in focus.gone:
        still_held()
        remove_folder(_place(home, name).parent)


def changed_focus(home: UPath) -> Iterator[str]:
    """Yield which files are not as the last publication wrote them, without a full stop."""
    there = {name: mark_in_place(file) for name, file in _in_place(home).items()}
    last = last_state(home)
    for name, mark in last.copies.items() if last else ():
        if name.startswith(_NAME) and there.get(name) != mark:
            fault = "is not as it was published" if name in there else "is missing"
            yield f"{_place(home, name)} {fault}"


def of_month(month: str) -> str:
    """Return the rows of a month, as SQL."""
    return f"FROM bi.focus WHERE BillingPeriodStart = '{month}-01T00:00:00Z'"


def _written(
    sql: duckdb.DuckDBPyConnection, scratch: Path, name: str, days: Sequence[DayOfLines]
) -> Path:
    file = scratch / f"{name}.parquet"
    file.parent.mkdir(exist_ok=True)
    with lines_of(sql, scratch, days) as lines:
        sql.execute(f"COPY ({focus_rows(lines)}) TO {literal(file)} ({FORMAT})")
    return file


def _in_place(home: UPath) -> dict[str, UPath]:
    folder = home / FOCUS
    months = folder.iterdir() if folder.exists() else ()
    names = {
        f"{_NAME}{one.name.partition('=')[2]}": one / FILE for one in months if "=" in one.name
    }
    return {name: file for name, file in names.items() if file.is_file()}


def _place(home: UPath, name: str) -> UPath:
    return home / FOCUS / f"billing_period={name.removeprefix(_NAME)}" / FILE
