"""The published tables as Parquet files: one for each month that has rows, `2026-11.parquet`.

Months that did not change keep their file. A file that is missing or not as it was written, by its
mark, is written again; a file of a month without rows goes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from filecmp import cmp
from operator import itemgetter
from pathlib import Path
from re import fullmatch

import duckdb
from upath import UPath

from openai_costs.kernel.sql_text import literal
from openai_costs.outputs.publish.filling import Months, months_with_rows, of_month
from openai_costs.outputs.publish.last_publication import is_daily
from openai_costs.outputs.publish.publication_state import digest_of, last_state
from openai_costs.storage.files import is_local
from openai_costs.storage.locks import StillHeld
from openai_costs.storage.moving import move_all_into_place
from openai_costs.tables.contract import Contract, all_contracts

PARQUET = "published/parquet"
SUFFIX = ".parquet"
ALL = "all"
"""The file of a table whose rows are not those of a connection and day."""

NO_ROWS = "no_rows"
"""The file of a daily table without rows, so that its folder can be read all the same."""

_OURS = rf"(core|mart)\.\w+(/(\d{{4}}-\d\d|{ALL}|{NO_ROWS}))?"
"""Names of copies below the folder: also those of earlier versions, a file for each table."""


@dataclass(frozen=True)
class Copies:
    """Copies that were made, and are not in place yet.

    Args:
        built: Those that were written, by names such as `core.spend/2026-11`.
        marks: The mark of each copy of the publication, by name.
        gone: Those that are in place and are not part of it.
    """

    built: Mapping[str, Path]
    marks: Mapping[str, str]
    gone: Collection[str]


def copies_in_place(home: UPath) -> dict[str, str]:
    """Return the marks of the copies of a home, by names such as `core.spend/2026-11`.

    The mark of a file is its digest, and in an object store, which would have to send all of it,
    its size.
    """
    folder = home / PARQUET
    if not folder.exists():
        return {}
    found = folder.fs.find(folder.path, detail=True)
    ours = {path: name for path in found if fullmatch(_OURS, name := _name(path, folder))}
    if not is_local(home):
        return {name: _size(int(found[path]["size"])) for path, name in ours.items()}
    return {name: digest_of(Path(path)) for path, name in ours.items()}


def copies_of(home: UPath) -> Mapping[str, list[UPath]]:
    """Return the copies that the last publication made, by table, oldest month first."""
    last, made = last_state(home), defaultdict[str, list[UPath]](list)
    for name, file in _named_so(home):
        table, is_in_folder, _ = name.partition("/")
        if is_in_folder and (last is None or name in last.copies):
            made[table].append(file)
    return made


def foreign_copies(home: UPath) -> Iterator[str]:
    """Yield which files have names of copies and are none, without a full stop."""
    if (last := last_state(home)) is None:
        return
    for name, file in _named_so(home):
        if name not in last.copies:
            why = "is not part of the publication, and the next one deletes it: move it away"
            yield f"{file} {why}"


def _named_so(home: UPath) -> list[tuple[str, UPath]]:
    """Return the files that are named as copies are, with their names, sorted by these."""
    folder = home / PARQUET
    paths = [str(path) for path in folder.fs.find(folder.path)]
    named = ((_name(path, folder), folder / path[len(folder.path) :].lstrip("/")) for path in paths)
    return sorted((one for one in named if fullmatch(_OURS, one[0])), key=itemgetter(0))


def no_copies(home: UPath) -> Copies:
    """Return that a publication has no copies: those in place go."""
    return Copies({}, {}, copies_in_place(home).keys())


def build_copies(
    sql: duckdb.DuckDBPyConnection,
    home: UPath,
    scratch: Path,
    changed: Mapping[str, Months],
    last: Mapping[str, str],
) -> Copies:
    """Write the copies that have to be replaced into a scratch folder.

    Args:
        sql: The database of the publication.
        home: Where the copies of the last publication are.
        scratch: The folder.
        changed: The months to write, by table.
        last: The marks of the copies as the last publication wrote them.
    """
    there = copies_in_place(home)
    sound = {name for name, mark in last.items() if there.get(name) == mark}
    built, left = dict[str, Path](), set[str]()
    for table in all_contracts():
        prefix, months = f"{table.full_name()}/", changed[table.full_name()]
        before = {name for name in last if name.startswith(prefix)}
        wanted = None if months is None else {prefix + one for one in months} | (before - sound)
        stays = set() if wanted is None else before - wanted
        written = _written(sql, scratch, table, wanted)
        if is_daily(table) and not written and not stays - {prefix + NO_ROWS}:
            written = _without_rows(sql, scratch, table)
        elif is_daily(table):
            stays -= {prefix + NO_ROWS}
        built |= written
        left |= stays | written.keys()
    marks = {name: last[name] for name in left - built.keys()}
    marks |= {name: mark_of(home, file) for name, file in built.items()}
    return Copies(built, marks, there.keys() - left)


def put_in_place(home: UPath, copies: Copies, still_held: StillHeld) -> None:
    """Move copies into place, one by one, and remove those that are not part of the publication."""
    built = {home / PARQUET / f"{name}{SUFFIX}": file for name, file in copies.built.items()}
    changed = {to: file for to, file in built.items() if not _is_same(file, to)}
    move_all_into_place(changed, still_held)
    for name in copies.gone:
        still_held()
        (home / PARQUET / f"{name}{SUFFIX}").unlink()


def _is_same(file: Path, target: UPath) -> bool:
    return is_local(target) and target.exists() and cmp(file, str(target), shallow=False)


def _written(
    sql: duckdb.DuckDBPyConnection, scratch: Path, table: type[Contract], wanted: set[str] | None
) -> dict[str, Path]:
    """Write the copies of a table that are wanted, or all; return those that have rows, by name."""
    name = table.full_name()
    if not is_daily(table):
        return {} if wanted == set() else {f"{name}/{ALL}": _copy(sql, scratch, table, ALL)}
    in_months = {f"{name}/{month}": of_month(month) for month in _months(sql, table, wanted)}
    return {
        one: _copy(sql, scratch, table, one.rpartition("/")[2], where)
        for one, where in sorted(in_months.items())
    }


def _months(
    sql: duckdb.DuckDBPyConnection, table: type[Contract], wanted: set[str] | None
) -> list[str]:
    """Return those of the months that are wanted in which a table has rows."""
    if wanted is None:
        return sorted(months_with_rows(sql, table))
    months = {name.rpartition("/")[2] for name in wanted if NO_ROWS not in name}
    if not months:
        return []
    between = f"day BETWEEN DATE '{min(months)}-01' AND last_day(DATE '{max(months)}-01')"
    return sorted(months & months_with_rows(sql, table, between))


def _without_rows(
    sql: duckdb.DuckDBPyConnection, scratch: Path, table: type[Contract]
) -> dict[str, Path]:
    copy = _copy(sql, scratch, table, NO_ROWS, "false")
    return {f"{table.full_name()}/{NO_ROWS}": copy}


def _copy(
    sql: duckdb.DuckDBPyConnection,
    scratch: Path,
    table: type[Contract],
    part: str,
    where: str = "true",
) -> Path:
    name = table.full_name()
    file = scratch / name / f"{part}{SUFFIX}"
    file.parent.mkdir(exist_ok=True)
    rows = f"SELECT {', '.join(table.types())} FROM {name} WHERE {where}"  # noqa: S608 - our own names
    sql.execute(f"COPY ({rows}) TO {literal(file)} (FORMAT parquet, COMPRESSION zstd)")
    return file


def mark_of(home: UPath, file: Path) -> str:
    """Return the mark that a local file will have in a home."""
    return digest_of(file) if is_local(home) else _size(file.stat().st_size)


def mark_in_place(file: UPath) -> str:
    """Return the mark of a file that is in place."""
    return digest_of(Path(str(file))) if is_local(file) else _size(file.stat().st_size)


def _size(size: int) -> str:
    return f"{size} bytes"


def _name(path: str, folder: UPath) -> str:
    return "/".join(path.rsplit("/", 2)[-2:]).removeprefix(f"{folder.name}/").removesuffix(SUFFIX)
