"""Recomputes the tie-outs of every settled day over all that is stored and published.

Reads the kept pages, the lake, the database and its Parquet copies; writes nothing. What counts as
a difference: questions/spend/verification.py.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl
from pydantic import SecretStr
from upath import UPath

from openai_costs.kernel.days import DayRange
from openai_costs.kernel.formatting import counted
from openai_costs.kernel.money import total
from openai_costs.kernel.sql_text import read_parquet
from openai_costs.outputs.publish import key_sums
from openai_costs.outputs.publish.behind import Behind, behind
from openai_costs.outputs.publish.focus_files import changed_focus
from openai_costs.outputs.publish.last_publication import DATABASE
from openai_costs.outputs.publish.parquet_copies import PARQUET, copies_of, foreign_copies
from openai_costs.outputs.publish.tie_outs import SUMMED, SUMS, added_up, daily_sums, lake_sums
from openai_costs.questions.spend.control_totals import SLICE
from openai_costs.questions.spend.in_flight import TOGETHER
from openai_costs.questions.spend.verification import (
    LAKE,
    PAGES,
    RAW,
    Difference,
    differences,
    without,
)
from openai_costs.settings.load import Settings
from openai_costs.settings.secrets_in_use import publication_key
from openai_costs.sources.due_days import unmade_slices
from openai_costs.sources.refused_days import days_without_tables
from openai_costs.sources.registry import provider_of
from openai_costs.storage.archive import Archive
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.encryption import DatabaseLocked, is_encrypted
from openai_costs.storage.files import place
from openai_costs.storage.lake import Lake
from openai_costs.storage.moving import on_this_machine
from openai_costs.storage.slices import Slice
from openai_costs.storage.sql import connected, raise_if_of_system
from openai_costs.tables.core.spend_control import SpendControl

Say = Callable[[str], None]
Sums = dict[tuple[str, str], pl.DataFrame]
"""Daily sums by place and table."""


@dataclass(frozen=True)
class Verified:
    """What a verification found.

    Args:
        settled: connection, day, billed_usd: the control total of every settled day.
        differences: Where a day does not tie out, the newest day first.
        refused: The settled days whose newest kept page cannot be used, and why: their tables are
            of an older read.
        unreadable: Which tables could not be read, in sentences.
        unread: The connections whose kept pages were not read: they are not in the settings.
        is_encrypted: Whether the database is, by the settings: it has no copies then.
        behind: The slices that no run made or published to the end: they explain differences.
    """

    settled: pl.DataFrame
    differences: list[Difference]
    refused: dict[Slice, str]
    unreadable: list[str]
    unread: list[str]
    is_encrypted: bool = False
    behind: Behind = field(default_factory=Behind)

    @property
    def holds(self) -> bool:
        """Whether every settled day is in tables and ties out everywhere, and there was one."""
        return not self.settled.is_empty() and not self.problems

    @property
    def causes(self) -> list[str]:
        """Why days are missing or do not tie out: what explains many, and each of the others."""
        others = (str(one) for one in self.differences if not self.behind.explains(one))
        return [*self.behind.texts(self.differences), *others]

    @property
    def problems(self) -> int:
        """How many there are."""
        return len(self.causes) + len(self.refused) + len(self.unreadable)

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

    Raises:
        SettingsError: The key of the published database is not where the settings say.
    """
    home, unreadable, key = place(settings.home), list[str](), publication_key(settings)
    lake = Lake(home)
    with lake.frozen():  # a run may go on meanwhile: every table is of one moment
        late, control = behind(home, lake), lake.read(SpendControl)
        of_pages, refused = page_differences(settings, control, say)
        late = late.with_torn(unmade_slices(settings, control))
        late = late.with_unmade(days_without_tables(settings, lake))
        of_lake = differences(control, _lake(lake, unreadable, say))
    found = [*of_pages, *of_lake, *differences(control, _published(home, unreadable, say, key))]
    settled = control.filter("is_settled").select(*SLICE, "billed_usd")
    newest_first = sorted(found, key=lambda one: (-one.day.toordinal(), one.connection))
    unread = settled.join(_names(settings), on="connection", how="anti")["connection"]
    names = sorted(set(unread))
    return Verified(settled, newest_first, refused, unreadable, names, bool(key), late)


def page_differences(
    settings: Settings, control: pl.DataFrame, say: Say
) -> tuple[list[Difference], dict[Slice, str]]:
    """Return where the newest kept pages of settled days add up to another sum than the total.

    The days whose page cannot be used come apart, each with the reason.

    Args:
        settings: How the kept pages of its connections are read; those of others are not.
        control: core.spend_control of the days in question.
        say: Takes a line of progress.
    """
    sums, refused = [SUMS.to_frame()], dict[Slice, str]()
    archive = Archive(place(settings.home))
    for connection in settings.connections:
        costs = provider_of(connection).costs
        days = control.filter("is_settled", connection=connection.name)["day"].sort().to_list()
        say(f"{connection.name}: adding up the kept pages of {counted(len(days), 'settled day')}")
        kept = costs.pages.newest(archive, connection, days)
        for batch in costs.ledger(kept, connection):
            sums.append(batch.page_sums().rename({"page_usd": "usd"}))
            refused |= {key: str(why) for key, why in batch.refused.items()}
    ours = control.join(_names(settings), on="connection", how="semi")
    return differences(without(ours, refused), {(RAW, PAGES): pl.concat(sums)}), refused


def published_sums(home: UPath, key: SecretStr | None = None) -> tuple[Sums, list[str]]:
    """Return the daily sums of what is published, and what cannot be read of it, in sentences.

    Args:
        home: Whose publication.
        key: What an encrypted database needs to be read.
    """
    unreadable = list[str]()
    return _published(home, unreadable, lambda _line: None, key), unreadable


def _names(settings: Settings) -> pl.DataFrame:
    names = [one.name for one in settings.connections]
    return pl.DataFrame({"connection": names}, {"connection": pl.String()})


def _lake(lake: Lake, unreadable: list[str], say: Say) -> Sums:
    """Return the daily sums of the lake's tables."""
    say("adding up the tables of the lake")
    sums = Sums()
    for table in SUMMED:
        with _readable(f"lake/{table.schema_name()}/{table.table_name()}", unreadable):
            sums |= {(LAKE, name): of for name, of in lake_sums(lake, table).items()}
    return sums


def _published(home: UPath, unreadable: list[str], say: Say, key: SecretStr | None = None) -> Sums:
    """Return the daily sums of the published tables and their copies; encrypted ones have none."""
    say("adding up the published tables")
    if not (home / "published").exists():
        unreadable.append("Nothing is published yet.")
        return Sums()
    with TemporaryDirectory() as folder:
        scratch = Path(folder)
        file = on_this_machine(home / DATABASE, scratch)
        sums = _database(file, key, unreadable)
        unreadable += [*changed_focus(home), *foreign_copies(home)]
        return sums if is_encrypted(Path(file)) else sums | _copies(home, scratch, unreadable)


def _database(file: str, key: SecretStr | None, unreadable: list[str]) -> Sums:
    sums = Sums()
    with _readable(DATABASE, unreadable), connected(file, read_only=True, key=key) as sql:
        for table in TOGETHER:
            name = table.full_name()
            with _readable(f"{DATABASE} ({name})", unreadable):
                sums |= {(DATABASE, one): of for one, of in daily_sums(sql, {table: name}).items()}
        with _readable(f"{DATABASE} ({key_sums.NAME})", unreadable):
            if _has(sql, key_sums.NAME):  # the next publication makes it of an older one
                its = added_up(sql, {key_sums.NAME: key_sums.NAME})
                sums |= {(DATABASE, one): of for one, of in its.items()}
    return sums


def _has(sql: duckdb.DuckDBPyConnection, name: str) -> bool:
    found = sql.execute("SELECT schema_name || '.' || table_name FROM duckdb_tables()").fetchall()
    return (name,) in found


def _copies(home: UPath, scratch: Path, unreadable: list[str]) -> Sums:
    place_, sums, made = f"{PARQUET}/", Sums(), copies_of(home)
    with connected() as sql:
        for name, table in ((one.full_name(), one) for one in TOGETHER):
            if not (files := made.get(name)):
                unreadable.append(f"{PARQUET}/{name} has no file")
                continue
            (scratch / name).mkdir(exist_ok=True)
            source = read_parquet(on_this_machine(file, scratch / name) for file in files)
            with _readable(f"{place_} ({name})", unreadable):
                sums |= {(place_, one): of for one, of in daily_sums(sql, {table: source}).items()}
    return sums


@contextmanager
def _readable(what: str, unreadable: list[str]) -> Iterator[None]:
    """Note in a sentence that something cannot be read, and go on."""
    try:
        yield
    except DatabaseLocked as locked:
        unreadable.append(locked.short)
    except StorageFailed as damage:
        unreadable.append(f"{what} cannot be read: {damage.why}")
    except duckdb.Error as damage:
        raise_if_of_system(damage)
        unreadable.append(f"{what} cannot be read: {str(damage).splitlines()[0]}")
