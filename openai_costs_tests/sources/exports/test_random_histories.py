"""A day has what the newest run of each billing month says of it, whatever became of the files.

Histories at random, against a model of a few lines: the newest run of a month that was ever read
has all its charges, those of other months' days too, and no older run has any.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from openai_costs.kernel.days import ONE_DAY, DayRange, month_of
from openai_costs.sources.exports.notes import owed_days
from openai_costs_tests.sources.exports.files import Export, azure_manifest, csv_of, row

if TYPE_CHECKING:
    from pathlib import Path


ALL: Final = DayRange(date(2026, 9, 28), date(2026, 11, 14))
MONTHS: Final = (date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1))
LATE_DAYS: Final = (date(2026, 9, 28), date(2026, 9, 30), date(2026, 10, 25), date(2026, 10, 31))
RECENT: Final = date(2026, 11, 7)
STEPS: Final = 6

Charges = dict[tuple[date, str], Decimal]
"""Dollars by day and sub-account."""


@dataclass
class Run:
    """What an export wrote of a billing month at one time, and what says so."""

    month: date
    ran_at: datetime
    charges: Charges
    layout: str
    is_there: bool = False

    @property
    def files(self) -> dict[str, bytes]:
        rows = [
            row(str(day), f"{usd}", SubAccountId=sub, BillingPeriodStart=f"{self.month}T00:00:00Z")
            for (day, sub), usd in self.charges.items()
        ]
        days = month_of(self.month)
        if self.layout == "file":
            return {f"{self.month:%Y-%m}/bill.csv": csv_of(*rows)}
        if self.layout == "folder":
            folder = f"daily/{self.month:%Y-%m}/run={self.ran_at:%Y%m%dT%H%M%SZ}"
            return {f"{folder}/0.csv": csv_of(*rows)}
        folder = f"daily/{days.first:%Y%m%d}-{days.last:%Y%m%d}/run-{self.ran_at:%m%d}"
        span = str(days.first), str(days.last)
        said = azure_manifest(self.ran_at.isoformat(), *span, "MonthToDate", "0.csv")
        return {f"{folder}/0.csv": csv_of(*rows), f"{folder}/manifest.json": said}


@dataclass
class History:
    """An export whose files come and go, and what is right of it."""

    export: Export
    random: Random
    layout: str
    runs: list[Run] = field(default_factory=list)
    newest: dict[date, Run] = field(default_factory=dict)
    """The newest run of each month that was read."""

    @property
    def right(self) -> dict[str, Decimal]:
        """The dollars of each day."""
        usd: dict[str, Decimal] = {}
        for run in self.newest.values():
            for (day, _), billed in run.charges.items():
                usd[str(day)] = usd.get(str(day), Decimal(0)) + billed
        return usd

    def write(self, month: date) -> None:
        """Write a run of a month: with another choice of late charges, and of days."""
        until = min(month_of(month).last, self.export.now.date() - ONE_DAY)
        own = [day for day in ALL if month <= day <= until]
        late = [day for day in LATE_DAYS if day < month and self.random.random() < 0.3]
        charges = {
            (day, sub): Decimal(self.random.randint(100, 999)) / 100
            for day in [*own, *late]
            for sub in ("maps-prod", "maps-lab")
            if self.random.random() < 0.7
        }
        if not any(day in own for day, _ in charges):
            charges[own[0], "maps-prod"] = Decimal(1)
        ran_at = self.export.now - timedelta(hours=5)
        if self.layout == "file":  # written over
            self.runs = [one for one in self.runs if one.month != month]
        self.runs.append(Run(month, ran_at, charges, self.layout))
        self.put(self.runs[-1])

    def put(self, run: Run) -> None:
        """Put the files of a run where they were."""
        for one in run.files.items():
            self.export.put(*one)
        run.is_there = True

    def take_away(self, run: Run) -> None:
        """Remove the files of a run."""
        for name in run.files:
            self.export.remove(name)
        run.is_there = False

    def go_on(self) -> None:
        """Let a day pass: runs are written, and files of any age are gone or back."""
        self.export.now += ONE_DAY
        for month, chance in zip(MONTHS, (0.15, 0.25, 0.7), strict=True):
            if self.random.random() < chance:
                self.write(month)
        for run in self.runs[:-1]:
            if run.is_there and self.random.random() < 0.35:
                self.take_away(run)
            elif not run.is_there and self.random.random() < 0.1:
                self.put(run)
        if not any(run.is_there for run in self.runs):
            self.put(self.runs[-1])

    def read(self, days: DayRange) -> None:
        """Read some days: what is new of months that ended long before them counts too."""
        assert self.export.read(days) == ""
        for run in self.runs:
            is_newer = run.month not in self.newest or self.newest[run.month].ran_at < run.ran_at
            if run.is_there and is_newer:
                self.newest[run.month] = run

    def read_recent_days(self) -> None:
        """Read the last days, and what is due then, as refreshes do."""
        self.read(DayRange(RECENT, self.export.now.date()))
        while owed := owed_days(self.export.archive, self.export.connection):
            self.read(DayRange(owed[0], owed[-1]))


@pytest.mark.parametrize("layout", ["manifest", "folder", "file"])
@pytest.mark.parametrize("seed", [0, 4, 6])
def test_a_day_has_what_the_newest_run_of_each_month_says(tmp_path: Path, seed: int, layout: str):
    export = Export(tmp_path, kept_days=ALL, now=datetime(2026, 11, 8, 12, tzinfo=UTC))
    history = History(export, Random(seed), layout)  # noqa: S311 - the same each time
    for month in MONTHS:
        history.write(month)
    history.read(ALL)
    for _ in range(STEPS):
        history.go_on()
        history.read_recent_days()
        if history.random.random() < 0.5:
            history.read(ALL)
        assert {day: usd for day, usd in export.usd.items() if usd} == history.right
    history.read(ALL)
    before = {day: export.reads_of(str(day)) for day in ALL}
    export.now += timedelta(hours=1)
    assert export.read(ALL) == ""
    assert before == {day: export.reads_of(str(day)) for day in ALL}
    assert not owed_days(export.archive, export.connection)
