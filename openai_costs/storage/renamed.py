"""Goes on with what is kept of a connection under another name.

Raw pages, slices and rows are what they were, under the new name: days stay published, what is
known of people and keys stays known, and each finding keeps its id, so that no one is alerted
again. Killed half way, the next run goes on before it does anything else.
"""

import msgspec
import polars as pl
from upath import UPath

from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.storage.files import content_of, files_below, remove_folder, replace_file
from openai_costs.storage.lake import Lake
from openai_costs.storage.locks import held, no_writers
from openai_costs.storage.read_names import SUFFIX, kept_files, numbered, read_at
from openai_costs.storage.renamed_slices import rename_slices
from openai_costs.tables.contract import Contract, all_contracts

UNFINISHED = ".renaming.json"
"""Below the home: what was called how, and how it is to be called, until all of it is."""

LOCK = ".renaming.lock"


class Renaming(msgspec.Struct, frozen=True):
    """What is called how, and how it is to be called."""

    provider: str
    old: str
    new: str


def rename_connection(home: UPath, provider: str, old: str, new: str) -> None:
    """Keep all reads, tables and notes of a connection under another name.

    A day that both have keeps all its reads; those of the old name are the older ones.

    Raises:
        LockHeld: Another process was renaming for too long.
        StorageFailed: A file of the lake is damaged.
    """
    with held(home / LOCK):
        _finish(home)
        replace_file(home / UNFINISHED, msgspec.json.encode(Renaming(provider, old, new)))
        _finish(home)


def finish_renaming(home: UPath) -> None:
    """Go on with a renaming that did not end, or wait for the process that is at it."""
    if unfinished_renaming(home) is not None:
        with held(home / LOCK):
            _finish(home)


def unfinished_renaming(home: UPath) -> Renaming | None:
    """Return the renaming that did not end; None where there is none.

    A note that is damaged is none: as long as pages have the old name, a run begins once more.
    """
    try:
        return msgspec.json.decode(content_of(home / UNFINISHED), type=Renaming)
    except (FileNotFoundError, *UNREADABLE):
        return None


def _finish(home: UPath) -> None:
    if (renaming := unfinished_renaming(home)) is not None:
        _rename(home, renaming.provider, renaming.old, renaming.new)
        (home / UNFINISHED).unlink()


def _rename(home: UPath, provider: str, old: str, new: str) -> None:
    rename_slices(home, old, new)
    lake = Lake(home)
    for table in all_contracts():  # a table is locked before its writing, as everywhere
        _rename_rows(lake, table, old, new)
    with no_writers(home):  # reads get other numbers: another process must not add one meanwhile
        before, after = (home / "raw" / provider / name for name in (old, new))
        for folder in sorted({file.parent for file in files_below(before, SUFFIX)}, key=str):
            _merge(folder, after / str(folder.relative_to(before)))
        for note in files_below(before, ".json"):
            if not (after / note.name).exists():
                replace_file(after / note.name, note.read_bytes())
        remove_folder(before)


def _rename_rows(lake: Lake, table: type[Contract], old: str, new: str) -> None:
    """Name a connection's rows in a table that is stored whole after its new name.

    Where the new name has the same rows already, these are the newer ones.
    """
    if "connection" not in table.types() or lake.connections(table) or not lake.has(table):
        return
    with lake.alone(table):
        rows = lake.read(table)
        is_old = pl.col("connection") == old
        changed = {"connection": pl.when(is_old).then(pl.lit(new)).otherwise("connection")}
        if "subject_id" in rows.columns:  # some findings are about a part of a connection
            part = pl.format("{}/{}", pl.lit(new), pl.col("subject_id").str.strip_prefix(f"{old}/"))
            is_part = is_old & pl.col("subject_id").str.starts_with(f"{old}/")
            changed["subject_id"] = pl.when(is_part).then(part).otherwise("subject_id")
        renamed = rows.with_columns(**changed)
        if not rows.filter(is_old).is_empty():
            is_torn = bool(table.broken_rules(renamed))
            lake.replace_whole(table, rows.filter(~is_old) if is_torn else renamed)


def _merge(old: UPath, new: UPath) -> None:
    """Put the reads of a day before those that another folder has of it.

    What a killed one has copied is copied anew, unless all is there: an older read would otherwise
    get the largest number, and count as the newest.
    """
    before, there = kept_files(old), kept_files(new)
    read = {read_at(file): file for file in before}
    copies = [
        file
        for file in there
        if (its := read.get(read_at(file))) and its.read_bytes() == file.read_bytes()
    ]
    if len(copies) == len(before):
        return
    for file in copies:
        file.unlink()
    after = [file for file in there if file not in copies]
    for number, file in reversed(list(enumerate(after, len(before) + 1))):
        file.rename(new / numbered(number, read_at(file)))
    for number, file in enumerate(before, 1):
        replace_file(new / numbered(number, read_at(file)), file.read_bytes())
