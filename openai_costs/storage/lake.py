"""The lake, the system of record: one Delta Lake table for each contract.

A slice (one connection, one day) is validated and then replaced, or left alone; all slices of a
batch are replaced by one atomic commit, and a day without rows is a slice too (slice_log.py). Any
number of processes may write at once. Every row has the read it was made from: a reader sees
whether tables are of one. Rows that no sum of dollars counts are shown by `uncounted` alone.
"""

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import date, datetime

import polars as pl
from deltalake import DeltaTable
from upath import UPath

from openai_costs.kernel.errors import ContractBroken
from openai_costs.kernel.money import MONEY
from openai_costs.storage.commits import path_of, replace_slices, store_whole
from openai_costs.storage.counted import Shown
from openai_costs.storage.day_files import move_day_files
from openai_costs.storage.delta import LiveFile
from openai_costs.storage.delta_faults import StorageFailed
from openai_costs.storage.delta_operations import remove
from openai_costs.storage.forgotten import pseudonyms_of, without_names
from openai_costs.storage.live_rows import Query, answers, relation
from openai_costs.storage.locks import held, writing
from openai_costs.storage.newly_named import whole_without_names
from openai_costs.storage.opened_lakes import opened
from openai_costs.storage.record import Record
from openai_costs.storage.recorded_tables import RECORDED, RecordedTables
from openai_costs.storage.replacing import count, sound_part, together
from openai_costs.storage.slice_log import KEY, LOG
from openai_costs.storage.slices import Batch, Batches, Replaced, Slice, Written
from openai_costs.storage.sql import asking
from openai_costs.tables.contract import Contract, all_contracts

ROWS_A_BATCH = 60_000
"""Rows taken into memory at a time: bounds the memory of a run, whatever the range."""


class Lake:
    """The lake below `home/lake`."""

    def __init__(self, home: UPath) -> None:
        self._home, self.root = home, home / "lake"
        self._tables, self._slices, self._rows, self._whole = opened(self.root)
        self.recorded = RecordedTables(Record(home), self._tables)
        self._read_versions: dict[str, int] | None = None
        self._is_ready, self._shown = False, Shown()

    def uncounted(self) -> "Lake":
        """Return the same lake, with the rows that no sum of dollars counts too."""
        everything = copy.copy(self)
        everything._shown = Shown(all_rows=True)  # noqa: SLF001 - it is one of us
        return everything

    def replace(self, table: type[Contract], batches: Batches) -> Replaced:
        """Write batches in few commits; a slice that breaks the contract is left as it was."""
        self._make_ready()
        done, written = Replaced(), list[pl.DataFrame]()
        with writing(self._home):
            before, people = self._tables.version(path_of(table)), pseudonyms_of(self._home)
            try:
                for batch in together(batches):
                    named = replace(batch, frame=without_names(batch.frame, people))
                    sound, broken = sound_part(table, named)
                    done.refused |= {**batch.refused, **broken}
                    done.remarks |= batch.remarks
                    written.append(replace_slices(self._tables, table, sound))
                    self._rows.written(table, written[-1], sound.frame)
                    count(done, table, sound)
            finally:
                self._slices.note(path_of(table), written, before)
        return done

    def batches(self, table: type[Contract], days: Iterable[date]) -> Iterator[Batch]:
        """Yield the stored slices of some days, a bounded number of rows at a time."""
        files, slices = self._slices_of(table)
        named = list(dict.fromkeys(days))  # a day that is named twice has its rows once
        order = pl.DataFrame({"day": named}, {"day": pl.Date()}).with_row_index("place")
        wanted = slices.join(order, on="day").sort("connection", "place")
        if wanted.is_empty():
            yield Batch(table.no_rows(), {})
            return
        for stored in self._rows.batches(table, files, wanted, ROWS_A_BATCH):
            yield self._shown.batch(table, stored)

    def read(self, table: type[Contract], days: Iterable[date] | None = None) -> pl.DataFrame:
        """Return a small table as one frame: some days, or all of it."""
        if days is not None:
            return pl.concat([batch.frame for batch in self.batches(table, days)])
        self._make_ready()
        recorded = self.recorded.read(table) if table in RECORDED else None
        of_lake = 0 if table in RECORDED else self._tables.version(path_of(table))
        version, rows = recorded or (of_lake, self._whole.read(table))
        if self._read_versions is not None:
            self._read_versions.setdefault(path_of(table), version)
        return table.no_rows() if rows is None else self._shown.frame(table, rows)

    def query(self, table: type[Contract], days: Iterable[date], ask: Query) -> list[pl.DataFrame]:
        """Return the answers to queries about the rows of some days, which are in no order.

        All queries share one pass, in which rows are never in memory together.
        """
        files, slices = self._slices_of(table)
        wanted = slices.filter(pl.col("day").is_in(list(days)))
        rows = self._shown.frame(table, self._rows.unordered(table, files, wanted))
        return answers(ask(rows), self.root / path_of(table))

    def replace_whole(self, table: type[Contract], frame: pl.DataFrame) -> None:
        """Replace a small table that is computed whole, in one commit; none where nothing changes.

        Raises:
            ContractBroken: The rows break the contract; the table is as it was.
            WriteConflict: Another run replaced the table after it was read within `alone`.
        """
        self._make_ready()
        frame = whole_without_names(self._home, table, frame)
        if broken := table.broken_rules(frame):
            raise ContractBroken(table.full_name(), [], broken)
        known = None if self._read_versions is None else self._read_versions.get(path_of(table))
        with writing(self._home):
            if table in RECORDED:
                after = self.recorded.replace(table, frame, known)
            elif not self.has(table) or not self.read(table).equals(frame):
                after = store_whole(self._tables, table, frame, known)
            else:
                return
        if self._read_versions is not None:
            self._read_versions[path_of(table)] = after

    def reads(self, table: type[Contract]) -> dict[Slice, datetime]:
        """Return which read each stored slice was made from."""
        reads = self._slices_of(table)[1].select(*KEY, "read_at").iter_rows()
        return {Slice(*key): at for *key, at in reads}

    @contextmanager
    def alone(self, table: type[Contract]) -> Iterator[None]:
        """Compute and replace a whole table alone: overlapping runs would lose rows of one another.

        Slices need no such thing. Where a process stood still for so long that it lost its lock,
        replacing a table that another has replaced since is refused.
        """
        self._read_versions = {}
        try:
            with held(self.root / path_of(table) / ".lock"):
                yield
        finally:
            self._read_versions = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Show every table as it is at its first use in this block, whatever others write."""
        self._make_ready()
        with self.recorded.frozen(), self._tables.frozen():
            self._tables.find(LOG)  # first: it must not know more than the tables
            yield

    def slices(self, table: type[Contract]) -> pl.DataFrame:
        """Return each stored slice, its rows and its read: connection, day, rows, read_at."""
        _, slices = self._slices_of(table)
        return slices.select(*KEY, "rows", pl.col("read_at").dt.replace_time_zone(None))

    def page_sums(self, table: type[Contract]) -> pl.DataFrame:
        """Return what the pages of slices added up to, where known: connection, day, page_usd."""
        _, slices = self._slices_of(table)
        return slices.select(*KEY, pl.col("page_usd").cast(MONEY)).drop_nulls("page_usd")

    def daily_usd(self, table: type[Contract]) -> pl.DataFrame:
        """Return the exact sum of `billed_usd` over all connections: day, billed_usd."""
        question = "SELECT day, sum(billed_usd) FROM stored GROUP BY 1 ORDER BY 1"
        return self.ask(table, question, table.no_rows().select("day", "billed_usd").schema)

    def ask(self, table: type[Contract], question: str, schema: pl.Schema) -> pl.DataFrame:
        """Return DuckDB's short answer to a question about a whole table.

        Args:
            table: The table; the question calls it `stored`.
            question: One SELECT.
            schema: The columns of the answer.
        """
        if not self.has(table):
            return pl.DataFrame(schema=schema)
        with asking() as sql:
            stored = self._shown.relation(table, self.relation(table))
            answer = pl.DataFrame(sql.sql(f"WITH stored AS {stored} {question}"))
        answer.columns = list(schema)
        return answer.cast(schema)

    def has(self, table: type[Contract]) -> bool:
        """Return whether anything of a table is stored."""
        self._make_ready()
        is_recorded = table in RECORDED and self.recorded.read(table) is not None
        return is_recorded or self._find(table) is not None

    def relation(self, table: type[Contract], slices: pl.DataFrame | None = None) -> str:
        """Return all rows of a table, counted or not, as SQL; with slices, theirs and some more."""
        self._make_ready()
        return relation(table, self._tables.live_files(path_of(table)), slices)

    def written(self, table: type[Contract]) -> Written:
        """Return which version of a table is shown, and which version wrote each of its slices."""
        (_, slices), found = self._slices_of(table), self._find(table)
        known = ("", -1) if found is None else (str(found.metadata().id), found.version())
        return Written(*known, slices)

    def newest_commit(self, version: int | None = None) -> tuple[int, str]:
        """Return the newest version of the log of slices, or one of them, and the commit's digest.

        Every run adds to the log. The digest is empty where the lake has no such commit any more.
        """
        number = self._tables.version(LOG) if version is None else version
        return number, self._tables.commit_digest(LOG, number)

    def days(self, table: type[Contract], connection: str) -> set[date]:
        """Return the days a connection has in a table."""
        return set(self._slices_of(table)[1].filter(connection=connection)["day"])

    def connections(self, table: type[Contract]) -> list[str]:
        """Return the connections that have slices in a table, sorted."""
        return sorted(set(self._slices_of(table)[1]["connection"]))

    def remove_slices(self, where: str) -> None:
        """Remove the slices that SQL is true of, in every table of slices."""
        with writing(self._home):
            for table in all_contracts():
                found, name = self._find(table), path_of(table)
                if found is not None and found.metadata().partition_columns:
                    self._tables.commit(name, lambda data: remove(data, where))
                    self._slices.forget(name, where)

    def _find(self, table: type[Contract]) -> DeltaTable | None:
        self._make_ready()
        return self._tables.find(path_of(table))

    def _slices_of(self, table: type[Contract]) -> tuple[list[LiveFile], pl.DataFrame]:
        self._make_ready()
        return self._slices.of(path_of(table))

    def _make_ready(self) -> None:
        """Move the day files of a home of version 0.1 into tables, at the first use of the lake."""
        if self._is_ready:
            return
        self._is_ready = True
        move_day_files(self.root, self._tables, self._slices)
        with suppress(OSError, StorageFailed):  # a home that is only read works without
            self.recorded.adopt()
