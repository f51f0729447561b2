"""Which days are complete, and what follows from the days that were read. Pure."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from itertools import dropwhile, takewhile

import polars as pl

from openai_costs.kernel.days import ONE_DAY, DayRange, naive
from openai_costs.storage.slices import slices_frame
from openai_costs.tables.mart.coverage import Coverage

COSTS = "costs"
USAGE = "usage"
SLICE = ["connection", "day"]
_OF_READ = ("state", "rows", "billed_usd", "read_at", "is_over")
"""The columns of mart.coverage that are of the read of a day."""
BEFORE_START = "The day is before `start` of its connection now: it is not read again."


def coverage(
    controls: pl.DataFrame, ledger: pl.DataFrame, first_days: Mapping[str, date], now: datetime
) -> pl.DataFrame:
    """Return mart.coverage of costs: every day of every connection from its first day to today.

    Older days that are stored are covered too, and those of a connection that left the settings. By
    a read from after `now` no day is settled or over: whatever clock it was read by was wrong.

    Args:
        controls: core.spend_control.
        ledger: connection, day, rows: how many ledger rows each stored day has.
        first_days: The first day of each connection in the settings.
        now: The current instant.
    """
    read = controls.join(ledger.select(*SLICE, "rows"), on=SLICE, how="left")
    states = pl.col("is_settled", "is_over") & (pl.col("read_at") <= naive(now))
    former = controls.filter(~pl.col("connection").is_in([*first_days])).select(SLICE)
    ours = _spine(first_days, controls, now.date())
    spine = pl.concat([ours, _marked(former, is_connected=False)])
    return _with_states(spine, read.with_columns(states), COSTS)


def usage_coverage(
    slices: pl.DataFrame, first_days: Mapping[str, date], grace: timedelta, now: datetime
) -> pl.DataFrame:
    """Return mart.coverage of usage, for the connections that are asked for it.

    Args:
        slices: connection, day, rows, read_at: the stored days of core.usage.
        first_days: Each such connection's first day.
        grace: How long after its end a day stays provisional.
        now: The current instant, as for costs.
    """
    ends_at = pl.col("day").cast(pl.Datetime("us")) + ONE_DAY
    read = slices.with_columns(
        is_settled=pl.col("read_at").is_between(ends_at + grace, naive(now)),
        is_over=pl.col("read_at").is_between(ends_at, naive(now)),
        billed_usd=pl.lit(None, Coverage.types()["billed_usd"]),
    )
    return _with_states(_spine(first_days, slices, now.date()), read, USAGE)


def of_costs(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of mart.coverage about costs of the connections of today."""
    return all_costs(frame).filter("is_connected")


def all_costs(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of mart.coverage about costs, also of what is no longer connected."""
    return frame.filter(pl.col("source") == COSTS)


def as_missing(frame: pl.DataFrame, slices: Iterable[tuple[str, date]]) -> pl.DataFrame:
    """Return mart.coverage with some days as if they had never been read.

    Args:
        frame: mart.coverage.
        slices: The connection and day of each.
    """
    return as_before(frame, frame.clear(), slices)


def as_before(
    frame: pl.DataFrame, before: pl.DataFrame, slices: Iterable[tuple[str, date]]
) -> pl.DataFrame:
    """Return mart.coverage with some days as they were; missing is one that was not there.

    Args:
        frame: mart.coverage of costs.
        before: The same as it was.
        slices: The connection and day of each.
    """
    was = before.select(*SLICE, pl.col(_OF_READ).name.prefix("was_"))
    these = slices_frame(slices).with_columns(is_kept=True).join(was, on=SLICE, how="left")
    state = pl.col("was_state").fill_null("missing")
    beside = frame.join(
        these.with_columns(was_state=state), on=SLICE, how="left", maintain_order="left"
    )
    kept = (pl.when("is_kept").then(f"was_{name}").otherwise(name).alias(name) for name in _OF_READ)
    return beside.with_columns(kept).select(frame.columns)


def former_connections(frame: pl.DataFrame) -> list[str]:
    """Return the connections that left the settings and whose stored days stay, sorted.

    The one place that says so. They are in no number about the connections of today.

    Args:
        frame: mart.coverage.
    """
    return frame.filter(~pl.col("is_connected"))["connection"].unique().sort().to_list()


def of_connected(rows: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of a table that are of no former connection.

    Args:
        rows: connection, and more.
        frame: mart.coverage.
    """
    return rows.filter(~pl.col("connection").is_in(former_connections(frame)))


def _with_states(spine: pl.DataFrame, read: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return every day with its state; a day that was not read is missing."""
    known = pl.when(pl.col("is_settled")).then(pl.lit("settled")).otherwise(pl.lit("provisional"))
    is_left = pl.col("is_connected") & ~pl.col("is_asked")
    return (
        spine.join(read, on=SLICE, how="left")
        .with_columns(
            source=pl.lit(source),
            state=pl.when(pl.col("is_settled").is_null()).then(pl.lit("missing")).otherwise(known),
            rows=pl.col("rows").cast(pl.Int64),
            is_over=pl.col("is_settled") | pl.col("is_over").fill_null(value=False),
            reason=pl.when(is_left & ~pl.col("is_settled")).then(pl.lit(BEFORE_START)),
        )
        .select(list(Coverage.types()))
        .sort("connection", "source", "day")
    )


def of_settled_days(rows: pl.DataFrame, frame: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of days that are settled at their own connection.

    A connection that is not read does not remove other connections' days. Rows of a connection
    without a ledger (a gateway's) count on the days that are settled at every connection, rows of
    one that is no longer connected on none.

    Args:
        rows: connection, day, and more.
        frame: mart.coverage.
    """
    has_ledger = pl.col("connection").is_in(all_costs(frame)["connection"].unique().to_list())
    settled = of_costs(frame).filter(state="settled")
    return pl.concat(
        [
            rows.filter(has_ledger).join(settled, on=SLICE, how="semi"),
            rows.filter(~has_ledger, pl.col("day").is_in(settled_in_all(frame).to_list())),
        ]
    )


def settled_in_all(frame: pl.DataFrame) -> pl.Series:
    """Return the days settled at every connection that had begun, oldest first.

    A connection that was never read, or begins later, does not count for a day.

    Args:
        frame: mart.coverage.
    """
    begun = since_first_read(of_costs(frame)).group_by("day")
    return begun.agg(in_all=(pl.col("state") == "settled").all()).filter("in_all")["day"].sort()


def newest_settled(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the newest settled day of each connection's costs: connection, settled_until."""
    settled = of_costs(frame).filter(state="settled")
    return settled.group_by("connection").agg(settled_until=pl.col("day").max())


def complete_through(frame: pl.DataFrame) -> date | None:
    """Return the newest day up to which every connection is settled without a gap; None if none.

    Days before a connection's first read do not count as a gap: they were not asked for.
    """
    ends = [
        _unbroken_end(days)
        for _, days in frame.sort("day").group_by("connection", maintain_order=True)
    ]
    known = [end for end in ends if end is not None]
    return min(known) if known and len(known) == len(ends) else None


def _unbroken_end(days: pl.DataFrame) -> date | None:
    """Return the last of the settled days that follow one another from the first read on."""
    states = days.select("day", "state").rows()
    since_read = dropwhile(lambda row: row[1] == "missing", states)
    settled = takewhile(lambda row: row[1] == "settled", since_read)
    return max((day for day, _ in settled), default=None)


def since_first_read(frame: pl.DataFrame) -> pl.DataFrame:
    """Return mart.coverage from each connection's first read day on."""
    was_read = pl.col("state") != "missing"
    first = pl.col("day").filter(was_read).min().over("connection")
    return frame.filter(pl.col("day") >= first)


def never_read(frame: pl.DataFrame) -> list[str]:
    """Return the connections of which no day of mart.coverage was read, sorted."""
    by_name = frame.group_by("connection").agg((pl.col("state") == "missing").all())
    return by_name.filter("state")["connection"].sort().to_list()


def missing_ranges(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the gaps of mart.coverage: connection, first_day, last_day of each."""
    gaps = frame.filter(pl.col("state") == "missing").sort("connection", "day")
    step = (pl.col("day").diff().dt.total_days() != 1) | (
        pl.col("connection") != pl.col("connection").shift()
    )
    return (
        gaps.with_columns(gap=step.fill_null(True).cum_sum())
        .group_by("connection", "gap", maintain_order=True)
        .agg(first_day=pl.col("day").min(), last_day=pl.col("day").max())
        .drop("gap")
    )


def _spine(first_days: Mapping[str, date], stored: pl.DataFrame, today: date) -> pl.DataFrame:
    """Return the days that are asked for, and older ones, stored before `start` was set later."""
    asked = ((name, day) for name, first in first_days.items() for day in DayRange(first, today))
    first = pl.col("connection").replace_strict(first_days, default=None, return_dtype=pl.Date)
    older = stored.filter(pl.col("day") < first, pl.col("day") <= today).select(SLICE)
    return pl.concat([_marked(slices_frame(asked), is_asked=True), _marked(older)])


def _marked(
    days: pl.DataFrame, *, is_connected: bool = True, is_asked: bool = False
) -> pl.DataFrame:
    return days.with_columns(is_connected=pl.lit(is_connected), is_asked=pl.lit(is_asked))
