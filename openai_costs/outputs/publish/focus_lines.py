"""The lines of a month on their way into its FOCUS file, in order and within bounded memory.

DuckDB joins and sorts some hundred thousand lines in the memory that a publication has. A larger
month is put together on disk, some days of a connection at a time: all at once would take five
times the CPU, for what does not fit into memory is written and read again at each step.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Final, NamedTuple

import duckdb

from openai_costs.kernel.sql_text import literal
from openai_costs.outputs.publish.bi.focus import lines_in_order
from openai_costs.tables.core.spend import Spend

MOST_LINES: Final = 250_000
"""How many lines are put in order at a time, unless one day of a connection has more."""


class DayOfLines(NamedTuple):
    """A day of a connection, and how many lines of the bill it has."""

    connection: str
    day: date
    lines: int


def days_with_lines(sql: duckdb.DuckDBPyConnection) -> Mapping[str, Sequence[DayOfLines]]:
    """Return the days that have lines, by month, in the order of the files."""
    months = defaultdict[str, list[DayOfLines]](list)
    question = (
        f"SELECT connection, day, count(*) FROM {Spend.full_name()} WHERE {Spend.counted()} "  # noqa: S608 - our own names
        "GROUP BY ALL ORDER BY connection, day"
    )
    for one in map(DayOfLines._make, sql.execute(question).fetchall()):
        months[f"{one.day:%Y-%m}"].append(one)
    return months


@contextmanager
def lines_of(
    sql: duckdb.DuckDBPyConnection, scratch: Path, days: Sequence[DayOfLines]
) -> Iterator[str]:
    """Yield the lines of some days in order, as SQL.

    Args:
        sql: The database of the publication.
        scratch: A folder for the lines of a large month.
        days: The days, in order.
    """
    parts = [lines_in_order(where) for where in _parts(days)]
    if len(parts) == 1:
        yield parts[0]
        return
    file = scratch / "lines.duckdb"
    sql.execute(f"ATTACH {literal(file)} AS month")
    sql.execute(f"CREATE TABLE month.lines AS {lines_in_order('false')}")
    for part in parts:
        sql.execute(f"INSERT INTO month.lines {part}")
    yield "FROM month.lines"
    sql.execute("DETACH month")
    file.unlink()


def _parts(days: Sequence[DayOfLines]) -> Iterator[str]:
    """Yield which lines are put in order together: all, or some days of a connection at a time."""
    if sum(one.lines for one in days) <= MOST_LINES:
        yield _between(days)
        return
    part, held = list[DayOfLines](), 0
    for one in days:
        if part and (one.connection != part[0].connection or held + one.lines > MOST_LINES):
            yield _of_connection(part)
            part, held = [], 0
        part.append(one)
        held += one.lines
    yield _of_connection(part)


def _of_connection(days: Sequence[DayOfLines]) -> str:
    return f"s.connection = {literal(days[0].connection)} AND {_between(days)}"


def _between(days: Sequence[DayOfLines]) -> str:
    first, last = min(one.day for one in days), max(one.day for one in days)
    return f"s.day BETWEEN DATE '{first}' AND DATE '{last}'"
