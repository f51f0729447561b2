from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from openai_costs.kernel.days import DayRange
from openai_costs.questions.spend import restated_days
from openai_costs_tests.org import RESTATED_DAY, SETTLED_NOT_RESTATED, day, house

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from openai_costs.settings.connection import Connection
    from openai_costs.storage.archive import KeptRead
    from openai_costs.storage.slices import Batch


STILL_FILLING = datetime(2026, 11, 17, 18, tzinfo=UTC)
AN_HOUR_LATER = SETTLED_NOT_RESTATED.replace(hour=13)


@pytest.fixture
def cleaned(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, datetime]]:
    """The reads that are cleaned: their day of the month, and when they were read."""
    found: list[tuple[int, datetime]] = []
    original = restated_days._ledgers  # noqa: SLF001 - what costs the time

    def noting(reads: Iterator[KeptRead], connection: Connection) -> object:
        cleaned = list(reads)
        found.extend((one.manifest.day.day, one.manifest.read_at) for one in cleaned)
        return original(iter(cleaned), connection)

    monkeypatch.setattr(restated_days, "_ledgers", noting)
    return found


def changes(home: Path, *instants: datetime) -> list[Batch]:
    made = house(home)
    for now in instants:
        assert made.at(now).run(day(17), RESTATED_DAY, only=["raw/openai_costs"]).is_green
    days = DayRange(day(17), RESTATED_DAY)
    return list(restated_days.changes(made.archive, made.settings, days))


def test_neither_a_day_that_stayed_the_same_is_cleaned_nor_one_that_still_filled_up(
    tmp_path: Path, cleaned: list[tuple[int, datetime]]
) -> None:
    found = changes(tmp_path, STILL_FILLING, SETTLED_NOT_RESTATED, AN_HOUR_LATER)
    assert [batch.frame.height for batch in found] == [0]
    assert cleaned == []


@pytest.mark.parametrize("days_at_once", [1, 31])
def test_of_a_day_that_changed_only_reads_with_other_pages_are_cleaned(
    tmp_path: Path,
    cleaned: list[tuple[int, datetime]],
    monkeypatch: pytest.MonkeyPatch,
    days_at_once: int,
) -> None:
    monkeypatch.setattr(restated_days, "DAYS_AT_ONCE", days_at_once)
    restated = SETTLED_NOT_RESTATED + timedelta(hours=12)
    found = changes(tmp_path, SETTLED_NOT_RESTATED, AN_HOUR_LATER, restated)
    assert [batch.frame["day"].to_list() for batch in found] == [[RESTATED_DAY]]
    assert cleaned == [(18, SETTLED_NOT_RESTATED), (18, restated)]
