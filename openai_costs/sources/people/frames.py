"""core.engineers from the files of a directory, and whether that may be believed. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from openai_costs.settings import Directory
from openai_costs.sources.people import backstage, scim, tabular
from openai_costs.sources.people.people import Person, engineers
from openai_costs.sources.text_rows import decoded, text_rows


@dataclass(frozen=True)
class Judged:
    """What a reading of the directory came to.

    Args:
        frame: core.engineers; the people of the last reading when this one may not be believed.
        doubt: Why it may not be; empty when it may.
    """

    frame: pl.DataFrame
    doubt: str = ""


def read_people(files: Iterable[tuple[str, bytes]], rules: Directory) -> pl.DataFrame:
    """Return core.engineers.

    Args:
        files: Names and contents: .yaml and .yml are Backstage's, .json is SCIM or Backstage's
            API, others are tables.
        rules: The columns that settings name.

    Raises:
        FileRefused: A line cannot be used; the sentence names file, line and remedy.
    """
    return engineers(one for name, content in files for one in _people(name, content, rules))


def judged(frame: pl.DataFrame, before: pl.DataFrame, rules: Directory) -> Judged:
    """Return whether a directory may be believed.

    An empty one, or one that lost more than half of its active people since it was last believed,
    is more likely broken than true: nobody must be called a stranger because of it.

    Args:
        frame: The directory as it was read.
        before: core.engineers as it stands.
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
    """Return the people as they were, by whom nobody may be judged."""
    return Judged(before.with_columns(is_trusted=pl.lit(False)), why)


def _active(frame: pl.DataFrame) -> pl.DataFrame:
    """Return who is here: person_id, and email as it is compared."""
    here = frame.filter(pl.col("status") == "active")
    return here.select("person_id", pl.col("email").str.strip_chars().str.to_lowercase())


def _missing(now: pl.DataFrame, then: pl.DataFrame) -> int:
    """Return how many were here and are not, by id and address: others may have come instead."""
    left = then.join(now, on="person_id", how="anti").join(now, on="email", how="anti")
    return left.height


def _people(name: str, content: bytes, rules: Directory) -> Iterator[Person]:
    kind = name.rsplit(".", 1)[-1].lower()
    if kind in ("yaml", "yml"):
        return backstage.people(name, decoded(name, content))
    if kind == "json":
        text = decoded(name, content)
        reads = scim.people if '"Resources"' in text else backstage.people
        return reads(name, text)
    return tabular.people(text_rows(name, content), rules.columns)
