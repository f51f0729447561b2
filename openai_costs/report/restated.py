"""Settled days that the provider changed afterwards, newest first. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from openai_costs.report.dollars import cents
from openai_costs.report.facts import Restated
from openai_costs.report.names import without_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl

_MOST_SHOWN: Final = 40
_LONGEST_TEXT: Final = 400


class RestatedDays(NamedTuple):
    """All restatements, those the page lists, and how many older ones it does not."""

    all: tuple[Restated, ...]
    shown: tuple[Restated, ...]
    hidden: int


def restated_days(restatements: pl.DataFrame, connections: Sequence[str]) -> RestatedDays:
    """Return mart.restatements in cents, of the connections the page knows."""
    place = {name: i for i, name in enumerate(connections)}
    newest = restatements.sort("seen_at", "day", "connection", descending=True)
    every = tuple(
        Restated(
            connection=place[row["connection"]],
            day=row["day"],
            seen_at=row["seen_at"],
            previous_cents=cents(row["previous_usd"]),
            current_cents=cents(row["current_usd"]),
            lines_changed=row["lines_changed"],
            what_changed=_clipped(without_address(row["what_changed"])),
        )
        for row in newest.iter_rows(named=True)
        if row["connection"] in place
    )
    return RestatedDays(every, every[:_MOST_SHOWN], max(0, len(every) - _MOST_SHOWN))


def _clipped(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else f"{text[: _LONGEST_TEXT - 1]}\u2026"
