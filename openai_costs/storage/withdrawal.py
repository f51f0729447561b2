"""Withdraws days: what is kept of them proves nothing, so they count as not read.

Their slices leave the lake, and their reads are set aside in `raw/`. Not here: which days these are
(a source's reader says so).
"""

from collections.abc import Mapping, Sequence
from datetime import date

from upath import UPath

from openai_costs.kernel.days import consecutive
from openai_costs.kernel.sql_text import literal
from openai_costs.storage.archive import set_aside
from openai_costs.storage.lake import Lake
from openai_costs.storage.locks import writing

SET_ASIDE = "_withdrawn"
"""Added to the dataset of reads that are set aside."""


def withdraw(lake: Lake, connection: str, reads: Mapping[date, Sequence[UPath]]) -> None:
    """Remove the slices of some days from the lake, then set their reads aside.

    Killed half way and called again, it goes on: as long as a read is there, its day is found.

    Args:
        lake: Where the slices are.
        connection: Whose days.
        reads: All kept reads of each day.
    """
    with writing(lake.root.parent):
        for days in consecutive(reads):
            of_days = f"day >= '{days.first}' AND day <= '{days.last}'"
            lake.remove_slices(f"connection = {literal(connection)} AND {of_days}")
        for file in (one for its in reads.values() for one in its):
            set_aside(file, SET_ASIDE)
