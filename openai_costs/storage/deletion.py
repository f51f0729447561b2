"""Deletes the oldest months of a home, and leaves no bytes of them.

They leave the pages, the lake and what the record has about findings that have ended; what is
published follows with the next publication, which is built anew. Killed half way and called again,
it goes on. Not here: how long days are kept, and what is written down about it (outputs/retention).
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import cache

import msgspec
import polars as pl
from upath import UPath

from openai_costs.kernel.days import day_named
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.storage.files import SET_ASIDE, remove_folder
from openai_costs.storage.lake import Lake
from openai_costs.storage.layout import FOCUS, PUBLICATION_STATE
from openai_costs.storage.purging import (
    purge_lake,
    remove_days_before,
    remove_sums_of_all_days,
)
from openai_costs.tables.candidate import EVERY_CONNECTION
from openai_costs.tables.contract import all_contracts
from openai_costs.tables.core.spend_control import SpendControl
from openai_costs.tables.mart.findings import OPEN, Findings

FirstKept = Callable[[str], date | None]
"""Returns the first day that is kept of a connection or gateway; None keeps all."""


def days_before(home: UPath, lake: Lake, first_kept: FirstKept) -> dict[str, set[date]]:
    """Return the stored days before the first that is kept, by connection or gateway."""
    days: dict[str, set[date]] = defaultdict(set)
    first_of = cache(first_kept)
    for name, stored in (*_days_of_slices(lake, first_of), *_days_of_pages(home, first_of)):
        if (first := first_of(name)) and (before := {day for day in stored if day < first}):
            days[name] |= before
    return days


def delete_before(home: UPath, lake: Lake, limits: Mapping[str, date]) -> None:
    """Delete all days before a first day, by connection; only for who is alone with the home.

    Raises:
        StorageFailed: A table cannot be read or written.
        OSError: A file cannot be removed.
    """
    (home / PUBLICATION_STATE).unlink(missing_ok=True)
    for folder in (home / FOCUS, home / SET_ASIDE):
        remove_folder(folder)
    for name, first in limits.items():
        for provider in folders(home / "raw"):
            for folder in list(_day_folders(provider / name)):
                if (day := day_named(folder.name)) and day < first:
                    remove_folder(folder)
    first_kept = _with_every_connection(lake, limits)
    for name, first in first_kept.items():
        remove_days_before(lake, name, first)
    remove_sums_of_all_days(lake)
    _forget_findings(lake, first_kept)
    purge_lake(lake)


def _with_every_connection(lake: Lake, limits: Mapping[str, date]) -> dict[str, date]:
    """Return the first kept day by connection, and of what is about all: that of the earliest."""
    if set(lake.connections(SpendControl)) <= limits.keys():  # others keep all their days
        return {**limits, EVERY_CONNECTION: min(limits.values(), default=date.min)}
    return dict(limits)


def _forget_findings(lake: Lake, first_kept: Mapping[str, date]) -> None:
    """Remove findings that had ended before the first day that is kept from the record."""
    findings = lake.read(Findings).filter(~pl.col("state").is_in(OPEN))
    old = {
        name
        for name, connection, day in findings.select("finding_id", "connection", "day").iter_rows()
        if day < first_kept.get(connection, date.min)
    }
    if old:
        lake.recorded.rewrite(lambda line: None if _names(line, old) else line)


def _names(line: bytes, findings: set[str]) -> bool:
    """Return whether a line of the record is about one of some findings."""
    try:
        row = msgspec.json.decode(line)
    except UNREADABLE:
        return False
    row = row.get("removed", row)
    return row.get("finding_id") in findings or row.get("finding") in findings


def _days_of_slices(lake: Lake, first_kept: FirstKept) -> Iterator[tuple[str, set[date]]]:
    for table in all_contracts():
        for name in filter(first_kept, lake.connections(table)):
            yield name, lake.days(table, name)


def _days_of_pages(home: UPath, first_kept: FirstKept) -> Iterator[tuple[str, set[date]]]:
    for provider in folders(home / "raw"):
        for folder in folders(provider):
            if first_kept(folder.name):
                days = (day_named(one.name) for one in _day_folders(folder))
                yield folder.name, set(filter(None, days))


def _day_folders(connection: UPath) -> Iterator[UPath]:
    """Yield the folders <dataset>/<day> of a connection's folder."""
    for dataset in folders(connection):
        yield from folders(dataset)


def folders(folder: UPath) -> list[UPath]:
    """Return the folders in a folder; none where it is not there."""
    return [one for one in folder.iterdir() if one.is_dir()] if folder.is_dir() else []
