"""Forgotten people whom a page or the company's directory names anew: another name, address or id.

Beside an id or an address that is known, the rest is theirs too. New ids and addresses are written
down as digests, so that pages without the known ones name no one either. Not here: which fields are
of one person (kernel/person_records.py).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

import polars as pl
from upath import UPath

from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.json_people import people_in, places_of_cells
from openai_costs.kernel.known_texts import Known
from openai_costs.kernel.person_records import ALIASES, FIELDS, Cell, Record
from openai_costs.kernel.pseudonyms import Pseudonyms
from openai_costs.storage.files import files_below
from openai_costs.storage.forgotten import add, pseudonyms_of, without_names
from openai_costs.storage.locks import writing
from openai_costs.storage.packing import unpacked
from openai_costs.storage.read_names import SUFFIX
from openai_costs.tables.contract import Contract
from openai_costs.tables.core.engineers import Engineers


def forgotten_after(home: UPath, objects: Iterable[Sequence[Cell]]) -> Pseudonyms | None:
    """Return whom a home forgets from now on: with what is about to be kept says of them.

    Args:
        home: The home.
        objects: The cells of its objects or rows.

    Raises:
        SettingsError: The key is missing, or an entry cannot be read.
        WriteConflict: Other processes wrote down people at every try.
    """
    people = pseudonyms_of(home)
    if people is None:
        return None
    every, found = [*objects], dict[str, Known]()
    while new := {one.digest: one for cells in every for one in people.new_identities(cells)}:
        found |= new
        people = people.and_also(new.values())
    if found:
        add(home, found.values(), people)
    return people


def forgotten_after_pages(home: UPath, pages: Iterable[bytes]) -> Pseudonyms | None:
    """Return the same with what pages say."""
    return forgotten_after(home, (cells for page in pages for cells in places_of_cells(page)))


def people_of_pages(home: UPath) -> Iterator[Record]:
    """Yield what all kept pages say of anyone; nothing of a damaged file."""
    for file in files_below(home / "raw", SUFFIX):
        try:
            _, bodies = unpacked(file.read_bytes(), str(file))
        except PageRefused:
            continue
        for body in bodies.values():
            yield from people_in(body)


def whole_without_names(home: UPath, table: type[Contract], rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a whole table as they may be kept.

    The company's directory is kept nowhere else, so new ids and addresses are looked for in it too.
    """
    if table is not Engineers or rows.is_empty():
        return without_names(rows, pseudonyms_of(home))
    with writing(home):
        people = forgotten_after(home, _cells_of(rows))
    return rows if people is None else without_names(_with_own(rows, people), people)


def _cells_of(directory: pl.DataFrame) -> list[list[Cell]]:
    """Return what each row of a directory says of a person; its aliases stand in one cell.

    An alias that two rows have is of a team, and says of no one who it is.
    """
    rows = [
        [
            Cell(field, part)
            for field in directory.columns
            if field in FIELDS and row[field]
            for part in _parts(field, row[field])
        ]
        for row in directory.iter_rows(named=True)
    ]
    having = Counter(text for row in rows for text in {one.text.casefold() for one in row})
    return [
        [one for one in row if one.field != ALIASES or having[one.text.casefold()] == 1]
        for row in rows
    ]


def _with_own(directory: pl.DataFrame, people: Pseudonyms) -> pl.DataFrame:
    """Return a directory with pseudonyms in all cells that are about a forgotten person."""
    new = list(map(people.of_cells, _cells_of(directory)))
    return directory.with_columns(
        pl.Series(field, list(map(partial(_cell, field), directory[field], new)), pl.String())
        for field in {cell.field for theirs in new for cell in theirs}
    )


def _cell(field: str, text: str | None, theirs: Mapping[Cell, str]) -> str | None:
    parts = _parts(field, text) if text else ()
    return ",".join(theirs.get(Cell(field, part), part) for part in parts) or text


def _parts(field: str, text: str) -> Collection[str]:
    return text.split(",") if field == ALIASES else [text]
