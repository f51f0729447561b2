"""Which runs covered a day when it was kept: an older one of their export adds nothing to it. Pure.

A newer run replaces the older one also where it has no row, and its files may be gone when the day
is kept again. So each day says, beside its rows, which runs had covered it.
"""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Final

from openai_costs.kernel.clock_skew import MOST_SKEW
from openai_costs.sources.exports.ownership import HeldRun

Covered = Mapping[tuple[str, date], datetime]
"""When the newest run of an export was that covered a day of a billing month (by its first day)."""

NOTHING: Final[Covered] = MappingProxyType({})
_NAME: Final = "covered_by"


def covered(runs: Iterable[HeldRun], day: date, read_at: datetime) -> Covered:
    """Return which runs cover a day, of those of which the vendor says when they were.

    One that is dated after it was read does not say when it was: once it is gone, others count.
    """
    timed = [(one, at) for one in runs if (at := one.run.ran_at) and at - read_at <= MOST_SKEW]
    return {
        (one.run.export, month): ran_at
        for one, ran_at in sorted(timed, key=lambda its: its[1])
        for month in one.months_of(day)
    }


def newest(one: Covered, other: Covered) -> Covered:
    """Return the newest run of each export and billing month."""
    return dict(sorted([*one.items(), *other.items()], key=lambda its: its[1]))


def written(its: Covered) -> list[tuple[str, str]]:
    """Return it as the archive keeps how a part was read: each run with its months and export."""
    by_run: dict[tuple[str, str], list[str]] = {}
    for (export, month), ran_at in its.items():
        by_run.setdefault((ran_at.isoformat(), export), []).append(f"{month:%Y-%m}")
    return [
        (_NAME, f"{ran_at} {','.join(sorted(by_run[ran_at, export]))} {export}")
        for ran_at, export in sorted(by_run)
    ]


def read_again(params: Iterable[tuple[str, str]]) -> Covered:
    """Return what `written` returned it from."""
    runs = [text.split(" ", 2) for name, text in params if name == _NAME]
    return {
        (export, date.fromisoformat(f"{month}-01")): datetime.fromisoformat(ran_at)
        for ran_at, its, export in runs
        for month in its.split(",")
    }
