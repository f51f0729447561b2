"""Builds the published DuckDB file from the lake, and renames it into place.

Readers keep the file they have open: one state, and no lock, theirs or ours (docs/adr/0002).
"""

import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from shutil import rmtree

import duckdb
import polars as pl
from dagster_duckdb import DuckDBResource
from pydantic import SecretStr
from upath import UPath

from openai_costs.outputs.publish.empty_database import (
    READABLE_FROM,
    at_once,
    empty_database,
    encrypted_database,
)
from openai_costs.outputs.publish.filling import (
    Months,
    Refresh,
    add_up,
    fill,
    heights,
    months_of,
    with_days,
)
from openai_costs.outputs.publish.focus_files import (
    build_focus,
    no_focus,
    put_focus_in_place,
)
from openai_costs.outputs.publish.last_publication import DATABASE, LastPublication
from openai_costs.outputs.publish.parquet_copies import build_copies, no_copies, put_in_place
from openai_costs.outputs.publish.publication_state import (
    PublicationState,
    continued,
    digest_of,
    note_state,
    state_of,
)
from openai_costs.outputs.publish.tie_outs import (
    PublicationRefused,
    built_sums,
    untied,
    untied_pages,
)
from openai_costs.questions.spend.in_flight import slices_in_flight
from openai_costs.questions.spend.verification import LAKE, Difference
from openai_costs.storage.claims import sweep
from openai_costs.storage.encryption import attach_for_writing
from openai_costs.storage.files import is_local
from openai_costs.storage.lake import Lake
from openai_costs.storage.leases import LockLost
from openai_costs.storage.locks import StillHeld, held
from openai_costs.storage.moving import move_all_into_place
from openai_costs.storage.slices import Written
from openai_costs.storage.sql import QUIET
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.mart.spend import Spend

LOG = logging.getLogger(__name__)
BUILDING = ".building-"
MEMORY_LIMIT = "256MB"
"""Bounds a publication whatever the history; DuckDB spills to disk beyond it."""
THREADS = 1
"""DuckDB wants at least 125 MB for each: with more of them, they spill what they sort and write."""
NO_FSST = "SET disabled_compression_methods = 'fsst'"
"""DuckDB tries this compression of texts for each column; ours repeat, and dictionaries win."""


@dataclass(frozen=True)
class Published:
    """What was published.

    Args:
        path: The database.
        rows: Rows by table.
        in_flight: (connection, day) that some run is still writing; they kept their last rows.
        withheld: Where settled days do not tie out; they kept their last rows.
        size_bytes: Size of the database.
        daily: connection, day, usd: what the published rows of mart.spend add up to.
        is_rebuilt: Whether it was built anew, and not continued.
    """

    path: UPath
    rows: dict[str, int]
    in_flight: list[tuple[str, date]]
    withheld: list[Difference]
    size_bytes: int
    daily: pl.DataFrame
    is_rebuilt: bool


def publish(home: UPath, lake: Lake, key: SecretStr | None = None) -> Published:
    """Bring the published database and Parquet files up to date with the lake, and put them there.

    What changed since the last one is replaced in a copy of it, or all is built anew, with the same
    rows (publication_state.py). A process that stood still while another published begins again.

    Args:
        home: Where.
        lake: What is published.
        key: What the database is encrypted with; then no plain copy lies beside it.

    Raises:
        PublicationRefused: The days do not tie out, not even with the last published rows.
        LockLost: Another process published while this one stood still, twice.
    """
    try:
        return _published(home, lake, key)
    except LockLost:
        LOG.warning("Another process published while this one stood still: it publishes again.")
    return _published(home, lake, key)


def _published(home: UPath, lake: Lake, key: SecretStr | None) -> Published:
    with _one_at_a_time(home) as (scratch, still_held):
        built = scratch / "openai_costs.duckdb"
        with lake.frozen():
            shown = {table.full_name(): lake.written(table) for table in all_contracts()}
            now = state_of(shown, lake.newest_commit(), is_encrypted=key is not None)
            before = continued(home, lake, now, built, key)
            if before is None:
                built.write_bytes(encrypted_database(key) if key else empty_database())
            with _database(built, scratch, key) as sql:
                in_flight, last = slices_in_flight(lake), LastPublication(sql, home, scratch, key)
                last.keep(in_flight)
                changed = _bring_up_to_date(sql, lake, shown, before, last)
                add_up(sql, changed[Spend.full_name()])
                withheld, sums = _withhold(sql, lake, last, in_flight)
                rows = heights(sql, shown)
                months = with_days(changed, (one.day for one in withheld))
                if key is None:
                    sound = before.copies if before else {}
                    copies = build_copies(sql, home, scratch, months, sound)
                    focus = build_focus(sql, home, scratch, months, sound)
                else:
                    copies, focus = no_copies(home), no_focus(home)
                last.close()
        size, digest = built.stat().st_size, digest_of(built)
        move_all_into_place({home / DATABASE: built}, still_held)
        put_in_place(home, copies, still_held)
        put_focus_in_place(home, focus, still_held)
        marks = {**copies.marks, **focus.marks}
        kept = sorted({*in_flight, *(one.key for one in withheld)})
        still_held()
        note_state(home, replace(now, kept=kept, copies=marks, digest=digest))
        still_held()  # a file may have been on its way while this process stood still
    daily, is_rebuilt = sums[Spend.full_name()], before is None
    return Published(home / DATABASE, rows, in_flight, withheld, size, daily, is_rebuilt)


def _bring_up_to_date(
    sql: duckdb.DuckDBPyConnection,
    lake: Lake,
    shown: Mapping[str, Written],
    before: PublicationState | None,
    last: LastPublication,
) -> dict[str, Months]:
    """Fill an empty database, or replace what changed in a copy of the last; return the months."""
    if before is not None:
        refresh = Refresh(sql, lake, before, last.slices)
        with at_once(sql):
            return {
                table.full_name(): refresh.replace(table, shown[table.full_name()])
                for table in all_contracts()
            }
    if last.slices:
        last.open()
    fill(sql, lake, shown, last)
    return dict.fromkeys(shown)


@contextmanager
def _one_at_a_time(home: UPath) -> Iterator[tuple[Path, StillHeld]]:
    """Hold the publication of a home, and give a folder to build in that can be renamed out of.

    A process that waited builds from a lake that already has what the one before it wrote.
    """
    lock = home / "published/.publishing.lock"
    if not is_local(home):
        with held(lock) as still_held, tempfile.TemporaryDirectory() as scratch:
            yield Path(scratch), still_held
        return
    with held(lock) as still_held:
        folder = Path(str(lock.parent))
        sweep(home)
        for abandoned in folder.glob(f"{BUILDING}*"):
            rmtree(abandoned)
        with tempfile.TemporaryDirectory(dir=folder, prefix=BUILDING) as scratch:
            yield Path(scratch), still_held


@contextmanager
def _database(
    built: Path, scratch: Path, key: SecretStr | None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a database that has every table and view already."""
    limits = {
        "memory_limit": MEMORY_LIMIT,
        "temp_directory": str(scratch / "spill"),
        "threads": THREADS,
    }
    plain = {"storage_compatibility_version": READABLE_FROM}
    resource = DuckDBResource(
        database=":memory:" if key else str(built),
        connection_config=limits if key else limits | plain,
    )
    with resource.get_connection() as sql:
        sql.execute(QUIET)
        sql.execute(NO_FSST)
        if key:
            attach_for_writing(sql, built, "openai_costs", key)
        yield sql
        sql.execute("CHECKPOINT")


def _withhold(
    sql: duckdb.DuckDBPyConnection,
    lake: Lake,
    last: LastPublication,
    in_flight: Sequence[tuple[str, date]],
) -> tuple[list[Difference], Mapping[str, pl.DataFrame]]:
    """Keep settled days that do not tie out as they were published last; return them, and all sums.

    Raises:
        PublicationRefused: That does not help.
    """
    sums = built_sums(sql)
    found = [*untied_pages(sql, lake, in_flight), *untied(sql, sums, LAKE)]
    if not found:
        return [], sums
    last.hold_back(sorted({one.key for one in found}))
    add_up(sql, months_of(one.day for one in found))
    sums = built_sums(sql)
    if still := untied(sql, sums, DATABASE):
        raise PublicationRefused(still)
    return found, sums
