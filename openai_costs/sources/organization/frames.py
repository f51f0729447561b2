"""The tables of an organization from kept reads and the ledger's ids: one connection at a time.

Pure. Every table is folded from all reads there are, so that it can be rebuilt from raw alone.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple

import polars as pl

from openai_costs.kernel.days import ONE_DAY, midnight
from openai_costs.kernel.errors import PageRefused
from openai_costs.kernel.unreadable import UNREADABLE
from openai_costs.sources.list_dates import as_dated
from openai_costs.sources.organization.fold import fold, not_listed
from openai_costs.sources.organization.kinds import KINDS, Kind
from openai_costs.sources.organization.listings import LIST, Listing, ReadListing
from openai_costs.sources.shrunk_lists import Loss, losses
from openai_costs.storage.archive import DamagedRead, KeptRead
from openai_costs.tables.entity import Known


@dataclass(frozen=True)
class Folded:
    """One connection's rows of a table, and what to report about them.

    Args:
        frame: The rows.
        unlisted: Ids of the ledger that no list knows: id, first_day, last_day, billed_usd.
        refused: Why the newest read could not be used; None when it could.
        remark: What was new to us in the newest read; empty when nothing was.
        shrunk: Rows in an earlier list and in the newest one, when less than half are left.
    """

    frame: pl.DataFrame
    unlisted: pl.DataFrame
    refused: PageRefused | None = None
    remark: str = ""
    shrunk: Loss | None = None


class Usable(NamedTuple):
    """What can be used of some reads.

    Args:
        listings: What they list, oldest first.
        refused: Why the newest read cannot be used, if it cannot.
    """

    listings: list[Listing]
    refused: PageRefused | None


def folded(
    kind: Kind,
    connection: tuple[str, str],
    reads: Usable,
    ledger: pl.DataFrame,
    known_elsewhere: Collection[str] = (),
) -> Folded:
    """Return one connection's rows of a table.

    Args:
        kind: The table.
        connection: Whose organization it is: the connection's name and its provider's.
        reads: `usable` of all its kept reads.
        ledger: The ids that its ledger names: id, first_day, last_day, billed_usd.
        known_elsewhere: Such ids that another table knows.
    """
    listings, refused = reads
    given = [one for one in listings if one.complete]
    lost = list(losses(given, _sizes, is_never_empty=kind.is_never_empty))
    lost = [None] * len(given) if kind.may_empty else lost
    unlisted, rows = ledger, kind.table.no_rows()
    taken = [one for one in listings if one.complete or one.rows.height]
    if ledger.height or any(one.rows.height for one in taken):
        doubted = [one.at for one, loss in zip(given, lost, strict=True) if loss]
        listed = fold(kind, taken, doubted)
        unlisted = ledger.filter(~pl.col("id").is_in([*listed["id"], *known_elsewhere]))
        rows = _rows(kind, connection, [listed, not_listed(unlisted)])
    return Folded(
        rows,
        unlisted,
        refused,
        listings[-1].remark if listings else "",
        lost[-1] if lost else None,
    )


def _rows(kind: Kind, connection: tuple[str, str], parts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the rows of a connection as the table has them."""
    name, provider = (pl.lit(one) for one in connection)
    everything = pl.concat(parts, how="diagonal").with_columns(
        name.alias("connection"), provider.alias("provider")
    )
    return everything.select(list(kind.table.types())).sort(kind.key)


def is_usable(listing: ReadListing, read: KeptRead | DamagedRead) -> bool:
    """Return whether every table can take what a read lists."""
    return not any(one.refused for one in usable(KINDS, listing, [read]).values())


def _sizes(earlier: Listing, newest: Listing) -> tuple[int, int]:
    """Return the rows of both; a list that one of them was not given cannot have shrunk."""
    unknown = newest.absent | earlier.absent
    had, has = (
        sum(name not in unknown for name in one.rows[LIST]) if unknown else one.rows.height
        for one in (earlier, newest)
    )
    return had, has


def usable(
    kinds: Sequence[Kind], listing: ReadListing, reads: Iterable[KeptRead | DamagedRead]
) -> dict[type[Known], Usable]:
    """Return what can be used of kept reads, by table; each read is looked at once.

    Args:
        kinds: The tables.
        listing: Reads what the provider's reads list.
        reads: The reads, in any order.
    """
    listed: dict[type[Known], _Listed] = {kind.table: {} for kind in kinds}
    for read in reads:
        for kind in kinds:
            at, found = _listed(kind, listing, read)
            listed[kind.table][at] = found
    return {table: _usable(its) for table, its in listed.items()}


_Listed = dict[datetime, Listing | PageRefused]
"""What reads list, or why they cannot be used, by when they were read."""


def _listed(
    kind: Kind, listing: ReadListing, read: KeptRead | DamagedRead
) -> tuple[datetime, Listing | PageRefused]:
    if isinstance(read, DamagedRead):
        return midnight(read.day) + ONE_DAY, read.error
    read = as_dated(read)
    at = read.manifest.read_at.astimezone(UTC)
    try:
        return at, listing(kind, read)
    except PageRefused as unusable:
        return at, unusable
    except UNREADABLE as gone:  # in a field that no one relies on, and so read last
        return at, PageRefused(read.page, "the body", f"cannot be read: {gone}")


def _usable(listed: _Listed) -> Usable:
    in_order = [listed[at] for at in sorted(listed)]
    newest = in_order[-1] if in_order else None
    return Usable(
        [one for one in in_order if isinstance(one, Listing)],
        newest if isinstance(newest, PageRefused) else None,
    )
