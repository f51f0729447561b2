"""core.engineers from the files of a directory, and whether that may be trusted. Pure."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from openai_costs.kernel.errors import FileRefused
from openai_costs.kernel.formatting import counted
from openai_costs.kernel.redaction import redacted
from openai_costs.settings import Directory, DirectoryFile
from openai_costs.sources.file_text import decoded
from openai_costs.sources.people import backstage, directory_apis, scim, tabular
from openai_costs.sources.people.json_values import Item
from openai_costs.sources.people.merging import engineers, merged
from openai_costs.sources.people.people import Group, Person, Row, SetAside
from openai_costs.sources.text_rows import text_rows

FEW_ROWS = 3
FEW_PCT = 10
"""A file with more unusable rows than both is of another kind than it seems."""


@dataclass(frozen=True)
class Content:
    """A file of people: its name, its bytes, and how settings say to read it."""

    name: str
    content: bytes
    file: DirectoryFile


@dataclass(frozen=True)
class Listed:
    """What the files of a directory list.

    Args:
        frame: core.engineers.
        remarks: What could not be used, by file and line.
        overlaps: How many rows were of a person whom another row lists.
    """

    frame: pl.DataFrame
    remarks: tuple[str, ...] = ()
    overlaps: int = 0


@dataclass(frozen=True)
class Judged:
    """Whether a reading of the directory may be used.

    Args:
        frame: core.engineers; the people of the last reading when this one may not be used.
        doubt: Why it may not be; empty when it may.
    """

    frame: pl.DataFrame
    doubt: str = ""


def read_people(files: Iterable[Content], rules: Directory) -> Listed:
    """Return the people of some files.

    Args:
        files: .yaml and .yml are Backstage's; .json is SCIM, Backstage's API or that of another
            directory; others are tables.
        rules: The columns that settings name.

    Raises:
        FileRefused: A file cannot be used; the sentence names it, the line and the remedy.
    """
    rows = [row for file in files for row in _usable(file, rules)]
    aside = [row for row in rows if isinstance(row, SetAside)]
    remarks = [f"{row.place}: {row.why}" for row in aside]
    people = list(_with_teams(rows))
    remarks += [f"{one.place}: {remark}" for one in people for remark in one.remarks]
    found = merged([*people, *(one for row in aside if (one := row.as_person()))])
    return Listed(engineers(found.people), tuple(map(redacted, remarks)), found.overlaps)


def judged(frame: pl.DataFrame, before: pl.DataFrame, rules: Directory) -> Judged:
    """Return whether a directory may be used.

    One that is empty, or lost more than half of its active people since it was last used, is more
    likely broken than true: no one may be called unmatched because of it.

    Args:
        frame: The directory as it was read.
        before: core.engineers as stored.
        rules: Which share may be missing.
    """
    now, then = _active(frame), _active(before)
    if now.is_empty():
        return doubted(before, "The directory has no active person. It was not used.")
    lost_pct = 100 * _missing(now, then) / then.height if then.height else 0
    if lost_pct >= rules.largest_drop_pct:
        counts = f"{now.height} active people where there were {then.height}"
        why = f"{counts}: {lost_pct:.0f} % are missing"
        remedy = "If that is true, raise [directory] largest_drop_pct for one reading."
        return doubted(before, f"{why}. It was not used. {remedy}")
    return Judged(frame)


def doubted(before: pl.DataFrame, why: str) -> Judged:
    """Return the people of the last reading, by whom no one may be judged."""
    return Judged(before.with_columns(is_trusted=pl.lit(False)), why)


def _active(frame: pl.DataFrame) -> pl.DataFrame:
    """Return who is active: person_id, and email as it is compared."""
    here = frame.filter(pl.col("status") == "active")
    return here.select("person_id", pl.col("email").str.strip_chars().str.to_lowercase())


def _missing(now: pl.DataFrame, then: pl.DataFrame) -> int:
    """Return how many are missing by id and address: others may have come instead."""
    left = then.join(now, on="person_id", how="anti").join(now, on="email", how="anti")
    return left.height


def _usable(file: Content, rules: Directory) -> list[Row]:
    """Return the rows of a file that has people, and few rows that cannot be used."""
    rows = list(_rows(file, rules))
    people = [row for row in rows if isinstance(row, Person)]
    odd = [(row.place, row.why) for row in rows if isinstance(row, SetAside)]
    odd += [(one.place, one.remarks[0]) for one in people if one.remarks]
    if odd and (not people or len(odd) > max(FEW_ROWS, len(rows) * FEW_PCT / 100)):
        place, why = odd[0]
        others = f" {counted(len(odd), 'row')} of {len(rows)} cannot be used." if odd[1:] else ""
        raise FileRefused(place, why, others.strip())
    if not people and not any(isinstance(row, Group) for row in rows):
        remedy = "Name the right file, or the columns it has, in [directory]."
        raise FileRefused(file.name, "lists no people", remedy)
    return rows


def _with_teams(rows: Iterable[Row]) -> Iterator[Person]:
    """Yield the people, with the team of the group that lists them where they name none."""
    every = list(rows)
    groups = [row for row in every if isinstance(row, Group)]
    team_of = {member: group.team for group in groups for member in group.members}
    for row in every:
        if isinstance(row, Person):
            yield row._replace(team=row.team or team_of.get(row.person_id))


def _rows(file: Content, rules: Directory) -> Iterator[Row]:
    kind = file.name.rsplit(".", 1)[-1].lower()
    if kind in ("yaml", "yml"):
        return backstage.people(file.name, decoded(file.name, file.content))
    if kind == "json":
        return _of_json(file.name, _parsed(file.name, decoded(file.name, file.content)))
    rows = text_rows(file.name, file.content, separator=file.file.separator, with_faults=True)
    return tabular.people(rows, {**rules.columns, **file.file.columns})


def _parsed(name: str, content: str) -> Any:  # noqa: ANN401 - parsed JSON
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as broken:
        remedy = "Save the response of the directory's API as it is."
        raise FileRefused(name, f"is not JSON ({broken})", remedy) from None


def _of_json(name: str, document: Any) -> Iterator[Row]:  # noqa: ANN401 - parsed JSON
    """Return the people of a JSON file, by what kind of list it is."""
    if isinstance(document, dict) and "Resources" in document:
        return scim.people(name, document)
    entities = list(_entities(name, document))
    if any("kind" in entity and "metadata" in entity for _, entity in entities):
        return backstage.users(entities)
    if (rows := directory_apis.people(name, document)) is not None:
        return rows
    known = "SCIM, Backstage, Okta, Microsoft Entra, Google Workspace, GitHub or Workday"
    remedy = f"Save a list of users of {known} as it is, or export a CSV."
    raise FileRefused(name, "is not a list of people of a known directory", remedy)


def _entities(name: str, document: Any) -> Iterator[tuple[str, Item]]:  # noqa: ANN401 - parsed JSON
    """Yield the objects of a list, or of Backstage's `items`, with their places."""
    listed = document.get("items", [document]) if isinstance(document, dict) else document
    for number, one in enumerate(listed if isinstance(listed, list) else [], 1):
        if isinstance(one, dict):
            yield f"{name}, entry {number}", one
