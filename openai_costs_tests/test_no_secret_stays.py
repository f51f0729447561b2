"""No key is where it does not belong after a run of every provider that is registered."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import dagster as dg
import duckdb
import polars as pl
import pytest
import zstandard

from openai_costs.definitions import build_defs, reach_of
from openai_costs.kernel.days import ONE_DAY, DayRange
from openai_costs.kernel.redaction import SECRETS
from openai_costs.orchestration.jobs import REFRESH, range_tags
from openai_costs.outputs.report.cost_explorer import PAGE
from openai_costs.sample.accounts import EVERY_PROVIDER
from openai_costs.sample.setup import Wanted, company
from openai_costs.sources.registry import PROVIDERS, connection_kinds
from openai_costs_tests.org import NOW, calm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai_costs.storage.lake import Lake

DAY: Final = NOW.date() - 3 * ONE_DAY
KEYS: Final = (
    "sk-gateway-sample",
    *(kind.sample_key for kind in connection_kinds() if kind.sample_key),
)
HIDDEN: Final = re.compile(r"\*|\.\.\.|redacted|_XX")
"""What a provider itself leaves of a key in its lists."""
SHAPES: Final = re.compile("|".join(SECRETS).encode())


class Ran(NamedTuple):
    """A home after a run of all providers, what it printed, and the processes that it started."""

    home: Path
    told: str
    started: list[str]


def contents(file: Path) -> Iterator[bytes]:
    """What a file holds, as it is and unpacked."""
    raw = file.read_bytes()
    yield raw
    if file.suffix == ".parquet":
        texts = pl.read_parquet(file, hive_partitioning=False).select(pl.col(pl.String))
        yield "\n".join(one for text in texts for one in text.drop_nulls().unique()).encode()
    if file.suffix == ".duckdb":
        with duckdb.connect(str(file), read_only=True) as sql:
            for schema, table in sql.sql(
                "SELECT schema_name, table_name FROM duckdb_tables()"
            ).fetchall():
                yield str(sql.sql(f'FROM "{schema}"."{table}"').fetchall()).encode()
    if raw.startswith(zstandard.FRAME_HEADER):
        yield zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw)).read()
    if raw.startswith(b"SQLite"):
        yield from cells(file)


def cells(file: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(file)) as sql:
        for (table,) in sql.execute("SELECT name FROM sqlite_master WHERE type = 'table'"):
            for row in sql.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - a name of its own
                for cell in row:
                    yield cell if isinstance(cell, bytes) else str(cell).encode()
                    with suppress(zlib.error, TypeError):
                        yield zlib.decompress(cell)


def secrets_in(content: bytes) -> set[str]:
    found = {key for key in KEYS if key.encode() in content}
    shapes = (one[0].decode() for one in SHAPES.finditer(content))
    return found | {one for one in shapes if not HIDDEN.search(one)}


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """A day of every account of the company, one of whose keys a command prints."""
    home = tmp_path_factory.mktemp("every_provider")
    wanted = Wanted(days=8, providers=EVERY_PROVIDER)
    made = company(home, wanted, now=NOW, kinds=connection_kinds())
    for name, content in made.files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_bytes(content)
    started, start = list[str](), subprocess.Popen.__init__

    def noted(process: Any, args: Any, *more: Any, **named: Any) -> None:  # noqa: ANN401
        started.append(json.dumps([args, named.get("env")], default=str))
        start(process, args, *more, **named)

    with pytest.MonkeyPatch.context() as patch, calm():
        patch.delenv("DAGSTER_HOME", raising=False)
        patch.setattr(subprocess.Popen, "__init__", noted)
        defs = build_defs(made.settings, clock=lambda: NOW, reach=reach_of(lambda: NOW))
        job = defs.resolve_job_def(REFRESH)
        (home / "dagster").mkdir()
        with dg.DagsterInstance.local_temp(str(home / "dagster")) as instance:
            result = job.execute_in_process(
                instance=instance,
                tags=range_tags(DayRange(DAY, DAY)),
                asset_selection=[
                    key
                    for key in job.asset_layer.executable_asset_keys
                    if key.path[0] in ("raw", "published") or key.path[-1] in ("spend", "users")
                ],
            )
            events = map(str, instance.all_logs(result.run_id))
            return Ran(home, "\n".join(events), started)


def test_every_provider_that_is_registered_was_read(ran: Ran) -> None:
    kept = {one.name for one in (ran.home / "raw").iterdir() if any(one.rglob("*.tar.zst"))}
    assert {one.name for one in PROVIDERS} <= kept


def test_no_key_is_in_any_file_table_event_or_page_of_a_home(
    ran: Ran, told_demo: tuple[Lake, str]
) -> None:
    page = Path(str(told_demo[0].root)).parent / PAGE
    assert secrets_in(page.read_bytes() + told_demo[1].encode()) == set()
    files = [one for one in ran.home.rglob("*") if one.is_file()]
    kinds = {one.suffix for one in files}
    assert {".parquet", ".duckdb", ".zst", ".db"} <= kinds, kinds
    for file in files:
        for content in contents(file):
            assert secrets_in(content) == set(), file


def test_no_key_is_printed_or_handed_to_a_process(ran: Ran) -> None:
    assert secrets_in(ran.told.encode()) == set()
    arguments = Path("/proc/self/cmdline")
    seen = arguments.read_bytes() if arguments.exists() else " ".join(sys.argv).encode()
    for one in (*ran.started, seen.decode(errors="replace")):
        assert secrets_in(one.encode()) == set()
