"""Recomputes the tie-outs of every settled day over all that is stored and published.

Reads the kept pages, the lake, the database and its Parquet copies; writes nothing. What counts as
a difference: questions/spend/verification.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import counted
from openai_costs.kernel.money import MONEY, total
from openai_costs.outputs.publish.database import DATABASE, PARQUET, TOGETHER
from openai_costs.questions.spend.control_totals import SLICE
from openai_costs.questions.spend.verification import Difference, differences
from openai_costs.settings.load import Settings
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive
from openai_costs.storage.files import is_local, place
from openai_costs.storage.lake import Lake
from openai_costs.tables.core.spend_control import SpendControl

RAW = "raw/"
LAKE = "lake/"
Say = Callable[[str], None]

_SUMS = pl.Schema({"connection": pl.String(), "day": pl.Date(), "usd": MONEY})
_PER_DAY = "SELECT connection, day, sum(billed_usd) FROM {} GROUP BY ALL"
_MARTS = tuple(table for table in TOGETHER if table is not SpendControl)


@dataclass(frozen=True)
class Verified:
    """What a verification found.

    Args:
        settled: connection, day, billed_usd: the control total of every settled day.
        differences: Where a day does not tie out, the newest day first.
        unreadable: What could not be read, in sentences.
        unread: The connections whose kept pages were not read: they are not in the settings.
    """

    settled: pl.DataFrame
    differences: list[Difference]
    unreadable: list[str]
    unread: list[str]

    @property
    def holds(self) -> bool:
        """Whether every settled day ties out everywhere, and there was one."""
        return not (self.settled.is_empty() or self.differences or self.unreadable)

    @property
    def billed_usd(self) -> Decimal:
        """The control totals of all settled days."""
        return total(self.settled["billed_usd"])

    @property
    def days(self) -> DayRange:
        """The first settled day and the last."""
        return DayRange(min(self.settled["day"]), max(self.settled["day"]))


def verify(settings: Settings, say: Say) -> Verified:
    """Compare every sum of every settled day with the day's control total.

    Args:
        settings: Whose home, and how the kept pages of its connections are read.
        say: Takes a line of progress.
    """
    home, unreadable = place(settings.home), list[str]()
    control = Lake(home).read(SpendControl)
    of_pages = control.join(_names(settings), on="connection", how="semi")
    found = [
        *differences(of_pages, dict(_pages(settings, home, of_pages, unreadable, say))),
        *differences(control, dict(_lake(home, unreadable, say))),
        *differences(control, dict(_published(home, unreadable, say))),
    ]
    settled = control.filter("is_settled").select(*SLICE, "billed_usd")
    newest_first = sorted(found, key=lambda one: (-one.day.toordinal(), one.connection))
    unread = settled.join(_names(settings), on="connection", how="anti")["connection"]
    return Verified(settled, newest_first, unreadable, sorted(set(unread)))


def _names(settings: Settings) -> pl.DataFrame:
    names = [one.name for one in settings.connections]
    return pl.DataFrame({"connection": names}, {"connection": pl.String()})


def _pages(
    settings: Settings, home: UPath, control: pl.DataFrame, unreadable: list[str], say: Say
) -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
    """Yield what the newest kept pages of each settled day add up to, read again from the bytes."""
    sums = [_SUMS.to_frame()]
    for connection in settings.connections:
        costs = provider_of(connection).costs
        days = control.filter("is_settled", connection=connection.name)["day"].sort().to_list()
        say(f"{connection.name}: adding up the kept pages of {counted(len(days), 'settled day')}")
        kept = costs.pages.newest(Archive(home), connection, days)
        for batch in costs.ledger(kept, connection):
            sums.append(batch.page_sums().rename({"page_usd": "usd"}))
            unreadable += map(str, batch.refused.values())
    yield (RAW, "cost pages"), pl.concat(sums)


def _lake(
    home: UPath, unreadable: list[str], say: Say
) -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
    """Yield the daily sums of the lake's tables."""
    say("adding up the tables of the lake")
    lake = Lake(home)
    for table in _MARTS:
        try:
            sums = lake.ask(table, _PER_DAY.format("read_parquet($files)"), _SUMS)
        except duckdb.Error as damage:
            unreadable.append(_sentence(f"lake/{table.schema_name()}/{table.table_name()}", damage))
        else:
            yield (LAKE, table.full_name()), sums


def _published(
    home: UPath, unreadable: list[str], say: Say
) -> Iterator[tuple[tuple[str, str], pl.DataFrame]]:
    """Yield the daily sums of the published tables, in the database and in their Parquet copies."""
    say("adding up the published tables")
    with TemporaryDirectory() as scratch:
        for where, sources in _sources(home, Path(scratch)).items():
            for name, (database, source) in sources.items():
                try:
                    yield (where, name), _asked(database, source)
                except duckdb.Error as damage:
                    unreadable.append(_sentence(f"{where} ({name})", damage))


def _sources(home: UPath, scratch: Path) -> dict[str, dict[str, tuple[str, str]]]:
    """Return by place and table: the database to open, and what to read in it."""
    database, tables = _local(home / DATABASE, scratch), [one.full_name() for one in TOGETHER]
    copies = {
        name: _local(home / PARQUET / f"{name}.parquet", scratch).replace("'", "''")
        for name in tables
    }
    return {
        DATABASE: {name: (database, name) for name in tables},
        f"{PARQUET}/": {name: ("", f"read_parquet('{copies[name]}')") for name in tables},
    }


def _local(file: UPath, scratch: Path) -> str:
    """Return where DuckDB can open a file: a file of an object store is copied first."""
    if is_local(file) or not file.exists():
        return str(file)
    (scratch / file.name).write_bytes(file.read_bytes())
    return str(scratch / file.name)


def _asked(database: str, source: str) -> pl.DataFrame:
    with duckdb.connect(database or ":memory:", read_only=bool(database)) as sql:
        rows = sql.execute(_PER_DAY.format(source)).fetchall()
    return pl.DataFrame(rows, schema=_SUMS, orient="row")


def _sentence(what: str, damage: Exception) -> str:
    return f"{what} cannot be read: {str(damage).splitlines()[0]}"
