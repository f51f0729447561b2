"""Settled days that the provider changed afterwards, newest first. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.kernel.formatting import counted, total_usd
from openai_costs.kernel.redaction import without_domains
from openai_costs.tables.core.spend import BILLED

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime
    from decimal import Decimal

    import polars as pl


_MOST_RESTATED: Final = 40
_LONGEST_TEXT: Final = 400
_BETWEEN_IDS: Final = re.compile(r"(?:^|(?<= / )|(?<=; ))[^/;]+(?= / )")
"""An id in the text of a restatement: what stands before a slash."""


class Restated(NamedTuple):
    """A settled day that the provider changed, and the moment of the read that showed it."""

    connection: int
    day: date
    seen_at: datetime
    previous_usd: Decimal
    current_usd: Decimal
    change_usd: Decimal
    lines_changed: str
    what_changed: str


class RestatedDays(NamedTuple):
    """All restatements, those the page lists, and how many older ones it does not."""

    all: tuple[Restated, ...]
    shown: tuple[Restated, ...]
    hidden: int


def restated_days(
    restatements: pl.DataFrame, connections: Sequence[str], names: Mapping[str, str]
) -> RestatedDays:
    """Return what mart.restatements has of the bill, of the connections of the page.

    Args:
        restatements: mart.restatements.
        connections: The connections of the page.
        names: The names of projects, keys and people by their ids.
    """
    place = {name: i for i, name in enumerate(connections)}
    billed = restatements.filter(cost_basis=BILLED)
    newest_first = billed.sort("seen_at", "day", "connection", descending=True)
    every = tuple(
        Restated(
            connection=place[row["connection"]],
            day=row["day"],
            seen_at=row["seen_at"],
            previous_usd=row["previous_usd"],
            current_usd=row["current_usd"],
            change_usd=row["change_usd"],
            lines_changed=counted(row["lines_changed"], "line"),
            what_changed=_clipped(_with_names(without_domains(row["what_changed"]), names)),
        )
        for row in newest_first.iter_rows(named=True)
        if row["connection"] in place
    )
    return RestatedDays(every, every[:_MOST_RESTATED], max(0, len(every) - _MOST_RESTATED))


def net_usd(restated: Iterable[Restated]) -> Decimal:
    """Return what some restatements changed in all."""
    return total_usd([each.change_usd for each in restated])


def _with_names(lines: str, names: Mapping[str, str]) -> str:
    """Return changed lines (`proj_a / user-a / gpt-5: $1.00 -> $2.00`) with names for ids."""
    return _BETWEEN_IDS.sub(lambda word: names.get(word[0], word[0]), lines)


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}\u2026"
