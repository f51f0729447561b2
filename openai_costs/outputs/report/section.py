"""A section of the page: a heading with its own address, a sentence, a table of links. Pure.

Each question has a function that fills one (finding_rows.py and its neighbors); the template
draws all of them alike.
"""

from __future__ import annotations

from typing import NamedTuple


class Cell(NamedTuple):
    """One cell: its text, a second line in small type, and whether it is a number."""

    text: str
    note: str = ""
    is_number: bool = False


class Row(NamedTuple):
    """One row.

    Args:
        cells: The first has the link.
        address: The view of what the row names; empty where there is none.
        anchor: The row's own address; empty without one.
        tone: critical, warning or empty.
        about: A longer text behind the row.
    """

    cells: tuple[Cell, ...]
    address: str = ""
    anchor: str = ""
    tone: str = ""
    about: str = ""


class Section(NamedTuple):
    """A section.

    Args:
        id: Its address.
        title: Its heading.
        summary: A sentence below it.
        head: The titles of the columns; a number's column is on the right.
        rows: What it lists.
        more: How many more there are, in words.
        example: What to put into openai_costs.toml, where the section is empty for want of it.
    """

    id: str
    title: str
    summary: str
    head: tuple[str, ...] = ()
    rows: tuple[Row, ...] = ()
    more: str = ""
    example: str = ""


def number(text: str, note: str = "") -> Cell:
    """Return the cell of a number."""
    return Cell(text, note, is_number=True)


def beyond(rows: int, most: int, table: str) -> str:
    """Return how many rows a section leaves out, and where they are; empty where it has all."""
    return f"{rows - most:,} more in {table}." if rows > most else ""


def table_of(section: Section) -> list[dict[str, str]]:
    """Return the rows of a section for programs: its columns as shown, the long text, the view."""
    return [
        {
            **{title: one.text for title, one in zip(section.head, row.cells, strict=True)},
            "why": row.about,
            "view": row.address,
        }
        for row in section.rows
    ]
